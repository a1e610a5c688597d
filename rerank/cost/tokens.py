"""Tokens of language models: predicted from text, and what they cost."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rerank.cost.prices import Price

PER_MESSAGE, PER_REQUEST = 4.0, 3.0  # roles and separators, as OpenAI documents them for its chat format
SPREAD = 0.4  # how far this prediction may be off, either way, before an endpoint has counted anything itself
SPREAD_COUNTED = 0.1  # after that

_PIECE = re.compile(r"([A-Za-zÀ-ɏ]+)|(\d+)|([⺀-\U0003ffff])|([^\s])")
_LETTERS_OF_ONE = 8  # a word as long as this is mostly one token; what is longer, one more for every five letters
_CJK = 0.8  # tokens of a Chinese, Japanese or Korean letter


@dataclass(frozen=True)
class TokenPrice:
    """USD per million tokens of prompts and of answers."""

    usd_per_1m_input: float
    usd_per_1m_output: float

    def usd(self, prompt_tokens: float, completion_tokens: float) -> float:
        """Return what so many tokens cost."""
        return (prompt_tokens * self.usd_per_1m_input + completion_tokens * self.usd_per_1m_output) / 1e6


def predicted_tokens(text: str) -> float:
    """Return about how many tokens a language model makes of a text.

    Words of up to eight letters count one, longer ones one more for every five letters; three digits one; a Chinese,
    Japanese or Korean letter 0.8; any other sign one. The vocabularies of hosted models lie within 40 % of it; what an
    endpoint counts itself corrects it.
    """
    total = 0.0
    for word, number, letter, _ in _PIECE.findall(text):
        if word:
            total += 1 + max(0, len(word) - _LETTERS_OF_ONE) / 5
        elif number:
            total += -(-len(number) // 3)
        else:
            total += _CJK if letter else 1.0
    return total


def predicted_prompt_tokens(messages: Sequence[Mapping[str, str]]) -> float:
    """Return about how many tokens a chat request has."""
    return PER_REQUEST + sum(PER_MESSAGE + predicted_tokens(message["content"]) for message in messages)


def most_prompt_tokens(messages: Sequence[Mapping[str, str]]) -> float:
    """Return more tokens than a chat request can have: one for each byte, and 64 for each message."""
    return sum(64 + len(message["content"].encode()) for message in messages)


def _name(text: str) -> str:
    plain = re.sub(r"[\s_.]+", "-", text.lower().rpartition("/")[2])
    return re.sub(r"-(\d{4}-\d{2}-\d{2}|\d{8}|latest)$", "", plain)


def listed_token_price(model: str, prices: Sequence[Price]) -> TokenPrice | None:
    """Return a model's price in the price table; None when the table does not have it.

    Case, provider (`openai/…`), dates and separators do not count: `claude-haiku-4-5-20251001` is `Claude Haiku 4.5`.
    """
    found = {}
    for kind in ("llm_input", "llm_output"):
        same = [price.usd for price in prices if price.kind == kind and _name(price.item) == _name(model)]
        if not same:
            return None
        found[kind] = max(same)  # a cost is never understated
    return TokenPrice(found["llm_input"], found["llm_output"])
