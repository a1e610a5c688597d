"""`python -m rerank.serving`: the demo's resident process, on loopback, for whoever knows its key."""

import json
import os
import secrets
import sys
import traceback
from multiprocessing.connection import Connection, Listener
from multiprocessing.context import AuthenticationError
from threading import Lock, Thread, Timer

from rerank.errors import RerankError
from rerank.jobs.demo import address_path
from rerank.serving.engine import Engine
from rerank.store.artefacts import write_json

IDLE_SECONDS = 900.0


class _Idle:
    """Ends the process when nobody has asked for a while: models are large."""

    def __init__(self) -> None:
        self._timer: Timer | None = None

    def touch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = Timer(IDLE_SECONDS, lambda: os._exit(0))
        self._timer.daemon = True
        self._timer.start()


def _serve(connection: Connection, engine: Engine, turn: Lock) -> None:
    with connection:
        try:
            asked = json.loads(connection.recv_bytes())
            if asked.get("do") == "ping":
                answer: dict[str, object] = {"ok": True}  # alive, even while it answers somebody else
            else:
                with turn:
                    answer = _answer(engine, asked)
            connection.send_bytes(json.dumps(answer).encode())
        except (EOFError, OSError, ValueError):
            return  # whoever asked is gone


def _answer(engine: Engine, asked: dict[str, object]) -> dict[str, object]:
    try:
        names = asked["strategies"]
        if not isinstance(names, list):
            raise RerankError("demo_not_ready", cause="strategies")
        depth = int(str(asked["depth"]))
        found = engine.answer(str(asked["experiment"]), str(asked["query"]), [str(name) for name in names], depth)
        return {"ok": True, **found}
    except RerankError as error:
        return {"ok": False, "code": error.code, "facts": {name: str(fact) for name, fact in error.facts.items()}}
    except Exception as error:
        traceback.print_exc()
        return {"ok": False, "code": "demo_not_ready", "facts": {"cause": type(error).__name__}}


def main() -> int:
    """Listen until idle; the address and key are in a file that only this user can read."""
    key = secrets.token_bytes(32)
    idle, turn = _Idle(), Lock()
    with Listener(("127.0.0.1", 0), authkey=key) as listener:
        write_json(address_path(), {"port": listener.address[1], "key": key.hex(), "pid": os.getpid()}, mode=0o600)
        idle.touch()
        engine = Engine()
        while True:
            try:
                connection = listener.accept()
            except (AuthenticationError, OSError, EOFError):
                continue
            idle.touch()
            Thread(target=_serve, args=(connection, engine, turn), daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
