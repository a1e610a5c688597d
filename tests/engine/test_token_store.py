"""Texts are tokenised once, and what is wrong on disk is never read."""

import multiprocessing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from rerank.models.devices import pick_device
from rerank.models.encoder import Encoder
from rerank.models.sources import embedded_folder
from rerank.models.token_store import TokenStore, load_tokenizer, tokenizer_digest
from rerank.store import token_ids
from rerank.store.token_ids import TokenIds
from tests.models import make_tiny_model

TEXTS = {"d1": "an apple a day", "d2": "x", "d3": "", "d4": "the long way home " * 30, "d5": "日本語"}


class Counting:
    """A tokenizer that counts the texts it was given."""

    def __init__(self, folder: Path) -> None:
        self._inner = load_tokenizer(folder)
        self.n_texts = 0

    def __call__(self, texts: Any, *rest: Any, **named: Any) -> Any:
        if isinstance(texts, list):
            self.n_texts += len(texts)
        return self._inner(texts, *rest, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_tiny_model(tmp_path / "model")


def filled(folder: Path, texts: dict[str, str] = TEXTS) -> tuple[TokenStore, int]:
    """A new store as another process would open it, filled; and how many texts it had to tokenise."""
    tokenizer = Counting(folder)
    store = TokenStore(tokenizer)
    store.add("document", list(texts), list(texts.values()))
    store.add("query", ["q"], ["red apple"], kept=False)
    return store, tokenizer.n_texts - 1


def right(store: TokenStore, folder: Path, texts: dict[str, str] = TEXTS) -> bool:
    """Whether every pair has the ids that the tokenizer itself gives it."""
    tokenizer = load_tokenizer(folder)
    return all(
        store.pair("q", name, 64)[0].tolist()
        == tokenizer("red apple", text, truncation="only_second", max_length=64)["input_ids"]
        for name, text in texts.items()
        if text  # no text is no pair for transformers
    )


def files(home: Path) -> list[Path]:
    return sorted((home / "tokens").glob("*/*.ids"))


def test_a_second_process_tokenises_nothing_and_has_the_same_ids(folder: Path, home: Path) -> None:
    first, n_first = filled(folder)
    second, n_second = filled(folder)
    assert (n_first, n_second) == (5, 0)
    assert right(first, folder)
    assert right(second, folder)
    assert len(files(home)) == 1, "the typed query is not on disk"
    assert second.pair("q", "d3", 64)[0].tolist() == [2, *second.ids_of(["red apple"])[0].tolist(), 3, 3]


@pytest.mark.parametrize("max_length", [32, 33])
def test_a_pair_is_cut_as_every_other_program_cuts_it(folder: Path, max_length: int) -> None:
    """Exported models are served by programs that cut the longer text: what was measured must have been cut so too."""
    texts = {str(n): " ".join(["ab12xyz"[: n % 7 + 1]] * n) for n in (1, 7, 13, 14, 15, 16, 17, 29, 60)}
    store, tokenizer = TokenStore(load_tokenizer(folder)), load_tokenizer(folder)
    for role in ("query", "document"):
        store.add(role, list(texts), list(texts.values()))
    for query in texts:
        for document in texts:
            ids, second = store.pair(query, document, max_length)
            golden = tokenizer(texts[query], texts[document], truncation=True, max_length=max_length)
            assert ids.tolist() == golden["input_ids"]
            assert [0] * second + [1] * (len(ids) - second) == golden["token_type_ids"]
            # What is promised to passages is there, to one token where both halves are cut.
            assert len(ids) - second - 1 >= min(store.n_tokens(document), store.room(query, max_length))


def test_ids_are_mapped_not_loaded(folder: Path) -> None:
    filled(folder)
    store, _ = filled(folder)
    ids = store.ids_of([TEXTS["d4"]])[0]
    assert not ids.flags.owndata
    assert not ids.flags.writeable


def test_equal_texts_are_tokenised_once_whatever_they_are_called(folder: Path) -> None:
    tokenizer = Counting(folder)
    store = TokenStore(tokenizer)
    store.add("document", ["a", "b"], ["same", "same"])
    store.add("query", ["a"], ["same"])
    assert tokenizer.n_texts == 1


def test_another_tokenizer_shares_nothing(folder: Path, tmp_path: Path) -> None:
    other = make_tiny_model(tmp_path / "other")
    text = (other / "tokenizer.json").read_text().replace('"Lowercase"', '"NFC"')
    (other / "tokenizer.json").write_text(text)
    assert tokenizer_digest(load_tokenizer(other)) != tokenizer_digest(load_tokenizer(folder))
    filled(folder)
    assert filled(other)[1] == 5


def test_a_digest_does_not_depend_on_what_the_tokenizer_did_before(folder: Path) -> None:
    used = load_tokenizer(folder)
    used("one", truncation=True, max_length=4, padding="max_length")
    assert tokenizer_digest(used) == tokenizer_digest(load_tokenizer(folder))


def test_no_altered_byte_gives_a_wrong_id(folder: Path, home: Path) -> None:
    """Every 7th byte of the file is turned over in turn: lost texts are tokenised again, the others are read."""
    filled(folder)
    (path,) = files(home)
    whole = path.read_bytes()
    lost = set()
    for place in range(0, len(whole), 7):
        for other in files(home):
            other.unlink()
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        store, n_again = filled(folder)
        assert right(store, folder), place
        assert n_again > 0, place
        lost.add(n_again)
        assert filled(folder)[1] == 0, "what was mended is on disk again"
    assert lost == {1, 5}  # a text whose ids were hit; everything when the index was


@pytest.mark.parametrize("kept", [0, 1, 20, 100, -1])
def test_a_file_that_was_cut_counts_as_not_there(folder: Path, home: Path, kept: int) -> None:
    filled(folder)
    (path,) = files(home)
    path.write_bytes(path.read_bytes()[:kept])
    store, n_again = filled(folder)
    assert n_again == 5
    assert right(store, folder)


def test_a_write_that_was_killed_leaves_nothing_that_is_read(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(stream: Any, texts: Any) -> None:
        stream.write(b"rerank")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(token_ids, "_write", killed)
        with pytest.raises(KeyboardInterrupt):
            filled(folder)
    assert files(home) == []
    assert filled(folder)[1] == 5


def test_many_small_files_become_one_and_open_ones_stay_readable(folder: Path, home: Path) -> None:
    texts = {f"d{number}": f"text {number} of many" for number in range(40)}
    store, early = TokenStore(load_tokenizer(folder)), TokenStore(load_tokenizer(folder))
    for store_of in (store, early):
        store_of.add("query", ["q"], ["red apple"], kept=False)
    for number, (name, text) in enumerate(texts.items()):
        store.add("document", [name], [text])
        if number == 20:
            early.add("document", list(texts)[:20], list(texts.values())[:20])
    assert len(files(home)) <= token_ids.MOST_FILES
    assert right(store, folder, texts)
    assert right(early, folder, dict(list(texts.items())[:20])), "it still reads the files that are gone"
    early.add("document", list(texts), list(texts.values()))
    assert right(early, folder, texts)
    assert filled(folder, texts)[1] == 0


def _write_many(number: int) -> None:
    disk = TokenIds("t" * 64)
    for step in range(30):
        keys = [bytes([step, number % 2]) + bytes(30), bytes([step, 9]) + bytes(30)]
        disk.add({key: np.full(key[0] + 1, key[1], dtype=np.int32) for key in keys if key not in disk.find([key])})


def test_processes_that_write_at_the_same_time_lose_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processes = [multiprocessing.get_context("fork").Process(target=_write_many, args=(n,)) for n in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    keys = [bytes([step, writer]) + bytes(30) for step in range(30) for writer in (0, 1, 9)]
    found = TokenIds("t" * 64).find(keys)
    assert set(found) == set(keys)
    assert all(ids.tolist() == [key[1]] * (key[0] + 1) for key, ids in found.items())


def test_the_encoder_reads_texts_as_plain_transformers_does(home: Path) -> None:
    """Long ones are cut at 256 tokens; what is kept on disk changes nothing."""
    texts = ["short", "a long text about apples and bridges " * 60]
    source = embedded_folder()
    tokenizer = AutoTokenizer.from_pretrained(str(source))
    model = AutoModel.from_pretrained(str(source))
    golden = []
    with torch.no_grad():
        for text in texts:
            hidden = model(**tokenizer(text, truncation=True, max_length=256, return_tensors="pt")).last_hidden_state
            golden.append(torch.nn.functional.normalize(hidden.mean(1), dim=-1)[0].numpy())
    device = replace(pick_device("cpu"), dtype="fp32")
    for kept in (False, True, True):
        assert Encoder(device).encode(texts, kept=kept) == pytest.approx(np.stack(golden), abs=1e-5)
        assert len(files(home)) == int(kept)
