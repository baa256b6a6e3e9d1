"""Numbers and names as a reader meets them: with unit, sign, and no more digits than the interval supports."""

from __future__ import annotations

import math
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ensemblekit_reports.quantities import Quantity
    from ensemblekit_reports.results import TableFacts
    from ensemblekit_reports.statistics.summaries import Summary

MINUS = "\N{MINUS SIGN}"
TIMES = "\N{MULTIPLICATION SIGN}"
NONE = "\N{EN DASH}"
_TIME_STEPS = ((60.0, "min", 60.0), (1.0, "s", 1.0), (1e-3, "ms", 1e-3), (1e-6, "µs", 1e-6), (0.0, "ns", 1e-9))
_RATE_STEPS = ((1e6, "M", 1e6), (1e3, "k", 1e3), (0.0, "", 1.0))
_ENERGY_STEPS = ((1e6, "MJ", 1e6), (1e3, "kJ", 1e3), (1.0, "J", 1.0), (1e-3, "mJ", 1e-3), (0.0, "µJ", 1e-6))
_MASS_STEPS = ((1e3, "kg", 1e3), (1.0, "g", 1.0), (1e-3, "mg", 1e-3), (0.0, "µg", 1e-6))
_MONEY_STEPS = ((0.0, "", 1.0),)
_BYTE_STEPS = ((1e9, "GB", 1e9), (1e6, "MB", 1e6), (1e3, "kB", 1e3), (0.0, "B", 1.0))
#: Cost ratios closer to one than this are called the same: timings repeat no better.
SAME_COST = 1.2
#: From here on a price is a reason by itself. Below it, the pace of a processor may be the whole difference: one was seen to change its
#: own by 1.7 from second to second, of which a median over calls, or a mean over tables, leaves less.
CHEAP = 1.5
_PROPER_NAMES = ("Brier",)


def is_share(quantity: Quantity) -> bool:
    """Tell whether a score is a share between 0 and 1, shown in per cent and compared in points.

    Examples
    --------
    >>> from ensemblekit_reports.quantities import QUANTITIES
    >>> is_share(QUANTITIES["accuracy"]), is_share(QUANTITIES["log_loss"])
    (True, False)
    """
    return quantity.share


def bounds(quantity: Quantity) -> tuple[float, float]:
    """Return the smallest and the largest value a score can take.

    Examples
    --------
    >>> from ensemblekit_reports.quantities import QUANTITIES
    >>> bounds(QUANTITIES["accuracy"]), bounds(QUANTITIES["log_loss"]), bounds(QUANTITIES["r2"])
    ((0.0, 1.0), (0.0, inf), (-inf, 1.0))
    """
    return quantity.lowest, quantity.highest


def metric(quantity: Quantity) -> str:
    """Return a metric's label as it stands inside a sentence: small letters, but for proper names and abbreviations.

    Examples
    --------
    >>> from ensemblekit_reports.quantities import QUANTITIES
    >>> metric(QUANTITIES["f1_macro"]), metric(QUANTITIES["rmse"]), metric(QUANTITIES["brier"])
    ('macro F1', 'RMSE', 'Brier score')
    """
    return " ".join(word if word.isupper() or word in _PROPER_NAMES else word.lower() for word in quantity.label.split())


def scale(quantity: Quantity) -> float:
    """Return what a score is multiplied by before it is shown: 100 for shares.

    Examples
    --------
    >>> from ensemblekit_reports.quantities import QUANTITIES
    >>> scale(QUANTITIES["f1_macro"])
    100.0
    """
    return 100.0 if is_share(quantity) else 1.0


def unit(quantity: Quantity, amount: str = "") -> str:
    """Return the unit of a difference of scores; empty where it has none.

    Parameters
    ----------
    quantity : Quantity
        The score.
    amount : str, default=""
        The number as it will be written; decides between singular and plural.

    Examples
    --------
    >>> from ensemblekit_reports.quantities import QUANTITIES
    >>> unit(QUANTITIES["accuracy"], "1"), unit(QUANTITIES["accuracy"], "0.2"), unit(QUANTITIES["log_loss"])
    ('point', 'points', 'nats')
    """
    plural = "points" if is_share(quantity) else quantity.difference
    return plural[:-1] if amount.lstrip(MINUS) == "1" else plural


def amount(text: str, quantity: Quantity) -> str:
    """Write a difference of scores, a number already, with its unit if it has one.

    Examples
    --------
    >>> from ensemblekit_reports.quantities import QUANTITIES
    >>> amount("1", QUANTITIES["accuracy"]), amount("0.03", QUANTITIES["r2"])
    ('1 point', '0.03')
    """
    return f"{text} {unit(quantity, text)}".rstrip()


def decimals(half_width: float) -> int:
    """Return how many decimals a number deserves whose interval reaches so far to each side.

    Two significant digits of the half-width while it begins with 1 or 2, else one: the customary rule.

    Examples
    --------
    >>> [decimals(width) for width in (14.0, 3.2, 1.4, 0.63, 0.02)]
    [0, 0, 1, 1, 3]
    """
    if not half_width > 0 or math.isinf(half_width):
        return 1
    exponent = math.floor(math.log10(half_width))
    return max(0, -exponent + (half_width / 10.0**exponent < 3))


