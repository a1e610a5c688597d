"""Every text tokenised once; query-document pairs are put together from ids."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
from numpy.typing import NDArray

from rerank.digests import digest_of
from rerank.errors import RerankError
from rerank.models.pairs import Ids, Pair, Pairs, Places
from rerank.store.token_ids import TokenIds

_CHUNK = 4096  # texts that are tokenised together
_WRITTEN_IDS = 2**24  # ids that wait in memory before they are written: 64 MiB


@dataclass(frozen=True)
class PairTemplate:
    """The special tokens around a pair, e.g. [CLS] query [SEP] document [SEP], and its segment ids."""

    head: tuple[int, ...]
    middle: tuple[int, ...]
    tail: tuple[int, ...]
    second_type: int  # token type of the document part; 0 when the model has one type only
    pad_id: int
    uses_types: bool

    @property
    def n_special(self) -> int:
        """Return how many tokens of a pair are special."""
        return len(self.head) + len(self.middle) + len(self.tail)


def load_tokenizer(folder: Path) -> Any:
    """Load a folder's fast tokenizer. Raises RerankError `tokenizer_missing`."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise RerankError("tokenizer_missing", folder=str(folder)) from error
    if not tokenizer.is_fast:
        raise RerankError("tokenizer_missing", folder=str(folder))
    return tokenizer


def _find(ids: list[int], part: list[int], start: int) -> int:
    for position in range(start, len(ids) - len(part) + 1):
        if ids[position : position + len(part)] == part:
            return position
    raise RerankError("tokenizer_pair_unknown", ids=str(ids))


def pair_template(tokenizer: Any) -> PairTemplate:
    """Learn the template from how the tokenizer itself encodes one pair."""
    first = tokenizer("one", add_special_tokens=False)["input_ids"]
    second = tokenizer("two", add_special_tokens=False)["input_ids"]
    encoded = tokenizer("one", "two", return_token_type_ids=True)
    ids, types = list(encoded["input_ids"]), list(encoded.get("token_type_ids") or [])
    start = _find(ids, first, 0)
    after = _find(ids, second, start + len(first))
    end = after + len(second)
    uses_types = "token_type_ids" in tokenizer.model_input_names
    return PairTemplate(
        head=tuple(ids[:start]),
        middle=tuple(ids[start + len(first) : after]),
        tail=tuple(ids[end:]),
        second_type=int(types[after]) if types and uses_types else 0,
        pad_id=int(tokenizer.pad_token_id or 0),
        uses_types=uses_types,
    )


def tokenizer_digest(tokenizer: Any) -> str:
    """Return the SHA-256 (64 hex digits) of everything that a text's ids depend on besides the text."""
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()  # the store never cuts or pads; the tokenizer sets both anew in every call
    backend.no_padding()
    return digest_of([tokenizers.__version__, bool(tokenizer.split_special_tokens), backend.to_str()])


