"""The language model in a plan: complete when it teaches, and never with a secret in it."""

import pytest

from rerank.errors import RerankError
from rerank.planning.check import plan_from_dict
from rerank.planning.plan import Plan
from rerank.wording.errors import error_sentence
from rerank.wording.language import speaker

DIGEST = "d" * 64


def refused(**settings: object) -> RerankError:
    with pytest.raises(RerankError) as caught:
        plan_from_dict({"llm": settings}, Plan(DIGEST))
    return caught.value


@pytest.mark.parametrize(
    "url",
    [
        "https://user:hunter2@host/v1",
        "https://hunter2@host/v1",
        "https://host/v1?api-key=hunter2",
        "https://host/v1#hunter2",
        "ftp://host/hunter2",
        "host/v1/hunter2",
        "http://host:port/hunter2",
        "http://[::1/hunter2",
        "http://host/\nhunter2",
    ],
)
def test_an_address_that_could_hold_a_secret_is_refused_without_repeating_it(url: str) -> None:
    error = refused(base_url=url)
    assert error.code == "teacher_url_unusable"
    said = error_sentence(speaker("en"), error.code, error.facts)
    assert "RERANK_TEACHER_KEY" in said
    assert "hunter2" not in said + str(error)


@pytest.mark.parametrize("url", ["https://api.openai.com/v1", "http://127.0.0.1:11434/v1", "http://[::1]:8000/v1/"])
def test_plain_addresses_are_taken(url: str) -> None:
    assert plan_from_dict({"llm": {"base_url": url}}, Plan(DIGEST)).llm.base_url == url


@pytest.mark.parametrize("given", [{}, {"base_url": "http://localhost/v1"}, {"model": "m"}, {"model": " "}])
def test_who_teaches_needs_an_address_and_a_name(given: dict[str, object]) -> None:
    with pytest.raises(RerankError, match="teacher_needs_endpoint"):
        plan_from_dict({"teacher": "llm-pointwise", "llm": given}, Plan(DIGEST))
    plan_from_dict({"llm": given}, Plan(DIGEST))  # who does not teach needs neither


@pytest.mark.parametrize("prompt", ["../../etc/passwd", "", "1/2", "1-en", 1])
def test_a_prompts_version_is_part_of_a_file_name_and_nothing_more(prompt: object) -> None:
    assert refused(prompt=prompt).code == "plan_bad_value"