def number(value: float, places: int) -> str:
    """Write a number with a true minus sign, thousands separated; a dash for NaN.

    Examples
    --------
    >>> number(-0.26, 1), number(12345.6, 0), number(float("nan"), 1), number(-0.01, 1)
    ('−0.3', '12,346', '–', '0.0')
    """
    if math.isnan(value):
        return NONE
    text = f"{value:,.{places}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def places_of(low: float, high: float, quantity: Quantity) -> int:
    """Return the decimals that an interval of a score supports, in the unit that is shown.

    Examples
    --------
    >>> from ensemblekit_reports.quantities import QUANTITIES
    >>> places_of(0.941, 0.965, QUANTITIES["accuracy"])
    1
    """
    if math.isnan(low):
        return 1 if is_share(quantity) else 3
    return decimals((high - low) / 2 * scale(quantity)) if high > low else (1 if is_share(quantity) else 3)


def interval(low: float, high: float, quantity: Quantity, places: int) -> str:
    """Write an interval of a difference with its unit.

    Examples
    --------
    >>> from ensemblekit_reports.quantities import QUANTITIES
    >>> interval(-0.0123, 0.004, QUANTITIES["accuracy"], 1)
    '−1.2 to 0.4 points'
    """
    factor = scale(quantity)
    return f"{number(low * factor, places)} to {number(high * factor, places)} {unit(quantity)}".rstrip()


def rope(half_width: float, quantity: Quantity) -> str:
    """Write the half-width of the region of practical equivalence.

    Examples
    --------
    >>> from ensemblekit_reports.quantities import QUANTITIES
    >>> rope(0.01, QUANTITIES["accuracy"]), rope(0.005, QUANTITIES["log_loss"])
    ('1 point', '0.005 nats')
    """
    return amount(f"{half_width * scale(quantity):.6g}", quantity)


def score(summary: Summary, quantity: Quantity) -> str:
    """Write a score in the unit it is shown in, to the digits its interval supports.

    Examples
    --------
    >>> from ensemblekit_reports.quantities import QUANTITIES
    >>> from ensemblekit_reports.statistics.summaries import Summary
    >>> score(Summary(0.95342, 0.941, 0.965), QUANTITIES["accuracy"])
    '95.3'
    """
    return number(summary.value * scale(quantity), places_of(summary.low, summary.high, quantity))


def score_interval(summary: Summary, quantity: Quantity) -> str:
    """Write the interval of a score; empty when there is none.

    Examples
    --------
    >>> from ensemblekit_reports.quantities import QUANTITIES
    >>> from ensemblekit_reports.statistics.summaries import Summary
    >>> score_interval(Summary(0.95342, 0.941, 0.965), QUANTITIES["accuracy"])
    '94.1 to 96.5'
    """
    if math.isnan(summary.low):
        return ""
    places, factor = places_of(summary.low, summary.high, quantity), scale(quantity)
    return f"{number(summary.low * factor, places)} to {number(summary.high * factor, places)}"


def cost_steps(quantity: Quantity) -> tuple[tuple[float, str, float], ...]:
    """Return the units in which a cost is written: from which value on, its name, its size; largest first.

    Examples
    --------
    >>> from ensemblekit_reports.quantities import QUANTITIES
    >>> cost_steps(QUANTITIES["size_bytes"])[0]
    (1000000000.0, 'GB', 1000000000.0)
    """
    return {"s": _TIME_STEPS, "B": _BYTE_STEPS, "J": _ENERGY_STEPS, "g": _MASS_STEPS, "money": _MONEY_STEPS}.get(quantity.unit, _RATE_STEPS)


def cost(value: float, quantity: Quantity) -> str:
    """Write a cost with two significant digits and a unit near it.

    Examples
    --------
    >>> from ensemblekit_reports.quantities import QUANTITIES
    >>> cost(0.000346, QUANTITIES["predict_single_p50_s"]), cost(1234567, QUANTITIES["size_bytes"])
    ('350 µs', '1.2 MB')
    >>> cost(15234.0, QUANTITIES["predict_rows_per_s_100"])
    '15 k'
    """
    if math.isnan(value):
        return NONE
    steps = cost_steps(quantity)
    # The rounded value chooses the unit, so that 999.7 kB is not written as 1,000 kB.
    rounded = float(f"{value:.2g}")
    name, size = next((name, size) for least, name, size in steps if rounded >= least)
    return f"{two_digits(value / size)} {name}".rstrip()


