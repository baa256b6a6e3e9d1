"""The page made ready for WeasyPrint, which sees less of it than a browser does.

A browser gives inline SVG the rules of the page's style sheet, its custom properties, and symbols from other figures of the page.
WeasyPrint reads each figure as a document of its own, so that all it does not find is drawn black or not at all. And it keeps the cells of
a table that are hidden, empty. What a browser would have found is written into the page, and what it would have hidden leaves it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from importlib import import_module
from itertools import chain
from typing import Any
from xml.etree.ElementTree import Element, SubElement

SVG = "{http://www.w3.org/2000/svg}"
#: A custom property in use: its name, and what stands for it where it is not set. None holds another in its fallback.
VARIABLE = re.compile(r"var\(\s*(--[\w-]+)\s*(?:,([^()]*))?\)")


def prepare(root: Element) -> None:
    """Make a page ready for WeasyPrint, in place: hidden elements leave, figures get their styles and symbols.

    Parameters
    ----------
    root : Element
        The page, as WeasyPrint's parser gives it: ``weasyprint.HTML(...).etree_element``.

    Notes
    -----
    Rules for print and for all media count, in the order of the cascade (CSS Cascading and Inheritance Level 3, section 6): specificity,
    then order; a ``style`` attribute comes last. ``!important`` stands in no rule for figures, and is not read.

    Examples
    --------
    >>> import weasyprint  # doctest: +SKIP
    >>> page = weasyprint.HTML("report.html")  # doctest: +SKIP
    >>> prepare(page.etree_element)  # doctest: +SKIP
    """
    _remove_hidden(root)
    rules = list(_printed_rules(root))
    variables = {name: value for _, declarations in rules for name, value in declarations.items() if name.startswith("--")}
    _write_rules(root, rules)
    for figure in root.iter(f"{SVG}svg"):
        for element in figure.iter():
            for name, value in element.attrib.items():
                element.set(name, _without_variables(value, variables))
    _bring_symbols(root)


def _remove_hidden(root: Element) -> None:
    """Remove elements with the attribute ``hidden``; the words after one stay.

    Examples
    --------
    >>> from xml.etree.ElementTree import fromstring, tostring
    >>> page = fromstring("<p>a<b hidden=''>b</b>c<i>d</i><b hidden=''/>e</p>")
    >>> _remove_hidden(page)
    >>> tostring(page, encoding="unicode")
    '<p>ac<i>d</i>e</p>'
    """
    for parent in list(root.iter()):
        kept: list[Element] = []
        for child in parent:
            if "hidden" not in child.attrib:
                kept.append(child)
            elif kept:
                kept[-1].tail = (kept[-1].tail or "") + (child.tail or "")
            else:
                parent.text = (parent.text or "") + (child.tail or "")
        parent[:] = kept


def _printed_rules(root: Element) -> Iterator[tuple[str, dict[str, str]]]:
    """Selector and declarations of each rule that holds on paper, in the order of the sheet."""
    tinycss2 = import_module("tinycss2")  # it comes with WeasyPrint, and so does the next one
    sheet = "\n".join(style.text or "" for style in root.iter("style"))
    for rule in _rules(tinycss2, tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True)):
        declared = tinycss2.parse_blocks_contents(rule.content, skip_comments=True, skip_whitespace=True)
        values = {one.name: tinycss2.serialize(one.value).strip() for one in declared if one.type == "declaration"}
        yield tinycss2.serialize(rule.prelude), values


def _rules(tinycss2: Any, nodes: list[Any]) -> Iterator[Any]:
    for node in nodes:
        if node.type == "qualified-rule":
            yield node
        elif node.type == "at-rule" and node.lower_at_keyword == "media" and tinycss2.serialize(node.prelude).strip() == "print":
            yield from _rules(tinycss2, tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True))


def _write_rules(root: Element, rules: list[tuple[str, dict[str, str]]]) -> None:
    cssselect2 = import_module("cssselect2")
    matcher = cssselect2.Matcher()
    for selector, declarations in rules:
        try:
            for compiled in cssselect2.compile_selector_list(selector):
                matcher.add_selector(compiled, declarations)
        except cssselect2.SelectorError:  # one for a browser alone
            continue
    for wrapper in cssselect2.ElementWrapper.from_html_root(root).iter_subtree():
        element = wrapper.etree_element
        if not element.tag.startswith(SVG):
            continue
        matched = matcher.match(wrapper)  # the weakest rule first
        styles = [f"{name}:{value}" for *_, declarations in matched for name, value in declarations.items()]
        if styles:
            element.set("style", ";".join(chain(styles, filter(None, [element.get("style")]))))


def _without_variables(value: str, variables: dict[str, str]) -> str:
    """Return a value with what its custom properties stand for; one may stand for another.

    Examples
    --------
    >>> _without_variables("fill:var(--model-0)", {"--model-0": "var(--ink)", "--ink": "#000"})
    'fill:#000'
    >>> _without_variables("stroke:var(--gone, red)", {})
    'stroke:red'
    """
    for _ in range(5):  # deeper than any sheet of ours; a circle must not hang
        if "var(" not in value:
            break
        value = VARIABLE.sub(lambda found: variables.get(found[1], (found[2] or "none").strip()), value)
    return value


def _bring_symbols(root: Element) -> None:
    """Copy into each figure the symbols of other figures that it uses."""
    figures = list(root.iter(f"{SVG}svg"))
    named = {element.get("id"): element for figure in figures for element in figure.iter() if element.get("id")}
    wanted = [({use.get("href", "")[1:] for use in figure.iter(f"{SVG}use")} - _ids(figure), figure) for figure in figures]
    for names, figure in wanted:
        if names & named.keys():
            definitions = SubElement(figure, f"{SVG}defs")
            definitions.extend(deepcopy(named[name]) for name in sorted(names & named.keys()))


def _ids(figure: Element) -> set[str]:
    return {element.get("id", "") for element in figure.iter()}
