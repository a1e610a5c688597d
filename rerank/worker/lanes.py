"""Stages side by side: processes that share a device which one training alone does not fill."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Pipe, wait
from typing import Any

from rerank.errors import RerankError
from rerank.jobs.process import ROOT, environment_of_workers
from rerank.models.memory import total_memory
from rerank.models.weights import n_weights
from rerank.planning.graph import StageNode, curve_graph, stage_graph
from rerank.planning.plan import Plan
from rerank.worker.lane import LaneInputs, inputs_of
from rerank.worker.material import trained_pairs
from rerank.worker.stages import stage_digest, stage_record, train_stage
from rerank.worker.teaching import Teaching
from rerank.worker.workbench import Workbench

SETTING = "RERANK_CONCURRENT_STAGES"
# More processes than this share little more of a device and hold much more memory.
MOST = 4
# Below this many floating-point operations a plan is done before further processes have started.
WORTH = {"cpu": 1e13, "cuda": 5e14}
PASSES = 6  # operations per weight and token in training: 2 forward, 4 backward
COPIES = 5  # of the weights in fp32: weights, gradients, two moments of Adam, the best epoch
BESIDES = 1.5 * 2**30  # bytes of a process with its libraries and a micro-batch
SHARE_OF_MEMORY = 0.5
LOOK_SECONDS = 0.5  # between looks at whether to stop
FULL = ("device_out_of_memory", "model_does_not_fit")
GRACE_SECONDS = 20.0  # for a micro-batch to end after a stop


def lanes_for(plan: Plan, bench: Workbench) -> int:
    """Return how many of a plan's stages are trained side by side on this device: 1, 2 or 4.

    The whole plan and the machine decide and not what is left to do: on a CPU the lanes share its threads, and
    threads can move a number, so a continued run must have as many as the interrupted one. The environment
    variable `RERANK_CONCURRENT_STAGES` decides instead where it is set. Raises RerankError `bad_concurrent_stages`.
    """
    device = bench.device
    if device.kind not in WORTH or os.name != "posix":  # elsewhere a process cannot be handed a connection
        return 1
    n_folds = len(bench.folds)
    nodes = stage_graph(plan.strategies, n_folds, plan.seeds) + curve_graph(plan, plan.strategies, n_folds)
    width = sum(node.parent is None for node in nodes)
    asked = _asked()
    if asked:
        if not asked.isdecimal() or int(asked) < 1:
            raise RerankError("bad_concurrent_stages", setting=SETTING, value=asked)
        return max(1, min(int(asked), width))
    size = n_weights(bench.source.folder)
    work = PASSES * size * plan.max_length * sum(trained_pairs(bench, node) for node in nodes)
    if work < WORTH[device.kind]:
        return 1
    fits = int(SHARE_OF_MEMORY * total_memory(device.kind) / (4 * COPIES * size + BESIDES))
    most = min(width, fits, MOST, device.n_threads)  # a GPU's kernels are launched by a thread for each
    return 4 if most >= 4 else 2 if most >= 2 else 1


def is_set() -> bool:
    """Say whether somebody has decided how many stages are trained side by side."""
    return bool(_asked())


def _asked() -> str:
    return os.environ.get(SETTING, "").strip()


def train_stages(bench: Workbench, nodes: Sequence[StageNode], teaching: Teaching) -> dict[StageNode, dict[str, Any]]:
    """Train all nodes that are not on disk, parents before children, several at a time; return their records.

    What a lost process leaves behind is trained here, alone, from its last checkpoint.
    """
    bench.reporter.progress(n_stages=len(nodes), n_stages_done=0)
    records: dict[StageNode, dict[str, Any]] = {}

    def keep(node: StageNode, record: dict[str, Any]) -> None:
        records[node] = record
        bench.reporter.progress(n_stages_done=len(records))

    if bench.lanes > 1:
        digests = {node: stage_digest(bench, node, teaching) for node in nodes}
        for node in nodes:
            if stage_record(digests[node]) is not None:
                keep(node, train_stage(bench, node, teaching))
        waiting: dict[str, StageNode] = {}
        for node in nodes:
            if node not in records:
                waiting.setdefault(digests[node], node)  # equal digests are one stage
        if len(waiting) > 1:
            for node, record in _side_by_side(bench, list(waiting.values()), set(records), teaching):
                keep(node, record)
    for node in nodes:
        if node not in records:
            keep(node, train_stage(bench, node, teaching))
    return records


class _Lane:
    """A process that trains one stage after another, seen from the process that started it."""

    def __init__(self) -> None:
        # A forked process must not use CUDA, nor threads that OpenMP has started before: this one begins anew.
        self.connection, theirs = Pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rerank.worker.lane", str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
            env=environment_of_workers(),
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        self.node: StageNode | None = None
        self.was_heard = False

    def send(self, message: LaneInputs | StageNode | None) -> None:
        """Send its inputs, then a node to train, or None: nothing more comes, a training ends with its micro-batch."""
        with suppress(OSError):  # it has ended already: whoever listens to it finds out
            self.connection.send(message)

    def give(self, node: StageNode) -> None:
        """Let it train a node."""
        self.node = node
        self.send(node)

    def end(self, seconds: float) -> None:
        """Wait for its end, and bring it about after some seconds; at once where it only loads its libraries."""
        try:
            self.process.wait(max(0.0, seconds) if self.was_heard else 0.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.connection.close()


@contextmanager
def _lanes(number: int, inputs: LaneInputs) -> Iterator[list[_Lane]]:
    lanes: list[_Lane] = []
    try:
        for _ in range(number):
            lanes.append(_Lane())
        for lane in lanes:
            lane.send(inputs)
        yield lanes
    finally:
        for lane in lanes:
            lane.send(None)
        ends = time.monotonic() + GRACE_SECONDS
        for lane in lanes:
            lane.end(ends - time.monotonic())


def _side_by_side(
    bench: Workbench, nodes: Sequence[StageNode], known: set[StageNode], teaching: Teaching
) -> Iterator[tuple[StageNode, dict[str, Any]]]:
    """Train in lanes, the first node that can begin in the first free one; give every record when it is there.

    known: nodes that are on disk. A node whose parent is neither known nor given is left out.
    """
    waiting = list(nodes)
    done = set(known)

    def next_one() -> StageNode | None:
        return next((node for node in waiting if node.parent is None or node.parent in done), None)

    with _lanes(min(bench.lanes, len(waiting)), inputs_of(bench, teaching)) as lanes:
        while lanes:
            for lane in lanes:
                if lane.node is None and (node := next_one()) is not None:
                    waiting.remove(node)
                    lane.give(node)
            busy = [lane for lane in lanes if lane.node is not None]
            if not busy:
                break
            bench.reporter.progress(n_side_by_side=len(busy))
            heard = wait([lane.connection for lane in busy], timeout=LOOK_SECONDS)
            for lane in [lane for lane in busy if lane.connection in heard]:
                record = _listen(bench, lane, lanes, busy[0] is lane)
                if record is not None and lane.node is not None:
                    done.add(lane.node)
                    yield lane.node, record
                    lane.node = None
            bench.meter.did()  # a chance to stop
            bench.meter.check_budget()
    bench.reporter.progress(n_side_by_side=1)


def _listen(bench: Workbench, lane: _Lane, lanes: list[_Lane], is_first: bool) -> dict[str, Any] | None:
    """Pass on one message of a lane; return the record of a stage that it has finished.

    is_first: whose step is shown, so that the line does not jump from one training to another.
    Raises what the lane's training was refused for. A lane that is lost leaves the list.
    """
    lane.was_heard = True
    try:
        kind, facts = lane.connection.recv()
    except (EOFError, OSError):
        kind, facts = "lost", {}
    if kind == "event":
        bench.reporter.event(facts.pop("event"), **facts)
    elif kind == "progress" and is_first:
        bench.reporter.progress(**facts)
    elif kind == "expect":
        bench.meter.expect(**facts)
    elif kind == "lies_ahead":
        bench.meter.lies_ahead(**facts)
    elif kind == "did":
        bench.meter.did(**facts)
    elif kind == "done":
        record: dict[str, Any] = facts
        return record
    elif kind == "refused" and facts["code"] not in FULL:
        raise RerankError(facts.pop("code"), **facts)
    elif kind in ("refused", "lost"):  # alone it may have the memory that it lacks beside others
        lane.end(GRACE_SECONDS)
        where = {"strategy": lane.node.strategy, "fold": lane.node.fold, "seed": lane.node.seed} if lane.node else {}
        bench.reporter.event("lane_lost", exit_code=lane.process.returncode, **where)
        lanes.remove(lane)
    return None
