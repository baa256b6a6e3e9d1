"""One colour per model throughout, legible on light and on dark ground and to colour-blind readers.

Figures are drawn with stand-in colours; in the finished SVG these become CSS variables, so that one picture serves both
grounds. Shape tells the family and every mark has its label: colour never carries meaning alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ensemblekit_reports.results import ModelFacts

#: After Okabe and Ito (2008), darkened or lightened to a contrast of 3:1 on either ground: (light, dark).
_MODEL_COLOURS = (
    ("#c8500a", "#ff9a4d"),
    ("#0068a8", "#5cb3f0"),
    ("#00805c", "#35cfa2"),
    ("#a8467f", "#eba0cb"),
    ("#8a6a00", "#eec14a"),
    ("#4b4fc4", "#a9acff"),
    ("#1b7f95", "#7fdcec"),
    ("#5b4636", "#d8bfa8"),
    ("#b3261e", "#ff8f88"),
    ("#4c6b1f", "#b4d77b"),
)
#: Everything that is not a model: CSS variable, light, dark.
_ROLES = (
    ("ink", "#1c2430", "#e8ebf0"),
    ("muted", "#5d6877", "#a3adba"),
    ("faint", "#8791a0", "#79838f"),
    ("grid", "#e6e9ee", "#282f3a"),
    ("ground", "#ffffff", "#14181f"),
    ("band", "#eceff3", "#232a35"),
)
MODEL_MARKERS = {"mixture": "D", "ensemble": "s", "single": "o"}


def variables() -> tuple[tuple[str, str, str], ...]:
    """Return every CSS variable with its value on light and on dark ground.

    Examples
    --------
    >>> variables()[0]
    ('ink', '#1c2430', '#e8ebf0')
    """
    models = [(f"model-{i}", light, dark) for i, (light, dark) in enumerate(_MODEL_COLOURS)]
    return (*_ROLES, *models)


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


def model_variables(models: Sequence[ModelFacts]) -> dict[str, str]:
    """Give every model its colour, mixtures first, so that the model in question looks the same in every report.

    Parameters
    ----------
    models : sequence of ModelFacts

    Returns
    -------
    dict of str to str
        Model name to name of a CSS variable; colours repeat after ten models.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> model_variables(example_results().models)
    {'moe': 'model-0', 'averaging': 'model-1', 'logistic': 'model-2'}
    """
    ordered = sorted(models, key=lambda model: model.family != "mixture")
    return {model.name: f"model-{i % len(_MODEL_COLOURS)}" for i, model in enumerate(ordered)}
