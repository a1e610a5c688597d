"""Every text tokenised once; query-document pairs are put together from ids."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rerank.errors import RerankError

_CHUNK = 4096


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


class TokenStore:
    """The token ids of a set of named texts, each tokenised once and without special tokens."""

    def __init__(self, tokenizer: Any) -> None:
        self.template = pair_template(tokenizer)
        self._tokenizer = tokenizer
        self._ids: dict[tuple[str, str], NDArray[np.int32]] = {}

    def add(self, role: str, names: Sequence[str], texts: Sequence[str]) -> None:
        """Tokenise texts under (role, name); a name that is already there is not tokenised again."""
        new = [(name, text) for name, text in zip(names, texts, strict=True) if (role, name) not in self._ids]
        for start in range(0, len(new), _CHUNK):
            part = new[start : start + _CHUNK]
            # Long documents are cut when pairs are put together; the tokenizer's warning is not for us.
            encoded = self._tokenizer([text for _, text in part], add_special_tokens=False, verbose=False)
            for (name, _), ids in zip(part, encoded["input_ids"], strict=True):
                self._ids[(role, name)] = np.asarray(ids, dtype=np.int32)

    def pair(self, query: str, document: str, max_length: int) -> tuple[NDArray[np.int32], int]:
        """Return a pair's ids, at most `max_length`, and where its document part begins.

        The document is cut first; a query is cut only beyond three quarters of the room.
        """
        template = self.template
        room = max_length - template.n_special
        first = self._ids[("query", query)][: max(1, room * 3 // 4)]
        second = self._ids[("document", document)][: max(0, room - len(first))]
        ids = np.concatenate(
            [
                np.asarray(template.head, dtype=np.int32),
                first,
                np.asarray(template.middle, dtype=np.int32),
                second,
                np.asarray(template.tail, dtype=np.int32),
            ]
        )
        return ids, len(template.head) + len(first) + len(template.middle)
