"""`python -m rerank.worker.lane FD`: train the stages that another process names, and tell it everything.

FD: the file descriptor of a connection to that process.
"""

import signal
import sys
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, fields
from multiprocessing.connection import Connection
from typing import Any

from rerank.cost.prices import Price
from rerank.errors import RerankError
from rerank.intake.storage import load_dataset
from rerank.models.devices import pick_device
from rerank.models.token_store import TokenStore, load_tokenizer
from rerank.planning.plan import Budget
from rerank.worker.meter import Meter
from rerank.worker.reporter import Stopped
from rerank.worker.stages import train_stage
from rerank.worker.teaching import Teaching
from rerank.worker.workbench import Workbench

# A process has these of its own; the rest of a workbench it is given.
_OWN = ("dataset", "tokens", "reporter", "meter")


@dataclass(frozen=True)
class LaneInputs:
    """What a lane needs to set up a workbench of its own: the other one's fields but for `_OWN`, and the teaching."""

    shared: Mapping[str, Any]
    teaching: Teaching


def inputs_of(bench: Workbench, teaching: Teaching) -> LaneInputs:
    """Return what a lane is given: a teacher's connections and models stay where they are."""
    return LaneInputs(
        {item.name: getattr(bench, item.name) for item in fields(Workbench) if item.name not in _OWN},
        Teaching(teaching.scores, teaching.digest, teaching.unlabelled, teaching.similarities),
    )


class _Relay:
    """A reporter that tells the process which started this one, and stops when that one says so or is gone."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def tell(self, kind: str, facts: dict[str, Any]) -> None:
        """Send one message. Raises Stopped when nobody is there to hear it."""
        try:
            self._connection.send((kind, facts))
        except OSError as error:
            raise Stopped from error

    def event(self, kind: str, **facts: object) -> None:
        """Pass an event on."""
        self.tell("event", {"event": kind, **facts})

    def progress(self, **facts: object) -> None:
        """Pass progress on."""
        self.tell("progress", facts)

    def breathe(self) -> None:
        """Raise `Stopped` when the other side has said that nothing more comes, or has ended."""
        if self._connection.poll():
            raise Stopped


class _RelayedMeter(Meter):
    """A meter whose counts are kept by the process that started this one, as are clock and budget."""

    def __init__(self, relay: _Relay) -> None:
        super().__init__(relay, Price("cpu", "kept elsewhere", "USD/hour", 0.0, "", ""), Budget())
        self._relay = relay

    def expect(self, *, trained_pairs: float = 0, scored_pairs: float = 0) -> None:
        """Pass on what lies ahead."""
        self._relay.tell("expect", {"trained_pairs": trained_pairs, "scored_pairs": scored_pairs})

    def lies_ahead(self, work: Hashable, *, trained_pairs: float = 0, scored_pairs: float = 0) -> None:
        """Pass on what is left."""
        pairs = {"trained_pairs": trained_pairs, "scored_pairs": scored_pairs}
        self._relay.tell("lies_ahead", {"work": work, **pairs})

    def did(self, *, trained_pairs: float = 0, scored_pairs: float = 0, work: Hashable = None) -> None:
        """Pass on what is done."""
        self._relay.tell("did", {"trained_pairs": trained_pairs, "scored_pairs": scored_pairs, "work": work})
        self._relay.breathe()


def serve(connection: Connection) -> None:
    """Receive the inputs, then train one node after another until the other side has no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a key on the terminal reaches both; the other side decides
    inputs: LaneInputs = connection.recv()
    plan, device, source = (inputs.shared[name] for name in ("plan", "device", "source"))
    pick_device(device.kind)  # sets torch up as in the other process
    relay = _Relay(connection)
    bench = Workbench(
        **inputs.shared,
        dataset=load_dataset(plan.dataset_digest),
        tokens=TokenStore(load_tokenizer(source.folder)),
        reporter=relay,
        meter=_RelayedMeter(relay),
    )
    try:
        while (node := connection.recv()) is not None:
            relay.tell("done", train_stage(bench, node, inputs.teaching))
    except (Stopped, EOFError):
        pass
    except RerankError as error:
        relay.tell("refused", {"code": error.code, **error.facts})


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
