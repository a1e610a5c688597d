"""The benchmark compares the same work, and its figures have the names that are documented."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from rerank.bench import __main__ as bench
from rerank.bench import scoring, training, whole_plan
from rerank.bench.training import own_step, peer_step, usual_dropout
from rerank.bench.work import Work
from rerank.models.cross_encoder import load_cross_encoder
from rerank.models.devices import Device, pick_device
from rerank.models.sources import find_model
from rerank.models.token_store import TokenStore, load_tokenizer
from rerank.planning.experiments import experiment_folder, load_locked
from rerank.planning.plan import PLAIN
from rerank.store.artefacts import write_json
from rerank.worker.experiment import ExperimentSpec, Prepared, prepare
from rerank.worker.reporter import Reporter
from tests.models import make_tiny_model

# What the peers and their converters warn about is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "benchmark.md"
WORDS = "red apple tree zebra 9 blue river stone lamp 7 gold cat".split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("bench") / "model")


def tiny_work(folder: Path, n_lists: int = 4, list_length: int = 8) -> Work:
    texts = {f"q{place}": f"{WORDS[place % 5]} 7" for place in range(n_lists)}
    texts |= {f"d{place}": " ".join(WORDS[place % 5 : place % 5 + 2 + place % 3]) for place in range(20)}
    tokens = TokenStore(load_tokenizer(folder))
    for role, letter in (("query", "q"), ("document", "d")):
        named = {name: text for name, text in texts.items() if name.startswith(letter)}
        tokens.add(role, list(named), list(named.values()))
    lists = tuple(
        (f"q{place}", tuple(f"d{(place + step) % 20}" for step in range(list_length))) for place in range(n_lists)
    )
    return Work(find_model(str(folder)), tokens, 64, lists, texts)


@pytest.fixture(scope="module")
def exact() -> Device:
    return replace(pick_device("cpu"), dtype="fp32")


def test_both_sides_train_on_the_same_loss_step_after_step(
    folder: Path, exact: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "LEARNING_RATE", 3e-3)  # the tiny model's first logits hardly differ
    work = tiny_work(folder)
    own, _ = own_step(work, exact, 0.0, 2)
    peer = peer_step(work, exact, 0.0, 2, whole=True, bf16=False)
    ours, theirs = [own() for _ in range(6)], [peer() for _ in range(6)]
    assert ours == pytest.approx(theirs, abs=2e-6)
    assert ours[0] - ours[4] > 5e-5  # the same lists again, and both have learnt from them


def test_the_usual_dropout_is_the_models_own_and_both_sides_drop(folder: Path, exact: Device) -> None:
    work = tiny_work(folder)
    assert usual_dropout(work) == 0.1
    for step_of in (
        lambda share: own_step(work, exact, share, 2)[0],
        lambda share: peer_step(work, exact, share, 2, whole=True, bf16=False),
    ):
        assert step_of(0.0)() != pytest.approx(step_of(0.5)(), abs=1e-4)


@pytest.fixture(scope="module")
def measured(folder: Path, exact: Device) -> dict[str, Any]:
    """All figures of tiny work; plans, which take minutes, are counted and not run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(whole_plan, "_seconds", lambda strategies, *_, **__: float(len(strategies)))
        patch.setattr(bench, "pick_device", lambda _: exact)
        patch.setattr(bench, "make_work", lambda n, list_length=8, **_: tiny_work(folder, min(n, 100), list_length))
        found = bench.measure("cpu", quick=True)
    return found


def test_every_side_scores_the_same(measured: dict[str, Any]) -> None:
    found = measured["scoring"]["largest_difference"]
    assert found["ours"] < 1e-5
    assert found["st_default"] < 1e-6


class FakePeer:
    """A peer that notes with what it is asked instead of scoring."""

    def __init__(self, dtype: torch.dtype, asked: list[tuple[str, int, int]]) -> None:
        self.name = {torch.float32: "fp32", torch.bfloat16: "bf16"}[dtype]
        self.asked = asked

    def predict(self, texts: Sequence[tuple[str, str]], batch_size: int, **_: object) -> list[float]:
        self.asked.append((self.name, batch_size, len(texts)))
        return [0.0] * len(texts)


@pytest.mark.parametrize(
    ("has_bf16", "fastest"), [(False, ("fp32", 64)), (True, ("fp32", 16)), (True, ("bf16", 128)), (True, ("bf16", 16))]
)
def test_the_peers_best_is_the_fastest_of_every_batch_size_in_every_number_type(
    folder: Path, exact: Device, monkeypatch: pytest.MonkeyPatch, has_bf16: bool, fastest: tuple[str, int]
) -> None:
    work = tiny_work(folder)
    encoder = load_cross_encoder(folder, work.tokens.template, exact, seed=0)
    asked: list[tuple[str, int, int]] = []

    def timed(sides: dict[str, Any], n_rounds: int) -> dict[str, list[float]]:
        """The fastest has one slow round, as on a busy machine."""
        seconds = {}
        for name, run in sides.items():
            run()
            seconds[name] = [9.0, 1.0] if asked[-1][:2] == fastest else [2.0, 2.0]
        return seconds

    monkeypatch.setattr(scoring, "alternate", timed)
    monkeypatch.setattr(scoring, "peer_model", lambda _encoder, _work, dtype: FakePeer(dtype, asked))
    device = replace(exact, dtype="bf16" if has_bf16 else "fp32")
    dtype, size, best = scoring.tuned_peer(encoder, work, device, FakePeer(torch.float32, asked))
    types = ("fp32", "bf16") if has_bf16 else ("fp32",)
    assert [item[:2] for item in asked] == [(name, one) for name in types for one in scoring.PEER_BATCHES]
    assert (dtype, size) == fastest
    best()
    assert asked[-1] == (*fastest, len(work.named))


