"""Asking the demo's resident process, which is started when it is not there."""

import json
import os
import time
from collections.abc import Mapping
from multiprocessing.connection import Client
from multiprocessing.context import AuthenticationError
from pathlib import Path
from typing import Any

from rerank.errors import RerankError
from rerank.jobs.process import spawn
from rerank.store.artefacts import read_json
from rerank.store.home import room

START_SECONDS = 60.0
ANSWER_SECONDS = 120.0


def address_path() -> Path:
    """Return the file that holds the process's port and key."""
    return room("demo") / "address.json"


def _ask(request: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the answer; None when no process listens."""
    try:
        address = read_json(address_path())
        with Client(("127.0.0.1", int(address["port"])), authkey=bytes.fromhex(address["key"])) as connection:
            # JSON and not pickled objects: reading an answer must never run code.
            connection.send_bytes(json.dumps(dict(request)).encode())
            if not connection.poll(ANSWER_SECONDS):
                return None
            found: dict[str, Any] = json.loads(connection.recv_bytes())
            return found
    except (OSError, EOFError, ValueError, KeyError, AuthenticationError):
        return None


def _start() -> None:
    address_path().unlink(missing_ok=True)
    spawn("rerank.serving", [], room("demo") / "output.txt")
    begun = time.monotonic()
    while time.monotonic() - begun < START_SECONDS:
        if address_path().is_file() and _ask({"do": "ping"}):
            return
        time.sleep(0.2)
    raise RerankError("demo_not_ready", cause="start")


def rank_query(experiment: str, query: str, strategies: list[str], depth: int = 10) -> dict[str, Any]:
    """Return each strategy's order for a typed query; see `rerank.serving.engine.Engine.answer`.

    Raises RerankError: what the engine raises, and `demo_not_ready`.
    """
    request = {"do": "rank", "experiment": experiment, "query": query, "strategies": strategies, "depth": depth}
    answer = _ask(request)
    if answer is None:
        if _ask({"do": "ping"}) is None:
            _start()
        answer = _ask(request)
    if answer is None:
        raise RerankError("demo_not_ready", cause="no answer")
    if not answer["ok"]:
        raise RerankError(answer["code"], **answer["facts"])
    return answer


def stop() -> None:
    """End the resident process, if there is one; the next question starts another."""
    if not address_path().is_file():
        return
    pid = int(read_json(address_path())["pid"])
    if _ask({"do": "ping"}) is not None:  # only a process that answers with the key is ours
        os.kill(pid, 15)
    address_path().unlink(missing_ok=True)
