"""The model card of an export: what it is, what was measured and what was not, and how to serve it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from rerank.wording.inheritance import inheritance_sentences
from rerank.wording.language import Say, speaker
from rerank.wording.names import FIRST_STAGES, POOLS, SPLITS, STRATEGY_EXPLANATIONS, name_of, strategy_name
from rerank.wording.numbers import count, delta, interval, milliseconds, score
from rerank.wording.serving_commands import honesty, serving_commands
from rerank.wording.verdicts import comparison_sentence, reservations, significance, verdict_name

_MEANING = re.compile(r"([\\`*_\[\]<>|#])")
# The names under which hubs know the models that come with the program.
_HUB_NAMES: Mapping[str, str] = {"all-MiniLM-L6-v2": "sentence-transformers/all-MiniLM-L6-v2"}


@dataclass(frozen=True)
class Section:
    """One part of a card: paragraphs, then a table, bullets and blocks of (language, code)."""

    title: str
    lines: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    bullets: tuple[str, ...] = ()
    blocks: tuple[tuple[str, str], ...] = ()


@cache
def _template() -> Template:
    # Markdown, not HTML: what users wrote is escaped by `plain` below.
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    return environment.get_template("card.md.jinja")


def plain(text: object) -> str:
    """Return text that Markdown shows as it is, on one line."""
    return _MEANING.sub(r"\\\1", " ".join(str(text).split()))


def card_text(language: str, record: Mapping[str, Any]) -> str:
    """Return the card of an export's record (`export.json`) in a language."""
    say = speaker(language)
    sections = [
        _facts(say, record),
        _measured(say, record),
        _limits(say, record),
        _training(say, record),
        *_fusion(say, record),
        *_onnx(say, record),
        _input(say, record),
        *_serving(say, record),
    ]
    strategy = strategy_name(say, record["strategy"])
    return _template().render(
        header=_header(record),
        title=say("Re-ranker {strategy}: {name}", strategy=strategy, name=plain(record["name"])),
        lead=[
            say(
                "A cross-encoder that re-orders a search's results: a query and a document in, one relevance score out."
            ),
            exactness(say),
        ],
        sections=sections,
    )


def exactness(say: Say) -> str:
    """Return that the numbers are the procedure's and not this very model's."""
    return say(
        "This exact model was not measured; the procedure that made it was. It was trained once more, on all queries "
        "with a relevant document, and no query is left to test it on."
    )


def _header(record: Mapping[str, Any]) -> dict[str, Any]:
    base = record["base_model"]
    header: dict[str, Any] = {
        "base_model": _HUB_NAMES.get(base["name"], base["name"]),
        "library_name": "sentence-transformers",
        "pipeline_tag": "text-ranking",
        "tags": [
            "cross-encoder",
            "reranker",
            "sentence-transformers",
            "transformers",
            *(["onnx"] if record["onnx"] else []),
        ],
    }
    if base["licence"]:
        header = {"license": base["licence"], **header}
    return header


def _facts(say: Say, record: Mapping[str, Any]) -> Section:
    base, model, kpi = record["base_model"], record["model"], record["kpi"]
    explanation = STRATEGY_EXPLANATIONS[record["strategy"]]
    licence = base["licence"] or say("not known: ask whoever made the base model")
    rows = (
        (say("Strategy"), plain(say(explanation))),
        (say("Base model"), f"{plain(base['name'])} · {base['digest'][:12]}"),
        (say("Licence of the base model"), plain(licence)),
        (say("Architecture"), plain(model["architecture"])),
        (say("Longest pair"), say("{n} tokens", n=count(model["max_length"]))),
        (say("Size of the weights"), _megabytes(model["bytes"])),
        (say("Dataset"), f"{plain(record['dataset']['name'])} · {record['dataset']['digest']}"),
        (say("Plan"), f"{record['plan']['digest']} · {record['plan']['locked_at']}"),
        (say("How queries are divided"), name_of(say, SPLITS, record["plan"]["split"])),
        (say("First stage"), f"{name_of(say, FIRST_STAGES, kpi['first_stage'])}, {kpi['depth']}"),
        (say("Candidates"), name_of(say, POOLS, kpi["pool"])),
        (say("Experiment"), str(record["experiment"])),
        (say("Version"), f"rerank {record['code_version']}"),
    )
    return Section(say("The model"), columns=(say("What"), say("Value")), rows=rows)


def _megabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.1f} MB"


