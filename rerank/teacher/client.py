"""An OpenAI-compatible endpoint over HTTP: one question, one answer, patience with its faults, none with ours."""

import contextlib
import datetime
import email.utils
import json
import os
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from rerank.errors import RerankError

KEY_VARIABLE = "RERANK_TEACHER_KEY"
MOST_BYTES = 4 * 2**20  # of one answer
MOST_LETTERS_OF_REASON = 200
# What some endpoints refuse to be told, and what is said instead; None: nothing.
_DIALECTS: Mapping[str, str | None] = {
    "max_tokens": "max_completion_tokens",
    "temperature": None,
    "top_logprobs": None,
    "logprobs": None,
    "seed": None,
}
_PASSING = {408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529}
# Said by a gateway: the model behind it may have answered, and bills then.
_MAY_COST = {502, 504, 524}


@dataclass(frozen=True)
class Endpoint:
    """Where a model answers. The key stands in requests to it and nowhere else."""

    base_url: str
    model: str
    key: str = field(default="", repr=False)
    timeout_seconds: float = 120.0  # of a whole answer, however it trickles


@dataclass(frozen=True)
class Patience:
    """How long to go on: attempts per question, the first wait and the longest, and the longest one asked for."""

    attempts: int = 6
    first_seconds: float = 0.5
    most_seconds: float = 30.0
    most_asked_seconds: float = 300.0


@dataclass(frozen=True)
class Reply:
    """One answer as it was given; tokens as the endpoint counted them, None where it does not say.

    alternatives: of each token of the answer the log-probabilities of what could have stood there.
    """

    content: str | None
    is_refusal: bool
    finish_reason: str
    alternatives: Sequence[Mapping[str, float]]
    prompt_tokens: int | None
    completion_tokens: int | None


class Interrupted(Exception):  # noqa: N818 - the rest of the run has ended, this question just ends with it
    """Others have stopped the run; this question is not asked any more."""


