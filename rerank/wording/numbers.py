"""Numbers as people read them; the same in every page, report and terminal."""

from rerank.wording.language import Say

NOTHING = "–"


def score(value: float | None) -> str:
    """Return a measure's value with three decimals."""
    return NOTHING if value is None else f"{value:.3f}"


def count(value: int) -> str:
    """Return how many, with thousands set apart."""
    return f"{value:,}"


def megabytes(n_bytes: int) -> str:
    """Return a size in units of 1024 KiB, as limits are set."""
    return f"{n_bytes / 2**20:,.0f} MiB"


def delta(value: float | None) -> str:
    """Return a difference with its sign and three decimals; a true minus sign."""
    return NOTHING if value is None else f"{value:+.3f}".replace("-", "−")


def interval(low: float | None, high: float | None) -> str:
    """Return an interval of differences."""
    return NOTHING if low is None or high is None else f"[{delta(low)}, {delta(high)}]"


def p_value(value: float | None) -> str:
    """Return a p-value; below .001 only that."""
    if value is None:
        return NOTHING
    return "< .001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def usd(value: float | None) -> str:
    """Return an amount in US dollars with as many digits as it takes to see it."""
    if value is None:
        return NOTHING
    if value == 0:
        return "$0"
    size, sign = abs(value), "" if value > 0 else "−"
    if size < 0.00001:
        return "< $0.00001" if value > 0 else "> −$0.00001"
    digits = 0 if size >= 1000 else 2 if size >= 1 else 3 if size >= 0.01 else 5
    return f"{sign}${size:,.{digits}f}"


def share(value: float | None) -> str:
    """Return a share (0-1) in per cent."""
    return NOTHING if value is None else f"{value:.0%}"


def milliseconds(value: float | None) -> str:
    """Return a latency."""
    if value is None:
        return NOTHING
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"


def duration(seconds: float | None, say: Say) -> str:
    """Return a time span in the unit that fits; minutes below ten with a decimal, which a comparison needs."""
    if seconds is None:
        return NOTHING
    if seconds < 90:
        return say("{n} s", n=round(seconds))
    if seconds < 90 * 60:
        minutes = seconds / 60
        return say("{n} min", n=f"{minutes:.1f}" if minutes < 9.95 else round(minutes))
    return say("{n} h", n=f"{seconds / 3600:.1f}")
