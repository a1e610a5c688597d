"""A real HTTP server on loopback that behaves like an OpenAI-compatible endpoint, with faults on demand."""

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import exp, log
from typing import Any

DOCUMENT = re.compile(r'<document id="\[(\d+)\]">\n(.*?)\n</document>', re.DOTALL)
ONE_DOCUMENT = re.compile(r"<document>\n(.*?)\n</document>", re.DOTALL)
QUERY = re.compile(r"<query>(.*?)</query>", re.DOTALL)
USD_INPUT, USD_OUTPUT = 0.25, 2.0  # per million tokens


def pieces(text: str) -> int:
    """Tokens as this server counts them: a word's pieces of up to four letters, signs, and bytes of other scripts."""
    words = re.findall(r"[A-Za-z]+|\d|[^\sA-Za-z\d]", text)
    return sum(-(-len(word) // 4) if word.isascii() else len(word.encode()) for word in words)


def shared_words(query: str, document: str) -> float:
    """How well a document answers: shared words, then a fixed order by the text itself."""
    asked, told = set(query.lower().split()), document.lower().split()
    return sum(word in asked for word in told) + (sum(document.encode()) % 97) / 1000


class LoopbackEndpoint:
    """What was asked and answered, what it costs, and which faults come before an answer.

    fault: from a request's number and how often its body came before to the name of a fault, None for an answer.
    """

    def __init__(self, fault: Callable[[int, int], str | None] = lambda number, before: None) -> None:
        self.fault = fault
        self.count: Callable[[str], int] = pieces
        self.score: Callable[[str, str], float] = shared_words
        self.key = ""
        self.seconds = 0.0  # that an answer takes
        self.asked: list[dict[str, Any]] = []
        self.answered: Counter[str] = Counter()  # by body
        self.open: Counter[str] = Counter()
        self.times: list[float] = []
        self.headers: list[dict[str, str]] = []
        self.prompt_tokens = self.completion_tokens = 0
        self.most_at_once = 0
        self.has_usage = self.has_logprobs = True
        self.refused_words: dict[str, str] = {}  # parameter: message
        self.base_url = ""
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def bill_usd(self) -> float:
        return (self.prompt_tokens * USD_INPUT + self.completion_tokens * USD_OUTPUT) / 1e6

    def begin(self, body: str, headers: dict[str, str]) -> tuple[dict[str, Any], str | None]:
        with self._lock:
            request = json.loads(body)
            number, before = len(self.asked), self._seen[body]
            self._seen[body] += 1
            self.asked.append(request)
            self.headers.append(headers)
            self.times.append(time.monotonic())
            self.open[body] += 1
            self.most_at_once = max(self.most_at_once, self.open.total())
            return request, self.fault(number, before)

    def end(self, body: str) -> None:
        with self._lock:
            self.open[body] -= 1

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        content = request["messages"][-1]["content"]
        query = QUERY.findall(content)[0]
        listed = DOCUMENT.findall(content)
        logprobs = None
        if listed:
            order = sorted(listed, key=lambda item: -self.score(query, item[1]))
            said = " > ".join(f"[{number}]" for number, _ in order)
        else:
            value = min(2.9, self.score(query, ONE_DOCUMENT.findall(content)[0]))
            low = int(value)
            shares = {str(low): 1 - (value - low), str(low + 1): value - low}
            said = max(shares, key=lambda grade: shares[grade])
            top = [{"token": token, "logprob": log(max(share, exp(-20)))} for token, share in shares.items()]
            logprobs = {"content": [{"token": said, "logprob": -0.1, "top_logprobs": top}]}
        choice: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
        choice["message"] = {"role": "assistant", "content": said}
        if self.has_logprobs and request.get("logprobs"):
            choice["logprobs"] = logprobs
        reply: dict[str, Any] = {"id": "x", "object": "chat.completion", "choices": [choice]}
        used = {
            "prompt_tokens": 11 + sum(self.count(message["content"]) for message in request["messages"]),
            "completion_tokens": 1 + self.count(said),
        }
        with self._lock:
            self.prompt_tokens += used["prompt_tokens"]
            self.completion_tokens += used["completion_tokens"]
        if self.has_usage:
            reply["usage"] = used
        return reply


def _handler(endpoint: LoopbackEndpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else headers wait for the client to confirm, 40 ms a question

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

        def send(self, status: int, payload: Any, **headers: str) -> None:
            data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(data)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            request, fault = endpoint.begin(body, dict(self.headers.items()))
            try:
                self.serve(request, fault, body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            finally:
                endpoint.end(body)

        def serve(self, request: dict[str, Any], fault: str | None, body: str) -> None:
            if self.path != "/v1/chat/completions":
                return self.send(404, {"error": {"message": "no such path"}})
            if endpoint.key and self.headers.get("Authorization") != f"Bearer {endpoint.key}":
                return self.send(401, {"error": {"message": f"wrong: {self.headers.get('Authorization')}"}})
            for name, message in endpoint.refused_words.items():
                if name in request:
                    return self.send(400, {"error": {"message": message, "param": name}})
            time.sleep(endpoint.seconds)
            if fault is None:
                reply = endpoint.answer(request)
                self.send(200, reply)
                endpoint.answered[body] += 1
            elif fault.startswith("429"):
                wait = fault.partition(":")[2]
                self.send(429, {"error": {"message": "slow down"}}, **({"Retry_After": wait} if wait else {}))
            elif fault == "quota":
                self.send(429, {"error": {"message": "pay", "code": "insufficient_quota"}})
            elif fault == "500":
                self.send(500, b"<html>oops</html>")
            elif fault == "504":  # the gateway gave up; the model behind it answered, and is paid
                endpoint.answer(request)
                self.send(504, {"error": {"message": "gateway time-out"}})
            elif fault == "echo":  # a proxy that puts the request's headers into its error page
                said = f"bad request from {self.headers.get('Authorization')}"
                self.send(400, {"error": {"message": said}})
            elif fault == "half":
                data = json.dumps(endpoint.answer(request)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data[: len(data) // 2])
                self.close_connection = True
            elif fault == "timeout":
                time.sleep(1.0)
                self.close_connection = True
            elif fault == "drip":
                self.send_response(200)
                self.send_header("Content-Length", "10000")
                self.end_headers()
                for _ in range(30):
                    self.wfile.write(b" ")
                    self.wfile.flush()
                    time.sleep(0.05)
                self.close_connection = True
            elif fault == "wrong_json":
                self.send(200, {"result": "fine"})
            elif fault == "no_json":
                self.send(200, b"{'choices': ")
            elif fault == "refusal":
                reply = endpoint.answer(request)
                reply["choices"][0]["message"] = {"role": "assistant", "content": None, "refusal": "I cannot."}
                reply["choices"][0].pop("logprobs", None)
                self.send(200, reply)
                endpoint.answered[body] += 1
            else:
                reply = endpoint.answer(request)
                reply["choices"][0]["message"]["content"] = fault
                reply["choices"][0].pop("logprobs", None)
                self.send(200, reply)
                endpoint.answered[body] += 1

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that goes away is part of the tests."""


@contextmanager
def running(endpoint: LoopbackEndpoint) -> Iterator[LoopbackEndpoint]:
    """Serve on a free port of this machine until the end of the block."""
    server = _Server(("127.0.0.1", 0), _handler(endpoint))
    endpoint.base_url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