def _measured(say: Say, record: Mapping[str, Any]) -> Section:
    kpi = record["kpi"]
    rows = []
    for item in kpi["comparisons"]:
        rows.append(
            (
                strategy_name(say, item["reference"]),
                delta(item["delta"]),
                interval(item["ci_low"], item["ci_high"]),
                verdict_name(say, item["verdict"]),
                significance(say, item),
                count(item["n_queries"]),
                say("confirmatory") if item["confirmatory"] else say("exploratory"),
            )
        )
    columns = (
        say("Compared with"),
        f"Δ {kpi['measure']}",
        say("95 % interval"),
        say("Verdict"),
        say("Significance"),
        say("Queries"),
        say("Kind"),
    )
    mean = say(
        "{measure} of the procedure: {value}, the mean over {n} test queries. Trainings per query: {seeds}.",
        measure=kpi["measure"],
        value=score(kpi["value"]),
        n=count(kpi["n_queries"]),
        seeds=kpi["n_seeds"],
    )
    dev = record["dev"]
    own = say(
        "Of this model only its score on {n} development queries is known: {measure} {value}. They chose its epoch, so "
        "that number flatters it.",
        n=count(dev["n_queries"]),
        measure=dev["measure"],
        value=score(dev["value"]),
    )
    spoken = [
        say.joined((comparison_sentence(say, item), reservations(say, item))).strip() for item in kpi["comparisons"]
    ]
    return Section(say("What was measured"), (mean, own), columns, tuple(rows), tuple(spoken))


def _limits(say: Say, record: Mapping[str, Any]) -> Section:
    kpi = record["kpi"]
    bullets = [
        say(
            "The numbers hold for this sample of queries. If it was not drawn from your traffic, they say little about it."
        ),
        say("A better {measure} offline is not yet a better search for users.", measure=kpi["measure"]),
        say(
            "Documents that nobody judged count as not relevant: of the first ten results, {share} were judged.",
            share=f"{kpi['judged_at_10']:.0%}",
        ),
        say(
            "It was trained to re-order these candidates: {first}, {depth} per query. Behind another search it was not measured.",
            first=name_of(say, FIRST_STAGES, kpi["first_stage"]),
            depth=kpi["depth"],
        ),
        say("Its scores order the documents of one query; between queries they mean nothing."),
    ]
    if kpi["n_seeds"] == 1:
        bullets.append(say("Everything was trained once: training luck is unknown."))
    if record["plan"]["split"] == "kfold":
        bullets.append(say("Folds share training data, so p-values are mildly optimistic."))
    inherited = inheritance_sentences(say, record, record["strategy"])
    if inherited:
        bullets.append(say.joined(dict.fromkeys((*inherited[:2], inherited[-1]))))
    return Section(say("What the numbers do not prove"), bullets=tuple(bullets))


def _training(say: Say, record: Mapping[str, Any]) -> Section:
    training = record["training"]
    rows = []
    for stage in training["stages"]:
        settings = stage["settings"]
        rows.append(
            (
                stage["kind"],
                stage["loss"],
                f"{settings['learning_rate']:.2g}",
                f"{stage['best_epoch']} / {settings['epochs']}",
                str(settings["group_size"]),
                str(settings["queries_per_step"]),
                score(stage["dev_score"]),
                stage["digest"][:12],
            )
        )
    columns = (
        say("Stage"),
        say("Loss"),
        say("Learning rate"),
        say("Epoch kept, of"),
        say("Documents per list"),
        say("Queries per step"),
        say("{measure} on development queries", measure=record["dev"]["measure"]),
        say("Digest"),
    )
    device = training["device"]
    line = say(
        "{n_train} queries trained it, {n_dev} others chose the epoch; seed {seed}; {device}, {dtype}.",
        n_train=count(training["n_train_queries"]),
        n_dev=count(training["n_dev_queries"]),
        seed=training["seed"],
        device=plain(f"{device['kind'].upper()} ({device['name']})"),
        dtype=device["dtype"],
    )
    more = say("All settings are in export.json.")
    return Section(say("How it was trained"), (line, more), columns, tuple(rows))


