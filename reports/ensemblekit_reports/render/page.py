"""The report as one HTML page: nothing from elsewhere, and a policy in the page that forbids it."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from markupsafe import Markup

from ensemblekit_reports.figures.colours import model_variables, style_sheet, variables
from ensemblekit_reports.render.explorer import page_data
from ensemblekit_reports.render.strips import fold_strips
from ensemblekit_reports.render.templating import environment

if TYPE_CHECKING:
    from ensemblekit_reports.render.pictures import Pictures
    from ensemblekit_reports.reporting.report import Report


#: What the page's script is made of, in this order; all of it is one scope.
SCRIPTS = ("numbers", "labels", "tables", "leaderboard", "explorer")


def page(report: Report, pictures: Pictures) -> str:
    """Render the report as HTML.

    Parameters
    ----------
    report : Report
    pictures : Pictures
        The figures, put into the page.

    Returns
    -------
    str
        One page. Its only style and its only script are named by hash in its content-security policy.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> from ensemblekit_reports.render.pictures import draw
    >>> from ensemblekit_reports.reporting.report import build
    >>> report = build(example_results())
    >>> "Content-Security-Policy" in page(report, draw(report))
    True
    """
    engine = environment(autoescape=True)
    style = style_sheet() + _model_classes() + engine.get_template("report.css").render()
    script = "".join(engine.get_template(f"script/{name}.js").render() for name in SCRIPTS)
    # Markup only for what the project itself has written: style, script and finished drawings with escaped texts.
    return engine.get_template("report.html.j2").render(
        report=report,
        pictures=pictures,
        colours=model_variables(report.models),
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        data=page_data(report),
        strips=[fold_strips(report, section) for section in report.tables],
        policy=policy(style, script),
        inline=lambda drawing: Markup(drawing.svg),  # noqa: S704
    )


def policy(style: str, script: str) -> str:
    """Return the content-security policy that allows one style and one script and nothing else.

    Examples
    --------
    >>> policy("a{}", "1")[:47]
    "default-src 'none'; style-src 'sha256-X1RutGBrX"
    """
    allowed = f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _model_classes() -> str:
    names = [name for name, _, _ in variables() if name.startswith("model-")]
    return "".join(f".{name}{{fill:var(--{name})}}.line-{name}{{stroke:var(--{name})}}" for name in names) + "\n"
