"""Tokens before anybody counted them, and what they cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from rerank.cost.prices import Price, read_prices
from rerank.cost.tokens import (
    SPREAD,
    TokenPrice,
    listed_token_price,
    most_prompt_tokens,
    predicted_prompt_tokens,
    predicted_tokens,
)
from rerank.models.sources import find_model
from rerank.store.home import bundled
from rerank.teacher.prompts import listwise_messages, load_prompt

ENGLISH = """The committee, which had met in Geneva since 1998, published its third assessment of coastal erosion on
12 March: twenty-four recommendations (see annex B) and a budget of 3.5 million dollars for monitoring stations."""
JAPANESE = "委員会は1998年からジュネーブで会合を開き、3月12日に海岸侵食に関する第3次評価報告書を公表しました。"


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    found = Tokenizer.from_file(str(find_model("embedded").folder / "tokenizer.json"))
    found.no_padding()
    found.no_truncation()
    return found


@pytest.mark.parametrize("text", [ENGLISH, JAPANESE, "SKU-4471-B / 230V / 16A"], ids=["en", "ja", "parts"])
def test_the_prediction_is_near_what_a_real_vocabulary_counts(text: str, tokenizer: Tokenizer) -> None:
    counted = len(tokenizer.encode(text, add_special_tokens=False).ids)
    assert predicted_tokens(text) == pytest.approx(counted, rel=SPREAD)


def test_the_prediction_by_hand() -> None:
    """ "candle" 1, "lighthouse" 1 + 2/5, "12345" two threes, "!" 1, two kanji 1.6."""
    assert predicted_tokens("candle lighthouse 12345! 海岸") == pytest.approx(1 + 1.4 + 2 + 1 + 1.6)
    assert predicted_prompt_tokens([{"role": "user", "content": "candle"}]) == pytest.approx(3 + 4 + 1)


@given(st.text(max_size=200))
def test_a_request_has_fewer_tokens_than_bytes_and_margins(text: str) -> None:
    """Vocabularies of hosted models fall back to bytes, never below; roles and separators are a few tokens."""
    messages = listwise_messages(load_prompt("listwise", "1", "en"), "q", [text], 500)
    assert most_prompt_tokens(messages) >= sum(len(message["content"].encode()) for message in messages) + 100


def test_tokens_cost_what_a_million_of_them_says() -> None:
    assert TokenPrice(0.25, 2.0).usd(400_000, 5_000) == pytest.approx(0.1 + 0.01)


@pytest.mark.parametrize("model", ["GPT-5-mini", "gpt-5-mini", "openai/gpt-5-mini", "gpt-5-mini-2025-08-07"])
def test_a_model_is_found_in_the_price_table_however_it_is_written(model: str) -> None:
    assert listed_token_price(model, read_prices(bundled("prices.csv"))) == TokenPrice(0.25, 2.0)


def test_a_model_that_is_not_in_the_table_has_no_price() -> None:
    prices = read_prices(bundled("prices.csv"))
    assert listed_token_price("claude-haiku-4-5-20251001", prices) == TokenPrice(1.0, 5.0)
    assert listed_token_price("gpt-5-mini-turbo", prices) is None
    assert listed_token_price("half", [Price("llm_input", "half", "1M tokens", 1.0, "2026-01", "nobody")]) is None
