"""Questions to a paid teacher: answered from the store, else asked within the budget, counted and kept."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from rerank.cost.tokens import TokenPrice, most_prompt_tokens, predicted_prompt_tokens, predicted_tokens
from rerank.digests import digest_of
from rerank.errors import RerankError
from rerank.store.answers import Answer, count_lost, counted, find_answer, keep_answer, most_spent_usd
from rerank.teacher.client import Client, Interrupted, Reply
from rerank.teacher.prompts import Message

ENOUGH_ANSWERS = 10  # of one endpoint, model and prompt, for its own token counts to correct the prediction


@dataclass(frozen=True)
class Question:
    """A request: its messages, what an answer looks like, and how long one may be.

    with_alternatives: log-probabilities of the answer's tokens are wanted, too. seed: a number asks the same once more,
    as another request; an endpoint that samples at all samples anew.
    """

    messages: Sequence[Message]
    example: str
    max_tokens: int
    with_alternatives: bool = False
    seed: int | None = None

    @property
    def predicted_tokens(self) -> tuple[float, float]:
        """Return about how many tokens the request and its answer have, before an endpoint has corrected it."""
        return predicted_prompt_tokens(self.messages), predicted_tokens(self.example)


class Purse:
    """A limit of money that requests reserve from before they go out. usd: None for no limit."""

    def __init__(self, limit_usd: float | None, spent_usd: float) -> None:
        self._limit = limit_usd
        self._spent = spent_usd
        self._reserved = 0.0
        self._changed = threading.Condition()

    def reserve(self, usd: float, stop: threading.Event) -> None:
        """Set money aside, waiting for open requests to tell what they really cost.

        Raises RerankError `teacher_budget_spent` when it would not fit even then: nothing has been asked.
        """
        with self._changed:
            while self._limit is not None and self._spent + self._reserved + usd > self._limit:
                if stop.is_set():
                    raise Interrupted
                if self._reserved <= 0:
                    raise RerankError("teacher_budget_spent", limit=self._limit, spent=round(self._spent, 6))
                self._changed.wait(0.2)
            self._reserved += usd

    def settle(self, reserved_usd: float, usd: float) -> None:
        """Give back what was set aside and count what was spent."""
        with self._changed:
            self._reserved = max(0.0, self._reserved - reserved_usd)
            if self._reserved < 1e-12:
                self._reserved = 0.0
            self._spent += usd
            self._changed.notify_all()

    def lose(self, usd: float) -> None:
        """Count what may have been spent without an answer; what is set aside for the next attempt stays.

        Raises RerankError `teacher_budget_spent` when the next attempt does not fit any more.
        """
        with self._changed:
            self._spent += usd
            if self._limit is not None and self._spent + self._reserved > self._limit:
                raise RerankError("teacher_budget_spent", limit=self._limit, spent=round(self._spent, 6))


@dataclass(frozen=True)
class Tally:
    """What has been asked: answers, of them those known before, their tokens, and their cost at today's price."""

    n_answers: int = 0
    n_known: int = 0
    n_without_usage: int = 0
    prompt_tokens: float = 0.0
    completion_tokens: float = 0.0
    usd: float = 0.0


@dataclass(frozen=True)
class Correction:
    """What predicted tokens are multiplied with. is_counted: by what this endpoint counted; else they stand alone."""

    prompt: float = 1.0
    completion: float = 1.0
    is_counted: bool = False


def correction_of(family: str) -> Correction:
    """Return how far the prediction was off in earlier answers of an endpoint, model and prompt."""
    known = counted(family)
    if known.n_answers < ENOUGH_ANSWERS or not known.predicted_prompt_tokens:
        return Correction()
    return Correction(
        known.prompt_tokens / known.predicted_prompt_tokens,
        known.completion_tokens / max(1.0, known.predicted_completion_tokens),
        is_counted=True,
    )


