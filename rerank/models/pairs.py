"""Pairs as places in one array of token ids: put together where they are computed, thousands at a time."""

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
import torch
from numpy.typing import NDArray

Pair = tuple[NDArray[np.int32], int]  # ids and where the document part begins
Places = NDArray[np.int64]


def sent(values: NDArray[np.generic], device: torch.device) -> torch.Tensor:
    """Return values on a device, without waiting for what it is computing.

    A copy from ordinary memory to a CUDA device waits for all work before it; one from pinned memory does not,
    and torch keeps that memory until the copy is over.
    """
    held = torch.from_numpy(values)
    return held.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else held.to(device)


def inverse(order: Sequence[int] | Places) -> Places:
    """Return where each original position went: the inverse of an order."""
    places = np.empty(len(order), dtype=np.int64)
    places[np.asarray(order)] = np.arange(len(order))
    return places


class Ids:
    """Token ids one after another, (n,) int32; sent to a device once."""

    def __init__(self, values: NDArray[np.int32]) -> None:
        self.values = values
        self._sent: torch.Tensor | None = None

    def on(self, device: torch.device) -> torch.Tensor:
        """Return the ids on a device."""
        if self._sent is None or self._sent.device.type != device.type:
            self._sent = sent(self.values, device)
        return self._sent


class Pairs(Sequence[Pair]):
    """Pairs whose parts are stretches of shared ids, for example [CLS], query, [SEP], document, [SEP].

    starts, sizes: (n_pairs, n_parts), where a pair's parts begin in `ids` and how long they are; the document part
    begins with part number `second`.
    """

    def __init__(self, ids: Ids, starts: Places, sizes: Places, second: int) -> None:
        self.ids = ids
        self.starts = starts
        self.sizes = sizes
        self.second = second

    @property
    def lengths(self) -> list[int]:
        """Return every pair's number of tokens."""
        found: list[int] = self.sizes.sum(axis=1).tolist()
        return found

    def take(self, places: Sequence[int]) -> "Pairs":
        """Return the pairs at these places, in this order."""
        at = np.asarray(places, dtype=np.int64)
        return Pairs(self.ids, self.starts[at], self.sizes[at], self.second)

    def filled_up(self) -> "Pairs":
        """Return the pairs and beginnings of the longest one behind them, so that few sizes of batches occur.

        A GPU's products are planned anew for every number of rows that they have not had, which takes longer than a
        small product does. A sixteenth is added at most where pairs are of usual lengths, an eighth to a few of them.
        """
        lengths = self.sizes.sum(axis=1)
        n_pairs, n_tokens, longest = len(lengths), int(lengths.sum()), int(lengths.max())
        if not n_tokens:  # nothing to begin another pair with
            return self
        all_pairs, all_tokens = _rounded_up(n_pairs), _rounded_up(n_tokens)
        while not all_pairs - n_pairs <= all_tokens - n_tokens <= (all_pairs - n_pairs) * longest:
            if all_tokens - n_tokens < all_pairs - n_pairs:
                all_tokens = _rounded_up(all_tokens + 1)
            else:
                all_pairs = _rounded_up(all_pairs + 1)
        more = all_pairs - n_pairs
        if not more:
            return self
        each = np.full(more, (all_tokens - n_tokens) // more)
        each[: (all_tokens - n_tokens) % more] += 1
        model = int(lengths.argmax())
        before = np.cumsum(self.sizes[model]) - self.sizes[model]
        sizes = np.clip(each[:, None] - before, 0, self.sizes[model])
        starts = np.broadcast_to(self.starts[model], sizes.shape)
        return Pairs(self.ids, np.concatenate((self.starts, starts)), np.concatenate((self.sizes, sizes)), self.second)

    def __len__(self) -> int:
        return len(self.sizes)

    def __iter__(self) -> Iterator[Pair]:
        return (self[place] for place in range(len(self)))

    @overload
    def __getitem__(self, place: int) -> Pair: ...
    @overload
    def __getitem__(self, place: slice) -> "Pairs": ...
    def __getitem__(self, place: int | slice) -> "Pair | Pairs":
        if isinstance(place, slice):
            return Pairs(self.ids, self.starts[place], self.sizes[place], self.second)
        parts = zip(self.starts[place], self.sizes[place], strict=True)
        found = [self.ids.values[start : start + size] for start, size in parts]
        return np.concatenate(found), int(self.sizes[place, : self.second].sum())


def _rounded_up(number: int) -> int:
    """Return the next number of sixteen in each octave."""
    step = max(1, (1 << number.bit_length()) // 32)
    return -(-number // step) * step


def pairs_of(pairs: Sequence[Pair]) -> Pairs:
    """Return any sequence of pairs as `Pairs`; two parts each, before and from the document on."""
    if isinstance(pairs, Pairs):
        return pairs
    lengths = np.array([len(ids) for ids, _ in pairs], dtype=np.int64)
    seconds = np.array([second for _, second in pairs], dtype=np.int64)
    values = np.concatenate([ids for ids, _ in pairs]).astype(np.int32, copy=False) if len(pairs) else np.empty(0, "i4")
    begins = np.cumsum(lengths) - lengths
    starts = np.stack((begins, begins + seconds), axis=1)
    return Pairs(Ids(values), starts, np.stack((seconds, lengths - seconds), axis=1), 1)