class _Fault(Exception):  # noqa: N818 - a fault that may pass
    def __init__(self, reason: str, *, may_cost: bool, wait_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.may_cost = may_cost  # the question arrived, so it may stand on the bill without an answer
        self.wait_seconds = wait_seconds


def key_from_environment() -> str:
    """Return the endpoint's key, empty when there is none. Streamlit's secrets are in the environment, too.

    Raises RerankError `teacher_key_unusable`.
    """
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise RerankError("teacher_key_unusable", variable=KEY_VARIABLE)
    return key


def http_library() -> ModuleType:
    """Return the HTTP client of the extra `teacher`. Raises RerankError `teacher_client_missing`."""
    try:
        import httpx2
    except ImportError as error:
        raise RerankError("teacher_client_missing") from error
    return httpx2


class Client:
    """Asks one endpoint, from several threads at once; close it at the end, or use it in a `with` statement."""

    def __init__(self, endpoint: Endpoint, concurrency: int, patience: Patience = Patience()) -> None:
        """Open no connection yet. Raises RerankError `teacher_client_missing`."""
        self._http = http_library()
        self._endpoint = endpoint
        self._patience = patience
        self._host = urlsplit(endpoint.base_url).hostname or ""
        headers = {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
        limits = self._http.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
        self._client = self._http.Client(
            headers=headers,
            timeout=self._http.Timeout(endpoint.timeout_seconds, connect=min(15.0, endpoint.timeout_seconds)),
            limits=limits,
            trust_env=self._host not in ("localhost", "127.0.0.1", "::1"),  # a proxy does not know this machine
            follow_redirects=False,  # a key does not go where an answer sends it
        )
        self._dropped: dict[str, str | None] = {}
        self._not_before = 0.0
        self.stop = threading.Event()
        self.n_attempts = 0
        self._lock = threading.Lock()

    def __enter__(self) -> "Client":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every connection."""
        self._client.close()

    def ask(self, body: Mapping[str, Any], on_lost: Callable[[], None]) -> Reply:
        """Return the answer to a chat completion request; faults that may pass are waited out.

        on_lost is called for every attempt that may have been billed without an answer. Raises RerankError
        `teacher_not_reachable`, `teacher_refuses`, `teacher_key_refused`, `teacher_model_unknown`,
        `teacher_quota_spent`, `teacher_wants_a_pause` and `teacher_gave_up`, and Interrupted.
        """
        reason = ""
        for attempt in range(self._patience.attempts):
            self._wait(attempt)
            try:
                return self._attempt(self._spoken(body))
            except _Fault as fault:
                reason = fault.reason
                if fault.may_cost:
                    on_lost()
                if fault.wait_seconds is not None:
                    self._pause(fault.wait_seconds)
        if reason == "not reachable":
            raise RerankError("teacher_not_reachable", host=self._host)
        raise RerankError("teacher_gave_up", host=self._host, fault=reason, n_attempts=self._patience.attempts)

    def _wait(self, attempt: int) -> None:
        """Wait before an attempt: longer after each fault, with chance so that threads do not come back together."""
        if attempt:
            most = min(self._patience.most_seconds, self._patience.first_seconds * 2 ** (attempt - 1))
            self._sleep(most * random.uniform(0.5, 1.0))
        while (left := self._not_before - time.monotonic()) > 0:
            self._sleep(left)
        if self.stop.is_set():
            raise Interrupted

    def _sleep(self, seconds: float) -> None:
        if self.stop.wait(seconds):
            raise Interrupted

    def _pause(self, seconds: float) -> None:
        """Let no thread ask before the time that the endpoint named."""
        if seconds > self._patience.most_asked_seconds:
            raise RerankError("teacher_wants_a_pause", host=self._host, minutes=round(seconds / 60))
        with self._lock:
            self._not_before = max(self._not_before, time.monotonic() + seconds)

    def _spoken(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return a request in the words that this endpoint takes."""
        said = dict(body)
        for name, other in self._dropped.items():
            if name in said:
                value = said.pop(name)
                if other is not None:
                    said[other] = value
        return said

    def _attempt(self, body: Mapping[str, Any]) -> Reply:
        http = self._http
        deadline = time.monotonic() + self._endpoint.timeout_seconds
        with self._lock:
            self.n_attempts += 1
        received = bytearray()
        url = f"{self._endpoint.base_url.rstrip('/')}/chat/completions"
        try:
            with self._client.stream("POST", url, json=body) as response:
                for part in response.iter_bytes():
                    received += part
                    if time.monotonic() > deadline:
                        raise _Fault("timeout", may_cost=True)
                    if len(received) > MOST_BYTES:
                        raise _Fault("answer too long", may_cost=True)
                status, headers = response.status_code, response.headers
        except (http.ConnectError, http.ConnectTimeout, http.PoolTimeout, http.ProxyError) as error:
            raise _Fault("not reachable", may_cost=False) from error
        except http.TimeoutException as error:
            raise _Fault("timeout", may_cost=True) from error
        except (http.TransportError, http.DecodingError) as error:
            raise _Fault("connection broken", may_cost=True) from error
        found = _json(bytes(received))
        if status == 200:
            return _reply(found)
        raise self._failure(status, headers, found, body)

    def _failure(self, status: int, headers: Mapping[str, str], found: Any, body: Mapping[str, Any]) -> Exception:
        """Return what an error status means: a fault that may pass, or an end."""
        error = found.get("error") if isinstance(found, dict) else None
        error = error if isinstance(error, dict) else {"message": error if isinstance(error, str) else ""}
        code, message = str(error.get("code") or ""), self._without_key(str(error.get("message") or ""))
        if code == "insufficient_quota" or status == 402:
            return RerankError("teacher_quota_spent", host=self._host)
        if status in _PASSING or status >= 500:
            return _Fault(f"HTTP {status}", may_cost=status in _MAY_COST, wait_seconds=_asked_wait(headers))
        if status in (401, 403):
            return RerankError("teacher_key_refused", host=self._host, variable=KEY_VARIABLE)
        if status == 404:
            return RerankError("teacher_model_unknown", host=self._host, model=self._endpoint.model)
        about = f"{error.get('param') or ''} {message}"
        for name, other in _DIALECTS.items():
            if status in (400, 422) and name in body and name in about.replace(other or "\0", ""):
                self._dropped[name] = other
                return _Fault(f"{name} not taken", may_cost=False)
        return RerankError("teacher_refuses", host=self._host, status=status, reason=message or code or "–")

    def _without_key(self, text: str) -> str:
        if self._endpoint.key:
            text = text.replace(self._endpoint.key, "…")
        return " ".join(text.split())[:MOST_LETTERS_OF_REASON]


def _json(received: bytes) -> Any:
    try:
        return json.loads(received)
    except (ValueError, RecursionError):
        return None


def _asked_wait(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that `Retry-After` asks for, given as seconds or as a date; None when it does not."""
    given = headers.get("retry-after", "").strip()
    with contextlib.suppress(ValueError):
        seconds = float(given)
        return max(0.0, seconds) if seconds == seconds else None
    with contextlib.suppress(ValueError, TypeError):
        until = email.utils.parsedate_to_datetime(given)
        if until.tzinfo is None:
            until = until.replace(tzinfo=datetime.UTC)
        return max(0.0, (until - datetime.datetime.now(datetime.UTC)).total_seconds())
    return None


def _reply(found: Any) -> Reply:
    """Read a chat completion. Raises _Fault for anything else: it is asked again and never kept."""
    try:
        choice = found["choices"][0]
        message = choice["message"]
        content, finish = message.get("content"), str(choice.get("finish_reason") or "")
    except (TypeError, KeyError, IndexError, AttributeError) as error:
        raise _Fault("wrong JSON", may_cost=True) from error
    if not (content is None or isinstance(content, str)):
        raise _Fault("wrong JSON", may_cost=True)
    usage = found.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    return Reply(
        content=content,
        is_refusal=bool(message.get("refusal")) or finish == "content_filter",
        finish_reason=finish,
        alternatives=_alternatives(choice.get("logprobs")),
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
    )


def _count(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _alternatives(logprobs: Any) -> tuple[Mapping[str, float], ...]:
    """Return each token's alternatives with their log-probabilities; empty where they are not given or broken."""
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    found: list[Mapping[str, float]] = []
    for token in tokens if isinstance(tokens, list) else []:
        given = token.get("top_logprobs") if isinstance(token, dict) else None
        pairs = [item for item in given or [] if isinstance(item, dict)]
        found.append(
            {
                str(item["token"]): float(item["logprob"])
                for item in pairs
                if "token" in item and isinstance(item.get("logprob"), (int, float))
            }
        )
    return tuple(found)