def cost_range(summary: Summary, quantity: Quantity) -> str:
    """Write the range of a cost over the measured folds; empty when there is none.

    Examples
    --------
    >>> from ensemblekit_reports.quantities import QUANTITIES
    >>> from ensemblekit_reports.statistics.summaries import Summary
    >>> cost_range(Summary(0.5, 0.41, 0.62, n=3), QUANTITIES["fit_wall_s"])
    '410 to 620 ms'
    """
    if math.isnan(summary.low) or summary.low == summary.high:
        return ""
    low, high = cost(summary.low, quantity), cost(summary.high, quantity)
    shared = high.partition(" ")[2]
    return f"{low.removesuffix(f' {shared}') if shared else low} to {high}"


def two_digits(value: float) -> str:
    """Write a positive number with two significant digits, never in powers of ten.

    Examples
    --------
    >>> [two_digits(value) for value in (0.0, 0.0123, 1.26, 11.4, 1234.0)]
    ['0', '0.012', '1.3', '11', '1,200']
    """
    if value <= 0 or not math.isfinite(value):
        return "0" if value == 0 else number(value, 0)
    places = 1 - math.floor(math.log10(abs(float(f"{value:.2g}"))))
    return number(round(value, places), max(0, places))


def cheaper(ratio: float) -> str:
    """Say in words what a cost ratio means for the first of two models.

    Parameters
    ----------
    ratio : float
        Cost of the second model over cost of the first; NaN when either was not measured.

    Examples
    --------
    >>> cheaper(11.3), cheaper(0.5), cheaper(1.05), cheaper(float("nan"))
    ('11× cheaper per row', '2.0× dearer per row', 'about as cheap per row', 'cost not measured')
    """
    if math.isnan(ratio):
        return "cost not measured"
    if 1 / SAME_COST < ratio < SAME_COST:
        return "about as cheap per row"
    return f"{two_digits(ratio)}{TIMES} cheaper per row" if ratio > 1 else f"{two_digits(1 / ratio)}{TIMES} dearer per row"


def probability(value: float) -> str:
    """Write a probability with two decimals, without ever claiming 0 or 1.

    Examples
    --------
    >>> probability(0.834), probability(0.9991), probability(0.0)
    ('= 0.83', '> 0.99', '< 0.01')
    """
    if math.isnan(value):
        return f"= {NONE}"
    if value > 0.99:
        return "> 0.99"
    return "< 0.01" if value < 0.01 else f"= {value:.2f}"


def p_value(value: float) -> str:
    """Write a p value with its sign of equality.

    Examples
    --------
    >>> p_value(0.0312), p_value(0.00001), p_value(0.42), p_value(float("nan"))
    ('= 0.031', '< 0.001', '= 0.42', '= –')
    """
    if math.isnan(value):
        return f"= {NONE}"
    if value < 0.001:
        return "< 0.001"
    # Three decimals around the usual level: 0.047 and 0.05 are on different sides of it.
    return f"= {value:.3f}" if value < 0.1 else f"= {value:.2f}"


def name(label: str, longest: int = 60) -> str:
    r"""Make a foreign name fit for a sentence: one line, no control signs, not endless, its direction kept inside.

    Parameters
    ----------
    label : str
        Name of a model, table, column or class, from anywhere.
    longest : int, default=60
        Characters after which it is cut.

    Examples
    --------
    >>> name("two\nlines"), name("x" * 300, longest=5), name("")
    ('two lines', 'xxxx…', '(no name)')
    """
    kept = "".join(" " if sign.isspace() else sign for sign in label if _is_shown(sign))
    text = " ".join(kept.split()) or "(no name)"
    short = text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
    if any(unicodedata.bidirectional(sign) in {"R", "AL", "AN"} for sign in short):
        return f"\N{FIRST STRONG ISOLATE}{short}\N{POP DIRECTIONAL ISOLATE}"
    return short


def _is_shown(sign: str) -> bool:
    # Category C holds control and format signs (overrides of the reading direction among them), surrogates and
    # unassigned code points; the joiner inside emoji is one of them and is meant.
    return sign.isspace() or sign == "\N{ZERO WIDTH JOINER}" or unicodedata.category(sign)[0] != "C"


def listing(names: list[str] | tuple[str, ...], most: int = 4) -> str:
    """Join names into a readable enumeration.

    Examples
    --------
    >>> listing(["a"]), listing(["a", "b", "c"]), listing(list("abcdef"))
    ('a', 'a, b and c', 'a, b, c, d and 2 more')
    """
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def count(n: int, noun: str) -> str:
    """Write a count with its noun.

    Examples
    --------
    >>> count(1, "table"), count(1200, "row")
    ('1 table', '1,200 rows')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def answers(facts: TableFacts) -> str:
    """Say what is to be predicted on a table: how many classes, or which range of amounts.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> answers(example_results().tables[0]), answers(example_results(task="regression").tables[0])
    ('2 classes', 'amounts from 0 to 10, median 4.2')
    """
    if facts.task == "classification":
        return f"{len(facts.class_counts)} classes"
    low, middle, high = (f"{facts.answers[name]:.4g}".replace("-", MINUS) for name in ("min", "median", "max"))
    return f"amounts from {low} to {high}, median {middle}"
