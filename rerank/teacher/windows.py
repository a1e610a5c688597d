"""Which documents a listwise teacher sees together, and what complete ordering its answers make."""

from collections.abc import Callable, Iterator, Sequence

WINDOW, STEP = 20, 10  # Sun et al. 2023
PIVOT = 10  # the place within the first window that others must beat, half of it (Parry et al. 2024)

# Orders windows of documents, given by their places in the list: several at a time where they do not wait for each
# other. An answer may be None: no usable ordering.
Ask = Callable[[Sequence[Sequence[int]]], Sequence[Sequence[int] | None]]


class Unordered(Exception):  # noqa: N818 - an outcome that is counted, not a defect
    """A window got no usable ordering, so the whole list has none."""


def _one(ask: Ask, window: Sequence[int]) -> list[int]:
    return _all(ask, [window])[0]


def _all(ask: Ask, windows: Sequence[Sequence[int]]) -> list[list[int]]:
    """Ask about windows; one that holds a single document needs no answer."""
    asked = [window for window in windows if len(window) > 1]
    answers = iter(ask(asked) if asked else [])
    found: list[list[int]] = []
    for window in windows:
        answer = next(answers) if len(window) > 1 else window
        if answer is None:
            raise Unordered
        found.append(list(answer))
    return found


def single(n: int, ask: Ask) -> list[int]:
    """Order n documents in one window, whatever its size. Raises `Unordered`, as the others do."""
    return _one(ask, range(n))


def sliding(n: int, ask: Ask) -> list[int]:
    """Order n documents in windows of 20 from the last to the first, each 10 before the one before.

    Every document can rise to the top; below the first 10 the order is only partly sorted (Sun et al. 2023).
    """
    order = list(range(n))
    for start, end in window_bounds(n):
        order[start:end] = _one(ask, order[start:end])
    return order


def window_bounds(n: int) -> Iterator[tuple[int, int]]:
    """Yield where windows begin and end, back to front: 1 for up to 20 documents, 4 for 50, 9 for 100."""
    end = n
    while True:
        start = max(0, end - WINDOW)
        yield start, end
        if start == 0:
            return
        end -= STEP


def partitioned(n: int, ask: Ask) -> list[int]:
    """Order n documents top down: the tenth of the first window is the pivot that all others are compared with at once.

    Parry et al. 2024. Those that beat the pivot are ordered with the first window's best; the others follow by their
    place in their own window.
    """
    return _top_down(list(range(n)), ask)


def _top_down(documents: list[int], ask: Ask) -> list[int]:
    first = _one(ask, documents[:WINDOW])
    rest = documents[WINDOW:]
    if not rest:
        return first
    pivot, above = first[PIVOT - 1], first[: PIVOT - 1]
    below = [(place, document) for place, document in enumerate(first[PIVOT:])]
    size = WINDOW - 1
    groups = [[pivot, *rest[start : start + size]] for start in range(0, len(rest), size)]
    risen: list[int] = []
    for order in _all(ask, groups):
        cut = order.index(pivot)
        risen += order[:cut]
        below += [(place, document) for place, document in enumerate(order[cut + 1 :])]
    below.sort(key=lambda item: item[0])  # stable: the first windows' documents first
    if risen:
        above = _top_down([*above, *risen], ask)
    return [*above, pivot, *(document for _, document in below)]


MODES: dict[str, Callable[[int, Ask], list[int]]] = {
    "windows": sliding,
    "partitions": partitioned,
    "single": single,
}


def expected_windows(mode: str, n: int) -> list[range]:
    """Return windows of as many places as a list of n documents will need; for `partitions` when half a window rises.

    Which documents they hold is known when their turn comes.
    """
    if n < 2:
        return []
    if mode == "single" or n <= WINDOW:
        return [range(n)]
    if mode == "windows":
        return [range(start, end) for start, end in window_bounds(n)]
    groups = [range(start - 1, min(n, start + WINDOW - 1)) for start in range(WINDOW, n, WINDOW - 1)]
    return [range(WINDOW), *groups, range(min(n, 2 * PIVOT - 1))]
