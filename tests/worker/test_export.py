"""An exported model: equal scores in every program that loads it, and a card that says what was measured."""

import hashlib
import json
import re
import shlex
import shutil
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
import yaml
from scipy import stats
from sentence_transformers import CrossEncoder
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from rerank.cli.main import BAD_INPUT, DONE, main
from rerank.errors import RerankError
from rerank.intake.storage import load_dataset
from rerank.models import onnx_files
from rerank.planning.experiments import export_folder, load_locked
from rerank.planning.splits import evaluable_queries, folds_of, refit_fold
from rerank.report.exported import CARDS, load_export, recommended_strategy, strategy_to_export, zip_bytes
from rerank.ui.pages import TITLES
from rerank.wording.card import card_text, exactness
from rerank.wording.inheritance import inheritance_sentences
from rerank.wording.language import LANGUAGES, speaker
from rerank.wording.serving_commands import DOCUMENTS, QUERY, ServingCommand, serving_commands
from rerank.worker.export import ExportSpec, run_export
from rerank.worker.reporter import Silent
from tests.models import make_tiny_model
from tests.tiny import finished_experiment, tiny_plan
from tests.ui.conftest import _like_one_server, open_page  # noqa: F401 - a fixture for the page

ROOT = Path(__file__).resolve().parents[2]
STRATEGY = "C-then-D+fusion"
# fp32 on both sides; programs pad and batch differently.
TOLERANCE = 1e-5
PAIRS = [
    ("about apple 1", "apple 0. the apple and the bridge number 0"),
    ("about garden 6", "dragon 3. the dragon and the engine number 3"),
    ("about kettle", "k " * 200),  # beyond max_length: cut at the document's end
]


class Listening(Silent):
    """A reporter that remembers which trainings began."""

    def __init__(self) -> None:
        self.started: list[object] = []
        self.known: list[object] = []

    def event(self, kind: str, **facts: object) -> None:
        if kind == "stage_started":
            self.started.append(facts["strategy"])
        if kind == "stage_known":
            self.known.append(facts["strategy"])


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished experiment."""
    strategies = ("first-stage", "embedding", STRATEGY)
    home = tmp_path_factory.mktemp("home")
    return finished_experiment(home, lambda model: tiny_plan(make_tiny_model(model), strategies=strategies))


@pytest.fixture(scope="module")
def exported(experiment: Path) -> Path:
    """The folder of an export with every file there is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RERANK_HOME", str(experiment.parents[1]))
        run_export(ExportSpec(experiment.name, STRATEGY, int8=True, device="cpu"), Silent())
        return export_folder(experiment.name, STRATEGY)