def test_the_ratio_to_the_peers_best_is_that_of_its_own_runs_without_bf16_too(
    folder: Path, exact: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"ours": [1.0, 1.0], "st_default": [4.0, 4.0], "st_best": [3.0, 3.0]}
    monkeypatch.setattr(scoring, "alternate", lambda sides, _: {name: known.get(name, [5.0]) for name in sides})
    monkeypatch.setattr(scoring, "openvino_scorer", lambda *_: None)
    found = scoring.bench_scoring(tiny_work(folder), exact, 2)
    assert (found["vs_st_default"], found["vs_st_best"]) == (4.0, 3.0)
    assert (found["st_best_dtype"], found["st_best_batch_size"]) == ("fp32", scoring.PEER_BATCHES[0])
    assert found["largest_difference"]["st_best"] < 1e-6


def test_the_figures_are_named_as_documented(measured: dict[str, Any]) -> None:
    rows = re.findall(r"^\| `([\w.]+)` \|", DOCUMENT.read_text(encoding="utf-8"), flags=re.M)
    present = {name for part in ("scoring", "training", "growth", "plan") for name in _names(part, measured[part])}
    documented = set(rows)
    assert {name for name in present if _is_figure(name)} <= documented
    for name in documented:
        found: Any = measured
        for key in name.split("."):
            assert key in found, name
            found = found[key]


def _names(prefix: str, record: dict[str, Any]) -> list[str]:
    return [f"{prefix}.{key}" for key in record]


def _is_figure(name: str) -> bool:
    return not re.search(r"\.(st|openvino)_\w+_?pairs_per_s$|\.openvino_pairs_per_s$", name)


def test_cost_is_measured_at_once_ten_and_a_hundred_times_the_pairs(measured: dict[str, Any]) -> None:
    for part in ("scoring", "training"):
        runs = measured["growth"][part]["runs"]
        assert [run["n_pairs"] for run in runs] == [2, 20, 200]
        assert all(run["pairs_per_s"] == pytest.approx(run["n_pairs"] / run["seconds"]) for run in runs)
        growth = (runs[2]["seconds"] / 200) / (runs[0]["seconds"] / 2)
        assert measured["growth"][part]["per_pair_growth"] == pytest.approx(growth)


@pytest.mark.parametrize(("quick", "n_strategies", "n_seeds"), [(False, 7, 3), (True, 3, 1)])
def test_the_whole_plan_is_done_in_one_and_each_strategy_by_itself(
    monkeypatch: pytest.MonkeyPatch, exact: Device, quick: bool, n_strategies: int, n_seeds: int
) -> None:
    asked: list[tuple[str, ...]] = []

    def seconds(strategies: Any, *_: Any, **__: Any) -> float:
        asked.append(tuple(strategies))
        return float(len(strategies))

    monkeypatch.setattr(whole_plan, "_seconds", seconds)
    found = whole_plan.bench_plan(exact, quick=quick)
    assert len(found["strategies"]) == n_strategies
    assert asked == [tuple(found["strategies"]), *(("first-stage", name) for name in found["strategies"][1:])]
    assert found["n_seeds"] == n_seeds
    assert found["vs_separate"] == pytest.approx((n_strategies - 1) * 2 / n_strategies)
    assert quick or tuple(found["strategies"]) == PLAIN


def prepared_only(patch: pytest.MonkeyPatch, left_out: tuple[str, ...] = ()) -> list[Prepared]:
    """Let experiments be prepared as ever and then end with a result of what is left; return the list they fill."""
    found: list[Prepared] = []

    def run(spec: ExperimentSpec, reporter: Reporter) -> None:
        plan, _ = load_locked(spec.experiment)
        found.append(prepare(plan, plan.strategies, pick_device(spec.device), reporter).without(left_out))
        record = {"strategies": {name: {} for name in found[-1].names}}
        write_json(experiment_folder(spec.experiment) / "result.json", record)

    patch.setattr(whole_plan, "run_experiment", run)
    return found


def test_the_whole_plan_runs_all_seven_strategies_with_three_seeds(
    monkeypatch: pytest.MonkeyPatch, exact: Device
) -> None:
    found = prepared_only(monkeypatch)
    assert whole_plan._seconds(PLAIN, exact, quick=False) > 0
    (ready,) = found
    assert ready.names == PLAIN
    trained = {("C",), ("D",), ("C", "D"), ("D", "C")}
    assert {(node.path, node.seed) for node in ready.nodes} == {(path, seed) for path in trained for seed in (1, 2, 3)}


@pytest.mark.parametrize("left_out", ["base", "D"])
def test_a_plan_without_one_of_its_strategies_is_given_no_time(
    monkeypatch: pytest.MonkeyPatch, exact: Device, left_out: str
) -> None:
    if left_out == "base":  # the embedded model as it is has no head to rank with
        monkeypatch.setattr(whole_plan, "_with_head", lambda _: "embedded")
    prepared_only(monkeypatch, ("D",) if left_out == "D" else ())
    with pytest.raises(ValueError, match=f"left out: {left_out}$"):
        whole_plan._seconds(("first-stage", left_out), exact, quick=True)


def test_the_table_shows_every_part(measured: dict[str, Any]) -> None:
    text = "\n".join(bench._lines(measured))
    for word in ("scoring", "training", "with dropout", "losses differ", "growth, scoring", "growth, training", "plan"):
        assert word in text
