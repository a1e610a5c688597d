"""Queries that are nearly the same, found exactly and grouped so that each group stays together."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

THRESHOLD = 0.8
SHINGLE = 3
MAX_CHARS = 300
STRICTER = (0.85, 0.9, 0.95)  # at which a group that grew too large is divided; then only equal texts stay together
MAX_GROUP_SHARE, MIN_MAX_GROUP = 0.1, 5  # of the texts: half of one of five folds; and no limit below five

_Key = tuple[str, str]


def plain_text(text: str) -> str:
    """Return a text as it is compared with others: NFKC, without case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _shingles(text: str) -> frozenset[str]:
    """Return runs of three characters without blanks and case; Japanese has no words to count."""
    plain = plain_text(text).replace(" ", "")[:MAX_CHARS]
    return frozenset(plain[start : start + SHINGLE] for start in range(max(1, len(plain) - SHINGLE + 1)))


def numbers_in(text: str) -> str:
    """Return a text's numbers: texts that differ in one ask about other models, years or sizes."""
    return " ".join(re.findall(r"\d+", unicodedata.normalize("NFKC", text)))


class NearIndex:
    """Finds the texts whose shingles have a Jaccard similarity of at least a threshold; exact.

    Two such sets share one of their rarest shingles: of each only that prefix is looked up (Chaudhuri et al. 2006).
    Texts with other numbers in them are never alike.
    """

    def __init__(self, texts: Sequence[str], threshold: float = THRESHOLD) -> None:
        self._threshold = threshold
        self._sets = [_shingles(text) for text in texts]
        self._numbers = [numbers_in(text) for text in texts]
        self._counts = Counter(shingle for shingles in self._sets for shingle in shingles)
        self._places: dict[_Key, list[int]] = {}
        for place, (shingles, numbers) in enumerate(zip(self._sets, self._numbers, strict=True)):
            for shingle in self._prefix(shingles):
                self._places.setdefault((shingle, numbers), []).append(place)

    def _prefix(self, shingles: frozenset[str]) -> list[str]:
        n = len(shingles) - math.ceil(self._threshold * len(shingles) - 1e-9) + 1
        return sorted(shingles, key=lambda shingle: (self._counts[shingle], shingle))[:n]

    def _met(self, shingles: frozenset[str], numbers: str) -> Iterator[int]:
        seen: set[int] = set()
        for shingle in self._prefix(shingles):
            for place in self._places.get((shingle, numbers), ()):
                if place not in seen:
                    seen.add(place)
                    yield place

    def _is_like(self, shingles: frozenset[str], place: int) -> bool:
        shared = len(shingles & self._sets[place])
        return shared >= self._threshold * (len(shingles) + len(self._sets[place]) - shared) - 1e-9

    def holds_like(self, text: str) -> bool:
        """Tell whether a text is nearly the same as one of the index's."""
        shingles = _shingles(text)
        return any(self._is_like(shingles, place) for place in self._met(shingles, numbers_in(text)))

    def like(self, text: str) -> list[int]:
        """Return the places of the texts that a text is nearly the same as."""
        shingles = _shingles(text)
        return [place for place in self._met(shingles, numbers_in(text)) if self._is_like(shingles, place)]

    def pairs(self) -> list[tuple[int, int]]:
        """Return (earlier, later) places, each text with the first one that it is like."""
        found = []
        for place, (shingles, numbers) in enumerate(zip(self._sets, self._numbers, strict=True)):
            earlier = sorted(other for other in self._met(shingles, numbers) if other < place)
            first = next((other for other in earlier if self._is_like(shingles, other)), None)
            if first is not None:
                found.append((first, place))
        return found

    def components(self) -> list[list[int]]:
        """Return the places in groups: whoever is like a member belongs to the group. First members ascend."""
        parents = list(range(len(self._sets)))

        def head(place: int) -> int:
            while parents[place] != place:
                parents[place] = parents[parents[place]]
                place = parents[place]
            return place

        for place, (shingles, numbers) in enumerate(zip(self._sets, self._numbers, strict=True)):
            for other in self._met(shingles, numbers):
                if other < place:
                    one, two = head(other), head(place)
                    if one != two and self._is_like(shingles, other):
                        parents[max(one, two)] = min(one, two)
        groups: dict[int, list[int]] = {}
        for place in range(len(parents)):
            groups.setdefault(head(place), []).append(place)
        return [groups[place] for place in sorted(groups)]


@dataclass(frozen=True)
class Groups:
    """Places of texts in groups that stay together, and how many texts were in chains too long to stay whole."""

    places: tuple[tuple[int, ...], ...]
    n_divided: int

    @property
    def largest(self) -> int:
        """Return the size of the largest group, 0 without any."""
        return max((len(group) for group in self.places), default=0)


def groups_of(texts: Sequence[str]) -> Groups:
    """Return texts grouped by near-sameness; the same texts in the same order give the same groups.

    A is like B and B like C: all three are one group, or one of them would teach what another tests. Such a chain
    can swallow a whole log, so a group of more than a tenth of the texts (and more than 5) is divided at a higher
    similarity, step by step; at the last step only texts equal but for case, width and blanks stay together.
    """
    return _groups_of(tuple(texts))


@lru_cache(maxsize=16)
def _groups_of(texts: tuple[str, ...]) -> Groups:
    first: dict[str, int] = {}
    same: dict[int, list[int]] = {}
    for place, text in enumerate(texts):
        same.setdefault(first.setdefault(plain_text(text), place), []).append(place)
    limit = max(MIN_MAX_GROUP, int(MAX_GROUP_SHARE * len(texts)))
    n_divided = 0

    def whole(heads: Sequence[int]) -> tuple[int, ...]:
        return tuple(sorted(place for head in heads for place in same[head]))

    def divided(heads: list[int], thresholds: Sequence[float]) -> list[tuple[int, ...]]:
        if not thresholds:
            return [(*same[head],) for head in heads]
        index = NearIndex([texts[head] for head in heads], thresholds[0])
        found = []
        for component in index.components():
            members = [heads[place] for place in component]
            if len(members) > 1 and len(whole(members)) > limit:
                if thresholds[0] == THRESHOLD:
                    nonlocal n_divided
                    n_divided += len(whole(members))
                found += divided(members, thresholds[1:])
            else:
                found.append(whole(members))
        return found

    found = divided(list(same), (THRESHOLD, *STRICTER))
    return Groups(tuple(sorted(found)), n_divided)
