"""One colour per model throughout, legible on light and on dark ground and to colour-blind readers.

Figures are drawn with stand-in colours; in the finished SVG these become CSS variables, so that one picture serves both
grounds. Shape tells the family and every mark has its label: colour never carries meaning alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ensemblekit.displays.palette import DARK, LIGHT, Palette

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ensemblekit_reports.results import ModelFacts

#: Everything that is not a model.
_ROLES = ("ink", "muted", "faint", "grid", "ground", "band")
MODEL_MARKERS = {"mixture": "D", "ensemble": "s", "single": "o"}


def variables() -> tuple[tuple[str, str, str], ...]:
    """Return every CSS variable with its value on light and on dark ground.

    Examples
    --------
    >>> variables()[0]
    ('ink', '#1c2430', '#e8ebf0')
    """
    models = [(f"model-{i}", *both) for i, both in enumerate(zip(LIGHT.marks, DARK.marks, strict=True))]
    return (*((role, getattr(LIGHT, role), getattr(DARK, role)) for role in _ROLES), *models)


def style_sheet() -> str:
    """Return the CSS that defines the variables for both grounds.

    Examples
    --------
    >>> style_sheet().splitlines()[0][:22]
    ':root{--ink:#1c2430;--'
    """
    light = "".join(f"--{name}:{value};" for name, value, _ in variables())
    dark = "".join(f"--{name}:{value};" for name, _, value in variables())
    return f":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"


def stand_in(name: str) -> str:
    """Return the colour to draw with where the CSS variable is meant.

    Examples
    --------
    >>> stand_in("ink"), stand_in("model-0")
    ('#0a0b00', '#0a0b06')
    """
    names = [variable for variable, _, _ in variables()]
    return f"#0a0b{names.index(name):02x}"


def stand_ins() -> Palette:
    """Return the palette whose every colour stands for a CSS variable.

    Examples
    --------
    >>> stand_ins().ink == stand_in("ink"), stand_ins().mark(0) == stand_in("model-0")
    (True, True)
    """
    roles = {role: stand_in(role) for role in _ROLES}
    return replace(LIGHT, **roles, marks=tuple(stand_in(f"model-{i}") for i in range(len(LIGHT.marks))))


def model_positions(models: Sequence[ModelFacts]) -> dict[str, int]:
    """Give every model its place in the palette, mixtures first, so that the model in question looks the same in every report.

    Parameters
    ----------
    models : sequence of ModelFacts

    Returns
    -------
    dict of str to int

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> model_positions(example_results().models)
    {'moe': 0, 'averaging': 1, 'logistic': 2}
    """
    ordered = sorted(models, key=lambda model: model.family != "mixture")
    return {model.name: position for position, model in enumerate(ordered)}


def model_variables(models: Sequence[ModelFacts]) -> dict[str, str]:
    """Name the CSS variable of every model's colour; colours repeat after ten models.

    Parameters
    ----------
    models : sequence of ModelFacts

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> model_variables(example_results().models)
    {'moe': 'model-0', 'averaging': 'model-1', 'logistic': 'model-2'}
    """
    return {name: f"model-{position % len(LIGHT.marks)}" for name, position in model_positions(models).items()}
