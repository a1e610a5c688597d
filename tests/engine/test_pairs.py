"""Pairs put together where they are computed are the pairs that the tokenizer's rule makes."""

from pathlib import Path

import numpy as np
import pytest
import torch

from rerank.models.packed import pack
from rerank.models.pairs import Pair, Pairs, pairs_of
from rerank.models.token_store import PairTemplate, TokenStore, load_tokenizer
from tests.engine.test_packed import PACKED, made
from tests.models import make_tiny_model

CPU = torch.device("cpu")
TYPED = PairTemplate((2,), (3,), (3,), 1, pad_id=0, uses_types=True)


def some(lengths: list[int]) -> list[Pair]:
    rng = np.random.default_rng(sum(lengths))
    return [(rng.integers(4, 60, length).astype(np.int32), max(1, length // 3)) for length in lengths]


def test_a_packed_batch_holds_the_pairs_longest_first() -> None:
    """By hand: lengths 3, 5, 3; the document part begins at 1, 2 and 1."""
    given: list[Pair] = [
        (np.array([10, 11, 12], dtype=np.int32), 1),
        (np.array([20, 21, 22, 23, 24], dtype=np.int32), 2),
        (np.array([30, 31, 32], dtype=np.int32), 1),
    ]
    batch = pack(given, TYPED, 7, CPU)
    assert batch.input_ids.tolist() == [20, 21, 22, 23, 24, 10, 11, 12, 30, 31, 32]
    assert batch.positions.tolist() == [7, 8, 9, 10, 11, 7, 8, 9, 7, 8, 9]
    assert batch.types.tolist() == [0, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1]
    assert batch.layout.lengths == (5, 3, 3)
    assert batch.places.tolist() == [1, 0, 2]


def test_some_of_the_pairs_are_the_same_pairs() -> None:
    plain = some([4, 9, 2, 7])
    pairs = pairs_of(plain)
    assert pairs.lengths == [4, 9, 2, 7]
    for found, places in ((pairs.take([3, 0]), [3, 0]), (pairs[1:3], [1, 2]), (pairs, range(4))):
        for (ids, second), place in zip(found, places, strict=True):
            assert ids.tolist() == plain[place][0].tolist()
            assert second == plain[place][1]


@pytest.mark.parametrize("lengths", [[1], [512], [3, 3], [200] + [1] * 300, [77] * 256, list(range(2, 190))])
def test_filling_up_keeps_the_pairs_and_adds_little(lengths: list[int]) -> None:
    pairs = pairs_of(some(lengths))
    filled = pairs.filled_up()
    assert [ids.tolist() for ids, _ in filled[: len(pairs)]] == [ids.tolist() for ids, _ in pairs]
    extra = filled[len(pairs) :]
    longest = max(pairs, key=lambda pair: len(pair[0]))[0].tolist()
    assert all(len(ids) > 0 and ids.tolist() == longest[: len(ids)] for ids, _ in extra)
    assert sum(filled.lengths) <= sum(lengths) * 1.125 + 1  # one step where it fits, two where it does not
    assert len(filled) <= len(lengths) * 1.125 + 2


def test_filled_up_batches_have_few_sizes() -> None:
    """Sixteen numbers of tokens in an octave: what is planned for one batch serves others."""
    rng = np.random.default_rng(0)
    sizes = {sum(pairs_of(some(rng.integers(20, 200, 64).tolist())).filled_up().lengths) for _ in range(200)}
    assert len(sizes) <= 16


@pytest.mark.parametrize("name", ["bert", "modernbert"])
def test_what_fills_up_changes_no_logit_and_no_gradient(name: str) -> None:
    plain = some([40, 7, 22, 23, 40, 3, 12])
    filled: Pairs = pairs_of(plain).filled_up()
    assert len(filled) > len(plain)
    runs = []
    for pairs in (plain, filled):
        encoder = made(PACKED[name])
        logits = encoder.logits(pairs)[: len(plain)]
        (logits * torch.linspace(-1, 1, len(plain))).sum().backward()
        runs.append((logits.detach(), {key: value.grad for key, value in encoder.module.named_parameters()}))
    assert torch.allclose(runs[0][0], runs[1][0], atol=1e-6)
    for key, value in runs[0][1].items():
        other = runs[1][1][key]
        assert (value is None) == (other is None)
        if value is not None and other is not None:
            assert torch.allclose(value, other, atol=1e-5, rtol=1e-4), key


def test_pairs_without_any_token_are_not_filled_up() -> None:
    empty = pairs_of([(np.empty(0, dtype=np.int32), 0)] * 33)
    assert len(empty.filled_up()) == 33


def test_of_a_long_document_only_what_is_read_is_held(tmp_path: Path) -> None:
    """Ten tokens are read of each of a thousand; a passage begins where it begins."""
    tokens = TokenStore(load_tokenizer(make_tiny_model(tmp_path / "model")))
    words = ["apple", "bridge", "seven", "river"]
    tokens.add("query", ["q"], ["pie"], kept=False)
    tokens.add("document", ["long", "short"], [" ".join(words * 250), "bridge"], kept=False)
    whole = tokens.n_tokens("long")
    assert whole > 1000
    pairs = tokens.pairs([("q", "long"), ("q", "short"), ("q", "long")], 20)
    assert len(pairs.ids.values) < 60
    assert pairs.lengths[0] == 20
    later = tokens.pairs([("q", "long"), ("q", "short")], 20, [500, 0])
    beginning, _ = tokens.pair("q", "long", whole + 20)
    n_first = len(tokens.pair("q", "short", 20)[0]) - tokens.n_tokens("short") - 1  # all but the document and [SEP]
    room = 20 - n_first - 1
    assert later[0][0][n_first:-1].tolist() == beginning[n_first + 500 : n_first + 500 + room].tolist()
