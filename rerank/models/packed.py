"""Packed batches: the pairs' tokens one after another, without padding, and how attention finds its way."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from rerank.models.pairs import Pair, Places, inverse, pairs_of, sent
from rerank.models.token_store import PairTemplate

# Neighbours of nearly the same length share one attention product; its padding stays below this share.
MAX_PADDING = 0.125


@dataclass(frozen=True)
class Group:
    """Neighbouring pairs whose attention is computed together: the first one's place and their lengths.

    rows: which packed token stands at each padded place, (n · longest,); places: at which padded place, counted
    from the group's start, each of its tokens stands, (tokens,); ends: the lengths, (n, 1). All None where the
    lengths are equal: nothing is padded.
    """

    first: int
    lengths: tuple[int, ...]
    rows: torch.Tensor | None = None
    places: torch.Tensor | None = None
    ends: torch.Tensor | None = None

    @property
    def longest(self) -> int:
        """Return the length to which the group's attention is padded."""
        return self.lengths[0]


@dataclass(frozen=True)
class Layout:
    """Where each packed pair begins and ends; pairs are sorted by falling length."""

    lengths: tuple[int, ...]
    starts: tuple[int, ...]
    first_tokens: torch.Tensor  # (n_pairs,), the positions of the pairs' first tokens
    cumulative: torch.Tensor  # (n_pairs + 1,), int32, as variable-length kernels want it

    @cached_property
    def one_each(self) -> torch.Tensor:
        """Return (n_pairs + 1,), int32, the beginnings of one query each."""
        return torch.arange(len(self.lengths) + 1, dtype=torch.int32, device=self.cumulative.device)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Return the groups of attention by plain products; made when first asked for, kernels need none."""
        device = self.first_tokens.device
        return tuple(_with_places(group, self.starts[group.first], device) for group in grouped(self.lengths))


@dataclass(frozen=True)
class AttentionSpec:
    """How the tokens of packed pairs attend to each other.

    scale: of the products of queries and keys. dropout: the share of attention that is dropped. window: the farthest
    distance in tokens that a query reaches, both ways; None: every token of its pair.
    """

    layout: Layout
    scale: float
    dropout: float = 0.0
    window: int | None = None


@dataclass(frozen=True)
class Packed:
    """Model inputs of n_tokens tokens, and where the given pairs stand in them.

    places[i]: the packed place of the i-th given pair. Other places hold pairs that fill the batch up.
    """

    input_ids: torch.Tensor
    positions: torch.Tensor
    types: torch.Tensor
    layout: Layout
    places: Places


def grouped(lengths: Sequence[int]) -> tuple[Group, ...]:
    """Return neighbours in groups that waste at most an eighth on padding; lengths fall."""
    groups: list[Group] = []
    begin, total = 0, 0
    for place, length in enumerate(lengths):
        longest = lengths[begin]
        if place > begin and (longest * (place - begin + 1) - total - length) > MAX_PADDING * (total + length):
            groups.append(Group(begin, tuple(lengths[begin:place])))
            begin, total = place, 0
        total += length
    if begin < len(lengths):
        groups.append(Group(begin, tuple(lengths[begin:])))
    return tuple(groups)


def _with_places(group: Group, start: int, device: torch.device) -> Group:
    """Return a group, whose first token is the packed `start`, with its padded places."""
    if group.lengths[-1] == group.longest:
        return group
    ends = np.asarray(group.lengths, dtype=np.int64)[:, None]
    inside = np.arange(group.longest) < ends
    rows = np.repeat(start + np.cumsum(ends) - ends[:, 0], group.longest).reshape(inside.shape)
    rows += np.where(inside, np.arange(group.longest), 0)
    found = (rows.reshape(-1), np.flatnonzero(inside), ends)
    rows_at, places, ends_at = (sent(values, device) for values in found)
    return Group(group.first, group.lengths, rows_at, places, ends_at)


def layout_of(lengths: Sequence[int], device: torch.device) -> Layout:
    """Return the layout of pairs with these falling lengths."""
    ends = np.cumsum(lengths, dtype=np.int64)
    starts = ends - np.asarray(lengths)
    cumulative = np.concatenate([[0], ends]).astype(np.int32)
    return Layout(
        lengths=tuple(int(length) for length in lengths),
        starts=tuple(starts.tolist()),
        first_tokens=sent(starts, device),
        cumulative=sent(cumulative, device),
    )


def token_means(states: torch.Tensor, layout: Layout) -> torch.Tensor:
    """Return the mean over each packed pair's tokens: (n_tokens, width) in, (n_pairs, width) out."""
    lengths = torch.tensor(layout.lengths, device=states.device)
    owner = torch.repeat_interleave(torch.arange(len(lengths), device=states.device), lengths)
    sums = states.new_zeros(len(lengths), states.shape[-1]).index_add(0, owner, states)
    return sums / lengths.unsqueeze(1)


def pack(pairs: Sequence[Pair], template: PairTemplate, first_position: int, device: torch.device) -> Packed:
    """Return pairs as one packed batch, longest first; their ids are gathered on the device.

    first_position: the position id of a first token (0 for BERT, padding id + 1 for RoBERTa).
    """
    given = pairs_of(pairs)
    if device.type == "cuda":
        given = given.filled_up()
    all_lengths = given.sizes.sum(axis=1)
    order = np.argsort(-all_lengths, kind="stable")
    sizes, starts, lengths = given.sizes[order], given.starts[order], all_lengths[order]
    n_parts = sizes.shape[1]
    begins = np.cumsum(lengths) - lengths  # of every pair in the batch
    part_begins = (np.cumsum(sizes.reshape(-1)) - sizes.reshape(-1)).reshape(sizes.shape)
    types = np.zeros_like(sizes)
    if template.uses_types:
        types[:, given.second :] = template.second_type
    # One copy to the device: every part's size, and what leads from a place in the batch to its id and position.
    table = np.stack(
        (sizes, starts - part_begins, np.repeat(first_position - begins, n_parts).reshape(sizes.shape), types)
    )
    n_tokens = int(lengths.sum())
    counted, to_ids, to_positions, type_of = sent(table.reshape(4, -1), device).unbind(0)
    part = torch.repeat_interleave(counted, output_size=n_tokens)
    places = torch.arange(n_tokens, device=device)
    input_ids = given.ids.on(device)[places + to_ids[part]].long()
    layout = layout_of(lengths.tolist(), device)
    return Packed(input_ids, places + to_positions[part], type_of[part], layout, inverse(order)[: len(pairs)])
