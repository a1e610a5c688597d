"""Which options nobody needs: another one is at least as good and costs no more."""

from collections.abc import Mapping


def dominated_by(options: Mapping[str, tuple[float, float]]) -> dict[str, str | None]:
    """Return for each option (its cost, its KPI) the one that dominates it, None when none does.

    One dominates another when it costs no more and has no lower KPI, and is better in one of them. Of several,
    the cheapest is named, the first of equal ones. Point values decide, intervals do not.
    """
    found: dict[str, str | None] = {}
    for name, (cost, kpi) in options.items():
        better = [
            (other_cost, other)
            for other, (other_cost, other_kpi) in options.items()
            if other_cost <= cost and other_kpi >= kpi and (other_cost < cost or other_kpi > kpi)
        ]
        found[name] = min(better, key=lambda item: item[0])[1] if better else None
    return found