def _longest_first(first: Places, second: Places, whole: int) -> tuple[Places, Places]:
    """Return how many tokens of two texts, (n,) each, are kept of `whole`."""
    short = np.minimum(np.minimum(first, second), whole // 2)
    fits, is_first_short = first + second <= whole, first <= second
    return (
        np.where(fits, first, np.where(is_first_short, short, whole - short)),
        np.where(fits, second, np.where(is_first_short, whole - short, short)),
    )


class TokenStore:
    """The token ids of a set of named texts, without special tokens; a text is tokenised once per tokenizer.

    Ids lie on disk by digests of tokenizer and text and are mapped into memory, so that every experiment, fold,
    seed and process has them from there.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.template = pair_template(tokenizer)
        self._head, self._middle, self._tail = (
            np.asarray(part, dtype=np.int32) for part in (self.template.head, self.template.middle, self.template.tail)
        )
        self._tokenizer = tokenizer
        self._disk = TokenIds(tokenizer_digest(tokenizer))
        self._ids: dict[str, dict[str, NDArray[np.int32]]] = {"query": {}, "document": {}}

    def add(self, role: str, names: Sequence[str], texts: Sequence[str], *, kept: bool = True) -> None:
        """Make a role's named texts (`query` or `document`) known; a name that is already known keeps its text.

        kept: whether the ids go to disk; not for what somebody types.
        """
        known = self._ids[role]
        new = {name: text for name, text in zip(names, texts, strict=True) if name not in known}
        if new:
            known.update(zip(new, self.ids_of(list(new.values()), kept=kept), strict=True))

    def ids_of(self, texts: Sequence[str], *, kept: bool = True) -> list[NDArray[np.int32]]:
        """Return the ids of texts, from disk when they are there; read-only where they are mapped."""
        keys = [hashlib.sha256(text.encode()).digest() for text in texts]
        found = self._disk.find(keys) if kept else {}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        fresh: dict[bytes, NDArray[np.int32]] = {}
        size = 0
        waiting = list(missing.items())
        for start in range(0, len(waiting), _CHUNK):
            part = waiting[start : start + _CHUNK]
            # Long documents are cut when pairs are put together; the tokenizer's warning is not for us.
            encoded = self._tokenizer(
                [text for _, text in part],
                add_special_tokens=False,
                verbose=False,
                return_attention_mask=False,
                return_token_type_ids=False,
            )
            for (key, _), ids in zip(part, encoded["input_ids"], strict=True):
                fresh[key] = np.asarray(ids, dtype=np.int32)
                size += len(ids)
            if kept and (size >= _WRITTEN_IDS or start + _CHUNK >= len(waiting)):
                self._disk.add(fresh)
                found.update(fresh | self._disk.find(list(fresh)))  # mapped where it can be read back
                fresh, size = {}, 0
        found.update(fresh)
        return [found[key] for key in keys]

    def room(self, query: str, max_length: int) -> int:
        """Return how many tokens of a document a pair with this query has room for."""
        whole = max(0, max_length - self.template.n_special)
        return whole - min(len(self._ids["query"][query]), whole - whole // 2)

    def n_tokens(self, document: str) -> int:
        """Return a document's length in tokens."""
        return len(self._ids["document"][document])

    def pair(self, query: str, document: str, max_length: int, start: int = 0) -> Pair:
        """Return a pair's ids, at most `max_length`, and where its document part begins.

        The longer of the two is cut, and both to halves where both are longer than half: `longest_first` of the
        tokenizers library, so that whatever serves the model reads what was measured. start: the first token of the
        document to read.
        """
        return self.pairs([(query, document)], max_length, [start])[0]

    def pairs(self, named: Sequence[tuple[str, str]], max_length: int, starts: Sequence[int] | None = None) -> Pairs:
        """Return the pairs of (query, document) names, each as `pair` makes it; texts that they share are held once.

        starts: the first token of each document to read; None: all from the beginning.
        """
        queries = {name: place for place, name in enumerate(dict.fromkeys(query for query, _ in named))}
        documents = {name: place for place, name in enumerate(dict.fromkeys(document for _, document in named))}
        texts = [self._ids["query"][name] for name in queries] + [self._ids["document"][name] for name in documents]
        parts = [self._head, self._middle, self._tail, *texts]
        lengths = np.array([len(part) for part in parts], dtype=np.int64)
        reach = max_length + max(starts or (0,))  # what lies beyond is read by nobody: a document may be a book
        parts = [part[:reach] for part in parts]
        held = np.array([len(part) for part in parts], dtype=np.int64)
        begins = np.cumsum(held) - held
        n = len(named)
        first = 3 + np.fromiter((queries[query] for query, _ in named), dtype=np.int64, count=n)
        second = 3 + len(queries) + np.fromiter((documents[document] for _, document in named), dtype=np.int64, count=n)
        skipped = np.zeros(n, dtype=np.int64) if starts is None else np.asarray(starts, dtype=np.int64)
        n_first, n_second = _longest_first(
            lengths[first], np.maximum(0, lengths[second] - skipped), max(0, max_length - self.template.n_special)
        )
        where, sizes = np.empty((n, 5), dtype=np.int64), np.empty((n, 5), dtype=np.int64)
        where[:, 0], where[:, 2], where[:, 4] = begins[:3]
        sizes[:, 0], sizes[:, 2], sizes[:, 4] = lengths[:3]
        where[:, 1], where[:, 3] = begins[first], begins[second] + skipped
        sizes[:, 1], sizes[:, 3] = n_first, n_second
        return Pairs(Ids(np.concatenate(parts)), where, sizes, 3)
