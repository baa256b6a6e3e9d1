"""From a matplotlib figure to an SVG that is always the same and stands by itself.

No inline style is left, so that a page may forbid them; colours are CSS variables, ids are prefixed, text is text.
"""

from __future__ import annotations

import logging
import re
import warnings
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG

from ensemblekit_reports.figures.colours import stand_in, style_sheet, variables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
#: One pixel of the SVG is one point of matplotlib.
DPI = 72
# On its first run matplotlib tells the terminal that it looks for fonts; a reader of the report need not know.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
_SPACE = re.compile(r" *([MLCQz]) *")
_LONG = re.compile(r"-?\d+\.\d{3,}")
FONT = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


@dataclass(frozen=True)
class Drawing:
    """A finished figure.

    Parameters
    ----------
    name : str
        File name without its ending; letters, digits and hyphens.
    title, description : str
        What a screen reader says.
    svg : str
        The SVG element, to be put into a page that defines the colour variables.
    """

    name: str
    title: str
    description: str
    svg: str

    def standalone(self) -> str:
        """Return the SVG as a file of its own, colours included."""
        opening, rest = self.svg.split(">", 1)
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{opening}><style>{style_sheet()}</style>{rest}\n'


def to_drawing(figure: Figure, name: str, title: str, description: str) -> Drawing:
    """Write a figure as SVG.

    Parameters
    ----------
    figure : Figure
        Drawn with `colours.stand_in` colours at `DPI`.
    name, title, description : str
        See `Drawing`.

    Returns
    -------
    Drawing
        Byte for byte equal for equal figures.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> drawing = to_drawing(Figure(figsize=(1, 1), dpi=DPI), "empty", "Nothing", "An empty square")
    >>> drawing.svg[:4], "<title" in drawing.svg, "style=" in drawing.svg
    ('<svg', True, False)
    """
    root = ET.fromstring(_raw(figure, name))  # noqa: S314  # reads only what matplotlib has just written
    _drop_metadata(root)
    for element in root.iter():
        _attributes_for_style(element)
    _shorten(root)
    _share_marks(root)
    _prefix_ids(root, name)
    _describe(root, name, title, description)
    ET.register_namespace("", _SVG)
    return Drawing(name, title, description, _with_variables(ET.tostring(root, encoding="unicode")))


def _raw(figure: Figure, name: str) -> str:
    out = StringIO()
    # Names may hold signs that the layout font lacks; the reader's browser has a font for them.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph ", category=UserWarning)
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support", category=UserWarning)
        FigureCanvasSVG(figure).print_svg(out, metadata={"Date": None})
    return out.getvalue()


def _drop_metadata(root: ET.Element) -> None:
    for parent in root.iter():
        for child in list(parent):
            if child.tag in {f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"}:
                parent.remove(child)


def _attributes_for_style(element: ET.Element) -> None:
    for declaration in element.attrib.pop("style", "").split(";"):
        key, _, value = (part.strip() for part in declaration.partition(":"))
        if key == "font":
            _split_font(element, value)
        elif key and not key.startswith("font-family"):
            element.set(key, value)


def _split_font(element: ET.Element, shorthand: str) -> None:
    size = re.search(r"([\d.]+)px", shorthand)
    if size:
        element.set("font-size", size.group(1))
    if re.search(r"\b(bold|600|700)\b", shorthand.partition("px")[0]):
        element.set("font-weight", "600")


def _shorten(root: ET.Element) -> None:
    """Leave out what shows nothing: hundredths of pixels, turns by no degree, groups of nothing, indentation."""
    for element in root.iter():
        for key, value in element.attrib.items():
            if key not in {"id", "clip-path"}:
                element.set(key, _LONG.sub(lambda found: f"{float(found.group()):.2f}".rstrip("0").rstrip("."), value))
        if element.get("transform", "").startswith(("rotate(-0 ", "rotate(0 ")):
            del element.attrib["transform"]
        if "d" in element.attrib:
            element.set("d", _SPACE.sub(r"\1", element.attrib["d"]).strip())
        element.tail = None
        element.text = element.text if element.tag.endswith("text") else None
    for parent in root.iter():
        _unwrap(parent)


def _unwrap(parent: ET.Element) -> None:
    # Matplotlib's groups carry names alone; a group of nothing or without attributes is no more than its children.
    children = []
    for child in parent:
        if child.tag == f"{{{_SVG}}}g":
            child.attrib.pop("id", None)
            _unwrap(child)
            children += [child] if child.attrib else list(child)
        else:
            children.append(child)
    parent[:] = children


def _share_marks(root: ET.Element) -> None:
    """Keep one of equal outlines: matplotlib writes one for each colour, and the colour stands where the mark is used."""
    first: dict[tuple[tuple[str, str], ...], str] = {}
    same: dict[str, str] = {}
    for parent in list(root.iter()):
        for child in [child for child in parent if child.tag == f"{{{_SVG}}}defs"]:
            for mark in [mark for mark in child if mark.tag == f"{{{_SVG}}}path"]:
                look = tuple(sorted((key, value) for key, value in mark.attrib.items() if key != "id"))
                kept = first.setdefault(look, mark.attrib["id"])
                if kept != mark.attrib["id"]:
                    same[f"#{mark.attrib['id']}"] = f"#{kept}"
                    child.remove(mark)
            if not len(child):
                parent.remove(child)
    for element in root.iter(f"{{{_SVG}}}use"):
        target = element.attrib[f"{{{_XLINK}}}href"]
        element.set(f"{{{_XLINK}}}href", same.get(target, target))


def _prefix_ids(root: ET.Element, name: str) -> None:
    text = ET.tostring(root, encoding="unicode")
    used = dict.fromkeys(re.findall(r"url\(#([^)]+)\)", text) + re.findall(r'href="#([^"]+)"', text))
    short = {identity: f"{name}-{number}" for number, identity in enumerate(used, start=1)}
    for element in root.iter():
        identity = element.attrib.pop("id", None)
        if identity in short:
            element.set("id", short[identity])
        if target := element.attrib.pop(f"{{{_XLINK}}}href", None):
            element.set("href", f"#{short[target[1:]]}")
        for key, value in element.attrib.items():
            if value.startswith("url(#"):
                element.set(key, f"url(#{short[value[5:-1]]})")


def _describe(root: ET.Element, name: str, title: str, description: str) -> None:
    del root.attrib["width"], root.attrib["height"]
    root.attrib.pop("version", None)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-desc")
    root.set("font-family", FONT)
    for position, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ET.Element(f"{{{_SVG}}}{tag}", {"id": f"{name}-{tag}"})
        element.text = text
        root.insert(position, element)


def _with_variables(svg: str) -> str:
    for variable, _, _ in variables():
        svg = svg.replace(f'"{stand_in(variable)}"', f'"var(--{variable})"')
    return svg