class Asker:
    """Asks one endpoint's model with one prompt, from several threads; every answer is on disk before it is used.

    purse: the name under which money is spent. limit_usd: all starts of that purse together.
    """

    def __init__(
        self,
        client: Client,
        base_url: str,
        model: str,
        prompt_digest: str,
        price: TokenPrice,
        purse: str,
        limit_usd: float | None,
        concurrency: int,
    ) -> None:
        self._client = client
        self._base_url, self._model = base_url, model
        self.family = family_of(base_url, model, prompt_digest)
        self._price = price
        self._purse_name = purse
        self._purse = Purse(limit_usd, most_spent_usd(purse))
        self._lock = threading.Lock()
        self._open: dict[str, threading.Lock] = {}
        self._tally = Tally()
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="teacher")

    @property
    def tally(self) -> Tally:
        """Return what has been asked so far."""
        return self._tally

    def close(self) -> None:
        """Ask nothing more; answers that are on their way are awaited and kept, for they are paid."""
        self._client.stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def ask_all(self, questions: Sequence[Question]) -> list[Reply]:
        """Return the answers to questions that do not wait for each other, in their order."""
        if self._client.stop.is_set():
            raise Interrupted
        try:
            waiting = [self._pool.submit(self.ask, question) for question in questions]
        except RuntimeError as error:  # the pool has been shut down meanwhile
            raise Interrupted from error
        return [item.result() for item in waiting]

    def body(self, question: Question) -> dict[str, Any]:
        """Return the full request; its digest names the answer."""
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [dict(message) for message in question.messages],
            "temperature": 0,
            "max_tokens": question.max_tokens,
        }
        if question.with_alternatives:
            body |= {"logprobs": True, "top_logprobs": 5}
        if question.seed is not None:
            body["seed"] = question.seed
        return body

    def is_known(self, question: Question) -> bool:
        """Say whether the answer is in the store."""
        return find_answer(self._name(self.body(question))) is not None

    def _name(self, body: Mapping[str, Any]) -> str:
        return digest_of([self._base_url, body])

    def ask(self, question: Question) -> Reply:
        """Return the answer to one question, from the store when it was given before; equal ones are asked once."""
        body = self.body(question)
        name = self._name(body)
        with self._lock:
            mine = self._open.setdefault(name, threading.Lock())
        with mine:
            known = find_answer(name)
            if known is not None:
                return self._used(known, is_known=True)
            return self._used(self._asked(question, body, name), is_known=False)

    def _asked(self, question: Question, body: Mapping[str, Any], name: str) -> Answer:
        predicted = question.predicted_tokens
        most = self._price.usd(most_prompt_tokens(question.messages), question.max_tokens)
        self._purse.reserve(most, self._client.stop)
        usd = 0.0

        def lost() -> None:
            guess = min(most, self._price.usd(*self._corrected(predicted)))
            count_lost(self._purse_name, guess, most)
            self._purse.lose(most)  # nobody tells what it cost: a limit that must hold takes the highest price

        try:
            reply = self._client.ask(body, lost)
            prompt, completion = self._tokens(reply, predicted)
            usd = self._price.usd(prompt, completion)
            answer = Answer(_plain(reply), reply.prompt_tokens, reply.completion_tokens, *predicted, usd)
            keep_answer(name, self.family, self._purse_name, answer)
        finally:
            self._purse.settle(most, usd)
        return answer

    def _corrected(self, predicted: tuple[float, float]) -> tuple[float, float]:
        found = correction_of(self.family)
        return predicted[0] * found.prompt, predicted[1] * found.completion

    def _tokens(self, reply: Reply, predicted: tuple[float, float]) -> tuple[float, float]:
        """Return an answer's tokens, predicted where the endpoint does not count them."""
        if reply.prompt_tokens is not None and reply.completion_tokens is not None:
            return reply.prompt_tokens, reply.completion_tokens
        return self._corrected(predicted)

    def _used(self, answer: Answer, *, is_known: bool) -> Reply:
        reply = Reply(
            **dict(answer.reply), prompt_tokens=answer.prompt_tokens, completion_tokens=answer.completion_tokens
        )
        predicted = (answer.predicted_prompt_tokens, answer.predicted_completion_tokens)
        prompt, completion = self._tokens(reply, predicted)
        with self._lock:
            old = self._tally
            self._tally = Tally(
                old.n_answers + 1,
                old.n_known + int(is_known),
                old.n_without_usage + int(reply.prompt_tokens is None or reply.completion_tokens is None),
                old.prompt_tokens + prompt,
                old.completion_tokens + completion,
                old.usd + self._price.usd(prompt, completion),
            )
        return reply


def family_of(base_url: str, model: str, prompt_digest: str) -> str:
    """Return the name of all answers that one endpoint's model gives to one prompt."""
    return digest_of([base_url, model, prompt_digest])


def _plain(reply: Reply) -> dict[str, Any]:
    plain = asdict(reply)
    del plain["prompt_tokens"], plain["completion_tokens"]
    return plain
