"""Asking a real endpoint on this machine: faults are waited out, paid answers kept, limits and secrets too."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from rerank.cost.tokens import TokenPrice
from rerank.errors import RerankError
from rerank.planning.plan import LanguageModel
from rerank.store.answers import spent_usd
from rerank.teacher import client as http
from rerank.teacher.asking import Asker
from rerank.teacher.client import Client, Endpoint, Interrupted, Patience, key_from_environment
from rerank.teacher.language_model import Said, Task, grades_of, ordering_of
from rerank.teacher.prompts import load_prompt
from tests.teacher.endpoint import USD_INPUT, USD_OUTPUT, LoopbackEndpoint, running

QUICK = Patience(attempts=4, first_seconds=0.01, most_seconds=0.05, most_asked_seconds=2.0)
PRICE = TokenPrice(USD_INPUT, USD_OUTPUT)
TASK = Task("q", "red apple", ("a", "b", "c"), ("a blue car", "one red apple on red cloth", "an apple"))
BEST_FIRST = (-3.0, -1.0, -2.0)


@contextmanager
def asking(
    endpoint: LoopbackEndpoint,
    *,
    key: str = "",
    limit: float | None = None,
    patience: Patience = QUICK,
    timeout: float = 5.0,
    concurrency: int = 4,
    price: TokenPrice = PRICE,
) -> Iterator[Asker]:
    with Client(Endpoint(endpoint.base_url, "m", key, timeout), concurrency, patience) as client:
        asker = Asker(client, endpoint.base_url, "m", "p", price, "purse", limit, concurrency)
        try:
            yield asker
        finally:
            asker.close()


def order(asker: Asker, task: Task = TASK, **settings: Any) -> Said:
    return ordering_of(asker, LanguageModel("http://x", "m", **settings), load_prompt("listwise", "1", "en"), task)


def grade(asker: Asker, task: Task = TASK) -> Said:
    return grades_of(asker, LanguageModel("http://x", "m"), load_prompt("graded", "1", "en"), task)


def many(n: int, size: int = 3) -> list[Task]:
    """Different queries with documents of their own."""
    return [
        Task(
            f"q{i}",
            f"word{i}",
            tuple(map(str, range(size))),
            tuple(f"text {i} {j} " + "word " * j for j in range(size)),
        )
        for i in range(n)
    ]


def at_once(tasks: list[Task], ask: Callable[[Task], Said]) -> list[BaseException | Said]:
    """Ask from one thread for each task; what was said or raised."""
    found: list[BaseException | Said] = [Interrupted()] * len(tasks)

    def one(place: int) -> None:
        try:
            found[place] = ask(tasks[place])
        except BaseException as error:
            found[place] = error

    threads = [threading.Thread(target=one, args=(place,)) for place in range(len(tasks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_an_endpoint_orders_and_grades() -> None:
    """A grade is the expectation over the two grades that the server gives probabilities to, 2.9 at most."""
    with running(LoopbackEndpoint()) as endpoint, asking(endpoint) as asker:
        assert order(asker).scores == BEST_FIRST
        graded = grade(asker)
        expected = [min(2.9, endpoint.score(TASK.query, text)) for text in TASK.documents]
        assert graded.scores == pytest.approx(expected, abs=1e-6)
        assert graded.n_answers == 3
        assert graded.n_without_probabilities == 0
        assert spent_usd("purse")[0] == pytest.approx(endpoint.bill_usd)
        assert asker.tally.usd == pytest.approx(endpoint.bill_usd)


def test_without_probabilities_the_written_grade_counts() -> None:
    endpoint = LoopbackEndpoint()
    endpoint.has_logprobs = False
    with running(endpoint), asking(endpoint) as asker:
        graded = grade(asker)
    assert graded.n_without_probabilities == 3
    assert set(graded.scores) <= {0.0, 1.0, 2.0, 3.0}
    assert graded.scores[1] == 3.0


@pytest.mark.parametrize("fault", ["429", "500", "half", "wrong_json", "no_json", "drip", "timeout"])
def test_a_fault_that_passes_is_asked_again(fault: str) -> None:
    endpoint = LoopbackEndpoint(lambda number, before: fault if before < 2 else None)
    with running(endpoint), asking(endpoint, timeout=0.3) as asker:
        assert order(asker).scores == BEST_FIRST
    assert len(endpoint.asked) == 3
    assert asker.tally.n_answers == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("500", "teacher_gave_up"),
        ("wrong_json", "teacher_gave_up"),
        ("half", "teacher_gave_up"),
        ("quota", "teacher_quota_spent"),
        ("429:7200", "teacher_wants_a_pause"),
        ("echo", "teacher_refuses"),
    ],
)
def test_a_fault_that_stays_has_a_name_and_is_not_kept(fault: str, code: str) -> None:
    endpoint = LoopbackEndpoint(lambda number, before: fault if number < 4 else None)
    with running(endpoint):
        with asking(endpoint) as asker, pytest.raises(RerankError) as caught:
            order(asker)
        assert caught.value.code == code
        endpoint.fault = lambda number, before: None
        with asking(endpoint) as asker:
            assert order(asker).scores == BEST_FIRST
            assert asker.tally.n_known == 0


def test_nobody_at_the_address() -> None:
    endpoint = LoopbackEndpoint()
    endpoint.base_url = "http://127.0.0.1:9/v1"
    with asking(endpoint) as asker, pytest.raises(RerankError) as caught:
        order(asker)
    assert caught.value.code == "teacher_not_reachable"


@pytest.mark.parametrize(("wait", "seconds"), [("1", 1.0), ("0.4", 0.4)])
def test_every_thread_waits_as_long_as_the_endpoint_asks_for(wait: str, seconds: float) -> None:
    endpoint = LoopbackEndpoint(lambda number, before: f"429:{wait}" if number == 0 else None)
    with running(endpoint), asking(endpoint) as asker:
        assert isinstance(at_once([TASK], lambda task: order(asker, task))[0], Said)
    first, second = endpoint.times
    assert second - first >= seconds


def test_a_date_in_retry_after_is_understood() -> None:
    from datetime import UTC, datetime, timedelta
    from email.utils import format_datetime

    then = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert http._asked_wait({"retry-after": then}) == pytest.approx(90, abs=2)
    assert http._asked_wait({"retry-after": "soon"}) is None
    assert http._asked_wait({"retry-after": "nan"}) is None
    assert http._asked_wait({}) is None


def test_waits_grow_from_fault_to_fault() -> None:
    slow = Patience(attempts=4, first_seconds=0.1, most_seconds=10.0)
    endpoint = LoopbackEndpoint(lambda number, before: "500" if number < 3 else None)
    with running(endpoint), asking(endpoint, patience=slow) as asker:
        order(asker)
    waits = [later - earlier for earlier, later in pairwise(endpoint.times)]
    for wait, least in zip(waits, (0.05, 0.1, 0.2), strict=True):
        assert least <= wait < 2 * least + 0.3


def test_a_refusal_is_an_answer_that_teaches_nothing_and_is_paid_once() -> None:
    endpoint = LoopbackEndpoint(lambda number, before: "refusal")
    with running(endpoint), asking(endpoint) as asker:
        for _ in range(2):
            said = order(asker)
            assert said.scores == (None, None, None)
            assert said.failures == {"refused": 1}
        assert grade(asker).failures == {"refused": 3}
    assert len(endpoint.asked) == 4


def test_malformed_answers_are_mended_and_counted() -> None:
    endpoint = LoopbackEndpoint(lambda number, before: "2 > [3] > [3]")
    with running(endpoint), asking(endpoint) as asker:
        said = order(asker)
    assert said.scores == (-3.0, -1.0, -2.0)
    assert said.n_repaired == 1
    assert said.repairs == {"missing": 1, "repeated": 1, "format": 1}


def test_an_endpoint_that_takes_other_parameters_is_told_in_its_own_words() -> None:
    endpoint = LoopbackEndpoint()
    endpoint.refused_words = {
        "max_tokens": "Unsupported parameter: use 'max_completion_tokens' instead.",
        "temperature": "Only the default is supported.",
    }
    with running(endpoint), asking(endpoint) as asker:
        assert order(asker).scores == BEST_FIRST
    assert "max_completion_tokens" in endpoint.asked[-1]
    assert not {"max_tokens", "temperature"} & set(endpoint.asked[-1])


def test_no_more_requests_are_open_than_allowed() -> None:
    endpoint = LoopbackEndpoint()
    endpoint.seconds = 0.05
    with running(endpoint), asking(endpoint, concurrency=3) as asker:
        at_once(many(9), lambda task: order(asker, task))
    assert endpoint.most_at_once == 3
    assert len(endpoint.asked) == 9


def test_equal_questions_are_asked_once_even_at_the_same_time() -> None:
    endpoint = LoopbackEndpoint()
    endpoint.seconds = 0.05
    with running(endpoint), asking(endpoint) as asker:
        said = at_once([TASK] * 4, lambda task: order(asker, task))
    assert {item.scores for item in said if isinstance(item, Said)} == {BEST_FIRST}
    assert len(endpoint.asked) == 1


def test_what_was_answered_is_never_asked_again_and_costs_nothing_more() -> None:
    with running(LoopbackEndpoint()) as endpoint:
        for start in range(2):
            with asking(endpoint) as asker:
                assert order(asker).scores == BEST_FIRST
                assert asker.tally.n_known == start
                assert asker.tally.usd == pytest.approx(endpoint.bill_usd)
        assert len(endpoint.asked) == 1
        assert spent_usd("purse") == (pytest.approx(endpoint.bill_usd), 0.0)
        with asking(endpoint) as asker:  # another text is another question
            order(asker, Task("q", "red apples", TASK.doc_ids, TASK.documents))
    assert len(endpoint.asked) == 2


def test_the_limit_holds_before_the_request_that_would_cross_it() -> None:
    """Whatever the limit, the bill stays below it; and what it leaves unspent is less than one request could cost."""
    with running(LoopbackEndpoint()) as free, asking(free) as asker:
        at_once(many(1), lambda task: order(asker, task))
    one = free.bill_usd
    limit = 45.5 * one
    with running(LoopbackEndpoint()) as endpoint:
        endpoint.seconds = 0.01
        with asking(endpoint, limit=limit) as asker:
            found = at_once(many(60), lambda task: order(asker, task))
        stopped = [item for item in found if isinstance(item, RerankError)]
        assert stopped
        assert {item.code for item in stopped} == {"teacher_budget_spent"}
        assert endpoint.bill_usd <= limit
        assert endpoint.bill_usd > limit - 12 * one
        n_asked = len(endpoint.asked)
        with asking(endpoint, limit=limit) as asker:  # a second start has what the first one left
            found = at_once(many(60), lambda task: order(asker, task))
        assert endpoint.bill_usd <= limit
        assert len(endpoint.asked) - n_asked <= 2
        assert sum(isinstance(item, Said) for item in found) == endpoint.answered.total()


def test_an_attempt_without_an_answer_counts_against_the_limit_as_it_may_be_billed() -> None:
    endpoint = LoopbackEndpoint(lambda number, before: "half")
    with running(endpoint), asking(endpoint) as asker, pytest.raises(RerankError):
        order(asker)
    paid, lost = spent_usd("purse")
    assert paid == 0.0
    assert lost == pytest.approx(endpoint.bill_usd, rel=0.4)  # four attempts, as predicted without any count
    with running(endpoint), asking(endpoint, limit=lost * 1.01) as asker, pytest.raises(RerankError) as caught:
        order(asker)
    assert caught.value.code == "teacher_budget_spent"
    assert len(endpoint.asked) == 4


@pytest.mark.parametrize("fault", ["half", "504"])
def test_the_limit_holds_where_nearly_every_attempt_is_billed_without_an_answer(fault: str) -> None:
    """The server bills three times what is predicted, and nobody tells: counted as predicted, the bill would cross."""
    endpoint = LoopbackEndpoint(lambda number, before: fault if number % 30 else None)
    endpoint.count = lambda text: 3 * len(text) // 4
    with running(endpoint):
        with asking(endpoint, patience=replace(QUICK, first_seconds=0.0)) as asker:
            at_once(many(1), lambda task: order(asker, task))
        limit = 40 * endpoint.bill_usd
        for _ in range(3):  # later starts know what earlier ones may have lost
            with asking(endpoint, limit=limit, patience=replace(QUICK, first_seconds=0.0)) as asker:
                found = at_once(many(60), lambda task: order(asker, task))
        assert "teacher_budget_spent" in {item.code for item in found if isinstance(item, RerankError)}
    assert limit / 4 < endpoint.bill_usd <= limit


def test_a_stop_keeps_what_is_on_its_way() -> None:
    endpoint = LoopbackEndpoint()
    endpoint.seconds = 0.3
    with running(endpoint):
        with asking(endpoint) as asker:
            timer = threading.Timer(0.1, asker.close)
            timer.start()
            found = at_once(many(12), lambda task: order(asker, task))
            timer.join()
        n_asked = len(endpoint.asked)
        assert n_asked == 4
        assert sum(isinstance(item, Said) for item in found) <= n_asked
        with asking(endpoint) as asker:
            found = at_once(many(12), lambda task: order(asker, task))
        assert all(isinstance(item, Said) for item in found)
    assert len(endpoint.asked) == 12
    assert set(endpoint.answered.values()) == {1}


def test_later_passes_shuffle_what_is_shown_and_their_mean_rank_counts() -> None:
    endpoint = LoopbackEndpoint()
    endpoint.score = lambda query, text: 0.0  # it repeats the order that it is shown
    task = many(1, size=6)[0]
    with running(endpoint), asking(endpoint) as asker:
        once = order(asker, task)
        thrice = order(asker, task, passes=3)
        assert order(asker, task, passes=3) == thrice
    assert once.scores == (-1.0, -2.0, -3.0, -4.0, -5.0, -6.0)
    assert thrice.scores != once.scores
    assert len({str(request["messages"]) for request in endpoint.asked}) == 3
    assert sum(score or 0.0 for score in thrice.scores) == pytest.approx(-21)
    assert [item.is_shuffled for item in thrice.rounds] == [False, True, True]
    for item in thrice.rounds:  # it repeats what it is shown, so places in the question are places in the answer
        assert item.positions == tuple(-score for score in item.scores)


SECRET = "sk-test-7f3a9c1e5b"


@pytest.mark.parametrize("fault", ["echo", "500", "half", None])
def test_the_key_is_sent_and_written_nowhere(
    fault: str | None, home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(http.KEY_VARIABLE, f" {SECRET}\n")
    endpoint = LoopbackEndpoint(lambda number, before: fault)
    endpoint.key = SECRET
    caplog.set_level("INFO")
    said = ""
    with running(endpoint), asking(endpoint, key=key_from_environment()) as asker:
        try:
            order(asker)
        except RerankError as error:
            said = repr(error) + str(error) + repr(error.__cause__)
    assert {headers["Authorization"] for headers in endpoint.headers} == {f"Bearer {SECRET}"}
    assert SECRET not in said + caplog.text
    assert SECRET not in repr(Endpoint("http://x", "m", SECRET))
    for path in home.rglob("*") if home.exists() else ():
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()


def test_a_wrong_key_is_named_without_being_shown() -> None:
    endpoint = LoopbackEndpoint()
    endpoint.key = "another"
    with running(endpoint), asking(endpoint, key=SECRET) as asker, pytest.raises(RerankError) as caught:
        order(asker)
    assert caught.value.code == "teacher_key_refused"
    assert SECRET not in str(caught.value)
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "鍵"])
def test_what_cannot_be_a_key_is_refused(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(http.KEY_VARIABLE, key)
    with pytest.raises(RerankError) as caught:
        key_from_environment()
    assert caught.value.code == "teacher_key_unusable"
    assert key not in str(caught.value)


def test_without_the_extra_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from rerank.wording.errors import error_sentence
    from rerank.wording.language import speaker

    monkeypatch.setitem(__import__("sys").modules, "httpx2", None)
    with pytest.raises(RerankError) as caught:
        Client(Endpoint("http://x", "m"), 1)
    assert "pip install -e .[teacher]" in error_sentence(speaker("en"), caught.value.code, caught.value.facts)
    assert os.environ.get(http.KEY_VARIABLE) is None