@pytest.fixture(autouse=True)
def _in_its_home(experiment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RERANK_HOME", str(experiment.parents[1]))


@pytest.fixture(scope="module")
def record(exported: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((exported / "export.json").read_text(encoding="utf-8"))
    return found


def plain_scores(folder: Path) -> np.ndarray:
    """Logits by plain transformers in fp32, one pair at a time, with the tokenizer's own settings."""
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    model = AutoModelForSequenceClassification.from_pretrained(str(folder)).eval()
    with torch.no_grad():
        return np.array(
            [float(model(**tokenizer(*pair, truncation=True, return_tensors="pt")).logits) for pair in PAIRS]
        )


def test_transformers_and_sentence_transformers_give_equal_scores(exported: Path) -> None:
    model = CrossEncoder(str(exported), device="cpu", local_files_only=True)
    found = model.predict(PAIRS, convert_to_numpy=True)
    assert np.allclose(found, plain_scores(exported), atol=TOLERANCE, rtol=0)
    assert len(set(np.round(found, 4))) == 3  # three scores, not one: the comparison can fail


def test_programs_cut_a_pair_where_the_training_did(exported: Path, record: dict[str, Any]) -> None:
    longest = record["model"]["max_length"]
    tokenizer = AutoTokenizer.from_pretrained(str(exported))
    assert tokenizer.model_max_length == longest == 48
    assert len(tokenizer(*PAIRS[2], truncation=True)["input_ids"]) == longest
    files = {
        name: json.loads((exported / name).read_text()) for name in ("tokenizer.json", "sentence_bert_config.json")
    }
    assert files["tokenizer.json"]["truncation"]["max_length"] == longest
    assert files["tokenizer.json"]["padding"] is None
    assert files["sentence_bert_config.json"]["max_seq_length"] == longest


def test_the_onnx_file_gives_the_same_logits_in_one_batch(exported: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(str(exported))
    inputs = tokenizer(*map(list, zip(*PAIRS, strict=True)), padding=True, truncation=True, return_tensors="np")
    session = onnxruntime.InferenceSession(str(exported / "onnx" / "model.onnx"))
    names = [item.name for item in session.get_inputs()]
    (logits,) = session.run(["logits"], {name: inputs[name] for name in names})
    assert names == ["input_ids", "attention_mask", "token_type_ids"]  # the order in which OpenSearch hands them over
    assert np.allclose(logits[:, 0], plain_scores(exported), atol=TOLERANCE, rtol=0)


def test_int8_is_smaller_and_its_change_is_measured_on_the_development_queries(record: dict[str, Any]) -> None:
    exact, small = record["onnx"], record["int8"]
    assert small["bytes"] < exact["bytes"]
    assert small["dev_delta"] == pytest.approx(small["dev_score"] - exact["dev_score"], abs=1e-12)
    # The t-interval is symmetric about the mean difference.
    assert (small["ci_low"] + small["ci_high"]) / 2 == pytest.approx(small["dev_delta"], abs=1e-12)
    assert exact["difference"] <= exact["tolerance"] == onnx_files.TOLERANCE
    # fp32 ONNX against the device's own number type: the same model.
    assert exact["dev_score"] == pytest.approx(record["dev"]["value"], abs=0.05)


def test_the_interval_of_the_change_is_scipys() -> None:
    from rerank.worker.export import _interval

    differences = np.array([0.1, -0.05, 0.0, 0.02, 0.3, -0.2])
    known = stats.ttest_1samp(differences, 0.0).confidence_interval(0.95)
    assert _interval(differences) == pytest.approx((known.low, known.high), abs=1e-12)
    assert _interval(np.zeros(4)) == (0.0, 0.0)
    assert _interval(np.array([0.1])) == (None, None)


def test_a_file_with_other_scores_is_refused(exported: Path) -> None:
    class Wrong:
        def scores(self, pairs: object) -> np.ndarray:
            return np.array([9.0])

    model = AutoModelForSequenceClassification.from_pretrained(str(exported)).eval()
    from rerank.models.token_store import load_tokenizer, pair_template

    template = pair_template(load_tokenizer(exported))
    pair = (np.array([2, 5, 3, 6, 3], dtype=np.int32), 3)
    with pytest.raises(RerankError) as raised:
        onnx_files.check_equal(model, Wrong(), [pair], template)  # type: ignore[arg-type]
    assert raised.value.code == "onnx_differs"


def test_every_evaluable_query_trains_or_chooses(experiment: Path, record: dict[str, Any]) -> None:
    plan, _ = load_locked(experiment.name)
    dataset = load_dataset(plan.dataset_digest)
    fold, sealed = refit_fold(dataset, plan), folds_of(dataset, plan)[0]
    assert sorted([*fold.train, *fold.dev]) == sorted(evaluable_queries(dataset, plan))
    assert not set(fold.train) & set(fold.dev)
    assert fold.test == ()
    assert set(fold.dev) == set(sealed.dev)  # never a query that was tested
    training = record["training"]
    assert (training["n_train_queries"], training["n_dev_queries"]) == (len(fold.train), len(fold.dev))
    assert [stage["kind"] for stage in training["stages"]] == ["C", "D"]
    stored = json.loads(
        (experiment.parents[1] / "stages" / training["stages"][0]["digest"] / "config.json").read_text()
    )
    assert set(stored["train"]) == set(fold.train)


def test_every_field_of_the_record_is_documented(record: dict[str, Any]) -> None:
    text = (ROOT / "docs" / "export.md").read_text(encoding="utf-8").split("## export.json")[1]
    rows = [line.strip("| ").split(" | ", 1) for line in text.splitlines() if line.startswith("| `")]
    documented = {name: row for names, row in rows for name in re.findall(r"`(\w+)`", names)}
    assert set(documented) == set(record)
    for name in ("plan", "dataset", "base_model", "model", "training", "fusion", "dev", "kpi", "onnx", "int8"):
        assert set(record[name]) <= set(re.findall(r"`(\w+)`", documented[name])), name
    named = set(re.findall(r"`(\w+)`", documented["training"]))
    assert set(record["training"]["stages"][0]) <= named


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_card_says_what_was_measured_and_what_was_not(
    language: str, exported: Path, record: dict[str, Any]
) -> None:
    text = (exported / CARDS[language]).read_text(encoding="utf-8")
    say = speaker(language)
    header = yaml.safe_load(text.split("---")[1])
    assert header["pipeline_tag"] == "text-ranking"
    assert header["library_name"] == "sentence-transformers"
    assert exactness(say) in text
    for fact in (record["dataset"]["digest"], record["plan"]["digest"], record["training"]["stages"][1]["digest"][:12]):
        assert fact in text
    assert inheritance_sentences(say, record, record["strategy"])[0] in text
    references = [item["reference"] for item in record["kpi"]["comparisons"]]
    assert references == ["first-stage", "embedding"]
    for item in record["kpi"]["comparisons"]:
        assert f"{item['ci_high']:+.3f}".replace("-", "−") in text


def test_a_comparison_that_the_result_lacks_is_made_from_its_scores(experiment: Path, record: dict[str, Any]) -> None:
    result = json.loads((experiment / "result.json").read_text())
    known = {(item["reference"], item["challenger"]) for item in result["comparisons"]}
    assert ("embedding", STRATEGY) not in known
    against = record["kpi"]["comparisons"][1]
    means = {name: result["strategies"][name]["measures"]["nDCG@10"] for name in ("embedding", STRATEGY)}
    assert against["delta"] == pytest.approx(means[STRATEGY] - means["embedding"], abs=1e-9)
    assert against["confirmatory"] is False


def test_what_users_wrote_cannot_shape_the_card(record: dict[str, Any]) -> None:
    evil = "x\n---\n# <b>*boo*</b> | [y](z)"
    text = card_text("en", {**record, "name": evil, "base_model": {**record["base_model"], "name": 'a"\nb: c'}})
    assert yaml.safe_load(text.split("\n---\n")[0].removeprefix("---"))["base_model"] == 'a"\nb: c'
    assert "\n# <b>" not in text
    assert "](z)" not in text.replace("\\](z)", "")


def test_the_cards_python_commands_run(
    exported: Path, record: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (exported / "README.md").read_text(encoding="utf-8")
    blocks = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "opensearch" not in block]
    served = [block for block in blocks if "query =" in block]
    assert len(served) == 3
    monkeypatch.chdir(exported)
    printed = []
    for block in served:
        exec(block, {})
        printed.append(capsys.readouterr().out)
    ranked = {int(line.split()[0]): float(line.split()[1]) for line in printed[0].splitlines()}
    assert np.allclose([ranked[0], ranked[1]], json.loads(printed[1]), atol=TOLERANCE, rtol=0)
    assert np.allclose(json.loads(printed[1]), json.loads(printed[2]), atol=TOLERANCE, rtol=0)
    (mixture,) = [block for block in blocks if "standardised" in block]
    own = {"model": [1.0, 2.0, 4.0], "embedding": [3.0, 0.0, 1.0], "first_stage": [0.0, 9.0, 1.0]}
    weights = {"model": 0.2, "embedding": 0.64, "first_stage": 0.16}  # fifths of fifths: two decimals are exact
    changed = {**record, "fusion": {**record["fusion"], "weights": weights}}
    (mixture,) = re.findall(r"```python\n([^`]*?def standardised.*?)```", card_text("en", changed), re.DOTALL)
    sources: dict[str, Any] = {f"{name}_scores": scores for name, scores in own.items()}
    exec(mixture, sources)
    assert sources["fused"] == pytest.approx(sum(weights[name] * stats.zscore(own[name]) for name in own))


def test_vespas_query_and_document_fill_a_pair(record: dict[str, Any]) -> None:
    (vespa,) = [item for item in serving_commands(speaker("en"), record) if item.title == "Vespa"]
    sizes = [int(size) for _, code in vespa.blocks for size in re.findall(r"d0\[(\d+)\]", code)]
    pair = record["model"]["pair"]
    n_special = len(pair["head"]) + len(pair["middle"]) + len(pair["tail"])
    assert sum(sizes) + n_special == record["model"]["max_length"]
    assert f"customTokenInputIds({pair['head'][0]}, {pair['tail'][0]}, 48," in vespa.blocks[1][1]


AWKWARD = "/models/the cook's model"  # a shell must read it as one word
KINDS = {  # by type: architecture, and whether its pairs have token types
    "bert": ("BertForSequenceClassification", True),
    "roberta": ("RobertaForSequenceClassification", False),
    "xlm-roberta": ("XLMRobertaForSequenceClassification", False),
    "distilbert": ("DistilBertForSequenceClassification", False),
    "electra": ("ElectraForSequenceClassification", True),
    "modernbert": ("ModernBertForSequenceClassification", False),
}


def of_kind(record: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The record as if the model were of another kind."""
    architecture, uses_types = KINDS[kind]
    pair = {**record["model"]["pair"], "uses_types": uses_types}
    return {**record, "model": {**record["model"], "type": kind, "architecture": architecture, "pair": pair}}


def command(title: str, record: Mapping[str, Any], folder: str | None = None) -> ServingCommand:
    """The commands of one system."""
    (found,) = [item for item in serving_commands(speaker("en"), record, folder) if item.title.endswith(title)]
    return found


def shell_lines(code: str) -> list[list[str]]:
    """Every command of a shell block as the words that the shell makes of it."""
    return [shlex.split(line) for line in code.replace("\\\n", " ").splitlines()]


def posted(code: str) -> tuple[str, dict[str, Any]]:
    """The address that curl is given, and the JSON that is sent there."""
    ((program, address, *options),) = shell_lines(code)
    assert program == "curl"
    given = dict(zip(options[::2], options[1::2], strict=True))
    assert given["-H"] == "Content-Type: application/json"
    return address, json.loads(given["-d"])


def asked(code: str) -> list[tuple[str, dict[str, Any]]]:
    """The requests of a console block: its first line, and the JSON below it."""
    parts = [part.partition("\n") for part in code.split("\n\n")]
    return [(line, json.loads(body)) for line, _, body in parts]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("bert", {"(TEI)", "vLLM", "Elasticsearch", "OpenSearch"}),
        ("roberta", {"(TEI)", "vLLM", "Elasticsearch"}),
        ("xlm-roberta", {"(TEI)", "vLLM", "Elasticsearch"}),
        ("distilbert", {"Elasticsearch"}),
        ("electra", {"Elasticsearch", "OpenSearch"}),
        ("modernbert", {"(TEI)"}),
    ],
)
def test_each_system_has_commands_for_the_families_it_runs(
    record: dict[str, Any], kind: str, expected: set[str]
) -> None:
    shown = {name: command(name, of_kind(record, kind)) for name in ("(TEI)", "vLLM", "Elasticsearch", "OpenSearch")}
    assert {name for name, item in shown.items() if item.blocks} == expected
    assert all(item.blocks or item.notes for item in shown.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_card_holds_every_systems_commands(language: str, exported: Path, record: dict[str, Any]) -> None:
    text = (exported / CARDS[language]).read_text(encoding="utf-8")
    for item in serving_commands(speaker(language), record):
        assert item.blocks, item.title
        for name, code in item.blocks:
            assert f"```{name}\n{code}```" in text, item.title


@pytest.mark.parametrize(("depth", "expected"), [(6, 32), (50, 50)])
def test_tei_takes_all_candidates_of_a_query_at_once(record: dict[str, Any], depth: int, expected: int) -> None:
    found = command("(TEI)", {**record, "kpi": {**record["kpi"], "depth": depth}}, AWKWARD)
    (words,) = shell_lines(found.blocks[0][1])
    assert f"{AWKWARD}:/model:ro" in words
    assert words[words.index("--max-client-batch-size") + 1] == str(expected)
    address, body = posted(found.blocks[1][1])
    assert address.endswith("/rerank")
    assert body == {"query": QUERY, "texts": list(DOCUMENTS), "raw_scores": True}


@pytest.mark.parametrize("kind", ["bert", "roberta", "xlm-roberta"])
def test_vllm_serves_the_folder_and_cuts_pairs_where_the_training_did(record: dict[str, Any], kind: str) -> None:
    (_, serve), (_, ask) = command("vLLM", of_kind(record, kind), AWKWARD).blocks
    (words,) = shell_lines(serve)
    assert words[:3] == ["vllm", "serve", AWKWARD]
    address, body = posted(ask)
    assert address.endswith("/rerank")
    assert body["model"] == words[words.index("--served-model-name") + 1]
    assert body["truncate_prompt_tokens"] == record["model"]["max_length"] == 48
    assert (body["query"], body["documents"]) == (QUERY, list(DOCUMENTS))


@pytest.mark.parametrize("kind", ["bert", "roberta", "xlm-roberta", "distilbert", "electra"])
def test_elasticsearch_reranks_as_many_candidates_with_the_model_that_was_loaded(
    record: dict[str, Any], kind: str
) -> None:
    (_, load), (_, ask) = command("Elasticsearch", of_kind(record, kind), AWKWARD).blocks
    install, (program, *options) = shell_lines(load)
    assert install[-1] == "eland[pytorch]"
    assert program == "eland_import_hub_model"
    assert options[options.index("--hub-model-id") + 1] == AWKWARD
    (put, service), (search, body) = asked(ask)
    assert service["service_settings"]["model_id"] == options[options.index("--es-model-id") + 1]
    assert search == "POST my-index/_search"
    retriever = body["retriever"]["text_similarity_reranker"]
    assert put == f"PUT _inference/rerank/{retriever['inference_id']}"
    assert retriever["rank_window_size"] == record["kpi"]["depth"] == 6
    assert retriever["inference_text"] == retriever["retriever"]["standard"]["query"]["match"]["text"] == QUERY


def test_opensearch_is_given_the_onnx_file_its_tokenizer_and_a_pipeline(
    exported: Path, record: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[Any, ...]] = []

    class Client:
        def __init__(self, address: str) -> None:
            self.cluster = SimpleNamespace(put_settings=lambda body: sent.append(("settings", body)))
            self.transport = SimpleNamespace(perform_request=lambda *line, body: sent.append((*line, body)))

    class Models:
        def __init__(self, client: Client) -> None:
            pass

        def register_model(self, model_path: str, model_config_path: str, deploy_model: bool) -> str:
            sent.append(("model", model_path, model_config_path, deploy_model))
            return "the-model"

    monkeypatch.setitem(sys.modules, "opensearchpy", SimpleNamespace(OpenSearch=Client))
    monkeypatch.setitem(sys.modules, "opensearch_py_ml", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "opensearch_py_ml.ml_commons", SimpleNamespace(MLCommonClient=Models))
    monkeypatch.chdir(tmp_path)
    (_, install), (_, code), (_, ask) = command("OpenSearch", record, str(exported)).blocks
    assert shell_lines(install)[0][-2:] == ["opensearch-py", "opensearch-py-ml"]
    exec(code, {})
    _, (_, packed, described, is_deployed), (method, address, pipeline) = sent
    assert is_deployed
    with zipfile.ZipFile(packed) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert set(files) == {"model.onnx", "tokenizer.json"}
    assert files["model.onnx"] == (exported / "onnx" / "model.onnx").read_bytes()
    assert json.loads(files["tokenizer.json"])["truncation"]["max_length"] == record["model"]["max_length"]
    config = json.loads(Path(described).read_text(encoding="utf-8"))
    assert config["model_content_hash_value"] == hashlib.sha256(Path(packed).read_bytes()).hexdigest()
    assert config["model_config"]["model_type"] == "bert"
    assert json.loads(config["model_config"]["all_config"])["architectures"] == ["BertForSequenceClassification"]
    ((search, body),) = asked(ask)
    (processor,) = pipeline["response_processors"]
    assert processor["rerank"]["ml_opensearch"] == {"model_id": "the-model"}
    assert (method, address) == ("PUT", f"/_search/pipeline/{search.partition('search_pipeline=')[2]}")
    assert body["size"] == record["kpi"]["depth"] == 6
    assert body["ext"]["rerank"]["query_context"]["query_text"] == body["query"]["match"]["text"] == QUERY


def test_a_system_that_cannot_run_the_model_gets_no_command(record: dict[str, Any]) -> None:
    say = speaker("en")
    pair = {**record["model"]["pair"], "middle": [2, 2], "uses_types": False}
    odd = {**record["model"], "type": "deberta-v2", "architecture": "DebertaV2ForSequenceClassification", "pair": pair}
    shown = {item.title: item for item in serving_commands(say, {**record, "model": odd, "onnx": None})}
    without = {name for name, item in shown.items() if not item.blocks}
    assert len(without) == 6
    assert all(shown[name].notes for name in without)  # and is told why
    assert {
        name for name in shown if name.startswith("Python: sentence") or name.endswith("transformers")
    } & without == set()


def test_the_results_page_offers_the_folder_and_the_commands(experiment: Path, exported: Path) -> None:
    say = speaker("ja")
    page = open_page("results", lang="ja", experiment=experiment.name)
    assert page.title[0].value == say(TITLES["results"])
    page.selectbox(f"export_strategy_{experiment.name}").select(STRATEGY).run()
    assert not page.exception
    assert say("Take the model with you") in [item.value for item in page.subheader]
    codes = [item.value for item in page.code]
    assert str(exported) in codes
    assert any(str(exported) in code and "docker run" in code for code in codes)
    assert len(zip_bytes(exported)) > (exported / "model.safetensors").stat().st_size


def test_the_command_line_exports_in_a_worker_that_trains_nothing_twice(
    experiment: Path,
    exported: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    home, out = tmp_path / "home", tmp_path / "model"
    shutil.copytree(experiment.parents[1], home)
    monkeypatch.setenv("RERANK_HOME", str(home))
    arguments = ["--lang", "en", "export", str(home / "experiments" / experiment.name), "--strategy", STRATEGY]
    assert main([*arguments, "--out", str(out), "--device", "cpu"]) == DONE
    assert "This exact model was not measured" in capsys.readouterr().out
    (log,) = (home / "jobs").glob("*.jsonl")
    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert [event for event in events if event.startswith("stage")] == ["stage_known", "stage_known"]
    assert (out / "model.safetensors").read_bytes() == (exported / "model.safetensors").read_bytes()
    assert json.loads((out / "export.json").read_text())["onnx"] is None
    assert not (out / "onnx").exists()  # nothing is left of the export that this one replaced
    assert not list((home / "exports" / experiment.name).glob(".*"))


def test_the_command_line_refuses_what_makes_no_sense(
    experiment: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    arguments = ["--lang", "en", "export", experiment.name, "--out"]
    for more, sentence in (
        ([str(tmp_path / "new"), "--strategy", "embedding"], "embedding has no trained model"),
        ([str(tmp_path / "new")], "recommends no trained model"),
        ([str(tmp_path), "--strategy", STRATEGY], "holds something else"),
    ):
        assert main([*arguments, *more]) == BAD_INPUT
        assert sentence in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("code", "single", "second", "expected"),
    [
        ("adopt_single_stage", "C", "C-then-D", "C"),
        ("repair_teacher", "C", None, "C"),
        ("add_second_stage", "C", "C-then-D+fusion", "C-then-D+fusion"),
        ("adopt_free_baseline", "C", None, None),
        ("stop", "C", None, None),
    ],
)
def test_the_recommended_strategy_is_the_decisions(
    code: str, single: str, second: str | None, expected: str | None
) -> None:
    decision = {"code": code, "single_strategy": single, "second_strategy": second}
    result = {"decision": decision, "strategies": {"first-stage": {}, "C": {}, "C-then-D+fusion": {}}}
    assert recommended_strategy(result) == expected
    if expected is None:
        with pytest.raises(RerankError) as raised:
            strategy_to_export(result, None)
        assert raised.value.code == "no_model_recommended"
    else:
        assert strategy_to_export(result, None) == expected


def test_without_the_extra_nothing_is_trained(experiment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_files, "NEEDED", ("no_such_package",))
    listening = Listening()
    with pytest.raises(RerankError) as raised:
        run_export(ExportSpec(experiment.name, "D", onnx=True, device="cpu"), listening)
    assert raised.value.code == "onnx_missing"
    assert listening.started == []
    assert load_export(experiment.name, "D") is None