def _fusion(say: Say, record: Mapping[str, Any]) -> list[Section]:
    fusion = record["fusion"]
    if fusion is None:
        return []
    weights = fusion["weights"]
    names = {
        "model": say("this model"),
        "embedding": say("the encoder all-MiniLM-L6-v2 (cosine)"),
        "first_stage": say("the first stage's own score"),
    }
    rows = tuple((names[name], f"{value:.2f}") for name, value in weights.items())
    terms = " + ".join(f"{value:.2f} * standardised({name}_scores)" for name, value in weights.items() if value)
    code = (
        "import numpy as np\n\n"
        "def standardised(scores):\n"
        "    scores = np.asarray(scores, dtype=float)\n"
        "    centred, spread = scores - scores.mean(), scores.std()\n"
        "    varies = spread > 1e-6 * max(1.0, abs(scores.mean()))\n"
        "    return centred / spread if varies else np.zeros_like(scores)\n\n"
        f"fused = {terms}\n"
    )
    return [
        Section(
            say("The mixture around it"),
            tuple(mixture_sentences(say, record)),
            (say("Source"), say("Weight")),
            rows,
            blocks=(("python", code),),
        )
    ]


def mixture_sentences(say: Say, record: Mapping[str, Any]) -> list[str]:
    """Return that a fused strategy is more than its model, empty for a plain one."""
    fusion = record["fusion"]
    if fusion is None:
        return []
    lines = [
        say(
            "What was measured is not this model alone but a mixture: each source's scores are standardised over a "
            "query's candidates (mean 0, standard deviation 1) and added with weights that are on the model's card. The model's share was fitted "
            "on the {n} development queries. Serving the model without the mixture gives other results than the measured ones.",
            n=count(record["dev"]["n_queries"]),
        )
    ]
    if not fusion["weights"].get("model"):
        lines.append(say("The model's weight is 0: the mixture does without it, and nothing is won by serving it."))
    return lines


def _onnx(say: Say, record: Mapping[str, Any]) -> list[Section]:
    exact, small, dev = record["onnx"], record["int8"], record["dev"]
    if exact is None:
        return []
    columns = (
        say("File"),
        say("Size"),
        say("{measure} on development queries", measure=dev["measure"]),
        say("Latency p50"),
        say("Latency p95"),
    )
    rows = []
    for item in (exact, small):
        if item is not None:
            latency = item["latency_ms"]
            rows.append(
                (
                    item["file"],
                    _megabytes(item["bytes"]),
                    score(item["dev_score"]),
                    milliseconds(latency["p50"]),
                    milliseconds(latency["p95"]),
                )
            )
    lines = [
        say(
            "Logits of the ONNX file and of PyTorch (both fp32, {n} pairs) differ by {difference} of the largest one at "
            "most; {tolerance} is allowed.",
            n=exact["n_checked"],
            difference=f"{exact['difference']:.0e}",
            tolerance=f"{exact['tolerance']:.0e}",
        )
    ]
    if small is not None:
        lines.append(int8_sentence(say, record))
    lines.append(
        say(
            "Latency: one query's {depth} candidates on this machine's CPU with {threads} threads, one query at a time.",
            depth=dev["candidate_depth"],
            threads=exact["n_threads"],
        )
    )
    return [Section("ONNX", tuple(lines), columns, tuple(rows))]


def int8_sentence(say: Say, record: Mapping[str, Any]) -> str:
    """Return what int8 changed, measured on the refit's development queries."""
    small, dev = record["int8"], record["dev"]
    return say(
        "int8 changes {measure} by {delta} on the {n} development queries, 95 % interval {interval}: the model alone, on "
        "this machine's CPU. Another processor may round otherwise.",
        measure=dev["measure"],
        delta=delta(small["dev_delta"]),
        n=count(dev["n_queries"]),
        interval=interval(small["ci_low"], small["ci_high"]),
    )


def _input(say: Say, record: Mapping[str, Any]) -> Section:
    lines = [
        say("The first text is the query, the second the document: “title. text”, or what there is of the two."),
        say(
            "Pairs beyond {n} tokens are cut at the document's end. A query that takes more than half of them is cut "
            "differently by other programs, and then scores differ.",
            n=count(record["model"]["max_length"]),
        ),
    ]
    if record["model"]["passages"] == "max":
        lines.append(
            say(
                "Longer documents were read in passages here, of which the best counts. The commands below read their "
                "beginning only: what they give was not measured."
            )
        )
    return Section(say("Input"), tuple(lines))


def _serving(say: Say, record: Mapping[str, Any]) -> list[Section]:
    intro = Section(say("Serving"), (say("Run these in the model's folder."), honesty(say)))
    return [
        intro,
        *(Section(item.title, item.notes, blocks=item.blocks) for item in serving_commands(say, record)),
    ]
