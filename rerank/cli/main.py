"""The command line: `rerank check`, `import`, `run`, `show` and others, the same library as the pages."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from rerank import __version__
from rerank.store.unwritable import refusal
from rerank.wording.errors import error_sentence
from rerank.wording.language import LANGUAGES, Say, speaker

DONE, BAD_INPUT, INTERRUPTED = 0, 2, 3


def _language_of_terminal() -> str:
    spoken = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return spoken[:2] if spoken[:2] in LANGUAGES else "en"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rerank",
        description="Measure on your own queries whether fine-tuning a search re-ranker is worth its cost.",
        epilog="Exit codes: 0 done, 1 a defect in the program (its cause is in the log), 2 bad input, "
        "3 interrupted (the same command continues).",
    )
    parser.add_argument("--version", action="version", version=f"rerank {__version__}")
    parser.add_argument("--lang", choices=sorted(LANGUAGES), default=None, help="language of the output")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    data = argparse.ArgumentParser(add_help=False)
    data.add_argument("data", metavar="DATA", help="folder or file of the sample, or a dataset's digest")
    data.add_argument("--mapping", metavar="TOML", help="which file and column is what")
    data.add_argument("--name", help="name of the dataset; default: the folder's name")

    kept = argparse.ArgumentParser(add_help=False, parents=[data])
    kept.add_argument("--keep-good-rows", action="store_true", help="leave out rows with errors and go on")
    kept.add_argument("--mask-personal-data", action="store_true", help="mask e-mail addresses and telephone numbers")
    kept.add_argument("--segment-by", choices=["length", "form"], help="segments for queries that have none")
    kept.add_argument("--sample-queries", type=int, metavar="N", help="keep N queries, judged ones first")
    kept.add_argument("--sample-documents", type=int, metavar="N", help="keep N documents, judged ones always")
    kept.add_argument(
        "--sample-by",
        choices=["chance", "segment", "frequency"],
        default="chance",
        help="draw queries alike, in proportion to segments, or by how often they were asked",
    )
    kept.add_argument("--sample-seed", type=int, default=1, metavar="N", help="another number draws another sample")

    check = commands.add_parser(
        "check", parents=[data], help="list every finding, and say whether the sample is good enough"
    )
    check.add_argument("--json", metavar="FILE", help="write counts and findings as JSON")
    check.add_argument("--csv", metavar="FILE", help="write the findings as CSV")
    check.add_argument("--to-judge", metavar="FILE", help="write as CSV which judgments would tell the most")

    commands.add_parser("import", parents=[kept], help="check a sample of any size and store it")

    index = commands.add_parser("index", help="build the search index of a large dataset ahead of time")
    index.add_argument("dataset", metavar="DATASET", help="a stored dataset's digest")

    near = commands.add_parser("near-duplicates", help="search all documents of a dataset for near-duplicates")
    near.add_argument("dataset", metavar="DATASET", help="a stored dataset's digest")
    near.add_argument("--csv", metavar="FILE", help="write the documents that repeat others as CSV")
    near.add_argument("--unjudged", metavar="FILE", help="write as CSV which copies of judged documents are unjudged")

    run = commands.add_parser("run", parents=[kept], help="run an experiment and write its result")
    run.add_argument("--plan", metavar="TOML", help="settings on top of the preset; see docs/plan.md")
    run.add_argument("--preset", choices=["quick", "standard"], default="standard")
    run.add_argument(
        "--template",
        choices=["reranking", "second_stage", "label_or_distil"],
        help="the question: sets strategies, locked questions, controls, learning curve on top of the preset",
    )
    run.add_argument("--strategies", help="comma-separated, e.g. first-stage,embedding,C")
    run.add_argument("--seeds", type=int, metavar="N", help="train N times with seeds 1 to N")
    run.add_argument("--max-queries", type=int, metavar="N", help="a seeded sample of the evaluable queries")
    run.add_argument("--base-model", help="embedded, a local folder, or a hub id")
    run.add_argument("--first-stage", choices=["bm25", "embedding", "rrf", "run"])
    run.add_argument("--pool", choices=["corpus", "judged"], help="candidates: search, or each query's judged")
    run.add_argument("--depth", type=int, metavar="N", help="candidates per query")
    run.add_argument(
        "--teacher",
        choices=["embedding", "fusion", "uploaded", "cross-encoder", "causal-lm", "llm-listwise", "llm-pointwise"],
    )
    run.add_argument("--teacher-url", metavar="URL", help="a language model's endpoint; its key: RERANK_TEACHER_KEY")
    run.add_argument(
        "--teacher-model",
        metavar="NAME",
        help="the language model's name there; for cross-encoder and causal-lm a folder or a hub id",
    )
    run.add_argument("--teacher-mode", choices=["windows", "partitions", "single"], help="how lists are asked about")
    run.add_argument("--teacher-usd", type=float, metavar="USD", help="what asking the teacher may cost at most")
    run.add_argument("--device", choices=["auto", "cpu", "cuda", "mps"], default="auto")
    run.add_argument("--gate", type=int, choices=[1, 2], default=2, help="1: single stages only; 2: all")
    run.add_argument("--business", metavar="TOML", help="traffic, value of a success, limits; see docs/money.md")
    run.add_argument("--override-by", metavar="NAME", help="who lets a teacher with a red audit teach all the same")
    run.add_argument("--override-reason", metavar="TEXT", help="and why; both are printed with every result")
    run.add_argument("--out", metavar="DIR", required=True, help="folder for result.json and its files")

    show = commands.add_parser("show", help="print a result")
    show.add_argument("dir", metavar="DIR", help="folder with a result.json, or an experiment's id")

    show.add_argument("--business", metavar="TOML", help="count with these assumptions; see docs/money.md")

    export = commands.add_parser("export", help="train a strategy on all queries and write its model with a card")
    export.add_argument("experiment", metavar="EXPERIMENT", help="an experiment's id, or a folder with its result.json")
    export.add_argument("--out", metavar="DIR", required=True, help="folder for the model")
    export.add_argument("--strategy", help="a trained strategy; default: the one that the decision recommends")
    export.add_argument("--onnx", action="store_true", help="an ONNX file too (needs the onnx extra)")
    export.add_argument("--int8", action="store_true", help="ONNX, and its int8 version with what that changes")
    export.add_argument("--device", choices=["auto", "cpu", "cuda", "mps"], default="auto")

    audit = commands.add_parser(
        "audit-teacher", parents=[kept], help="measure a teacher on judged queries before it teaches"
    )
    audit.add_argument(
        "--teacher", metavar="FILE|NAME", required=True, help="a file with query_id, doc_id, score; or a plan's teacher"
    )
    audit.add_argument("--teacher-model", metavar="NAME", help="of cross-encoder and causal-lm: a folder or a hub id")
    audit.add_argument("--plan", metavar="TOML", help="audit on its development queries only; default: all judged ones")
    audit.add_argument("--json", metavar="FILE", help="write the whole audit as JSON")
    audit.add_argument("--model", metavar="NAME", default="", help="the teacher's model, for the leak check")
    audit.add_argument("--judge", metavar="NAME", default="", help="the model that made the judgments, if one did")
    audit.add_argument("--device", choices=["auto", "cpu", "cuda", "mps"], default="auto")

    benchmark = commands.add_parser(
        "import-benchmark", help="download a public benchmark by its name (needs the ir-datasets extra)"
    )
    benchmark.add_argument("benchmark", metavar="NAME", help="a name of ir_datasets, such as beir/scifact/test")
    benchmark.add_argument("--documents", type=int, metavar="N", default=10_000, help="besides the judged; 10000")
    benchmark.add_argument("--queries", type=int, metavar="N", default=1_000, help="judged queries at most; 1000")
    benchmark.add_argument("--name", help="name of the dataset; default: the benchmark's")

    bench = commands.add_parser("bench", help="measure the engine against its peers (needs the dev extra)")
    bench.add_argument("--quick", action="store_true", help="less work, rougher figures")
    bench.add_argument("--device", choices=["auto", "cpu", "cuda", "mps"], default="auto")
    bench.add_argument("--json", metavar="FILE", help="write all figures as JSON")

    valid = commands.add_parser("validity", help="simulate experiments with a known truth: are the verdicts valid?")
    valid.add_argument("--quick", action="store_true", help="a minute instead of several")
    valid.add_argument(
        "--scores",
        metavar="CSV",
        action="append",
        help="draw from this per_query.csv instead of collections in $RERANK_DATASETS or the sample; may be repeated",
    )
    valid.add_argument("--json", metavar="FILE", help="write all figures as JSON")
    valid.add_argument("--doc", metavar="FILE", default="docs/validity.md", help="the page to write")
    valid.add_argument("--seed", type=int, default=20251125, help="of all draws")

    commands.add_parser("doctor", help="check this installation and machine")
    return parser


def _command(name: str) -> Callable[[argparse.Namespace, Say], int]:
    # Imported when called: `rerank doctor` must work when something else does not import.
    if name == "check":
        from rerank.cli.check import check

        return check
    if name == "import":
        from rerank.cli.import_data import import_data

        return import_data
    if name == "index":
        from rerank.cli.index import index

        return index
    if name == "near-duplicates":
        from rerank.cli.near_duplicates import near_duplicates

        return near_duplicates
    if name == "run":
        from rerank.cli.run import run

        return run
    if name == "show":
        from rerank.cli.show import show

        return show
    if name == "export":
        from rerank.cli.export import export

        return export
    if name == "audit-teacher":
        from rerank.cli.audit_teacher import audit_teacher

        return audit_teacher
    if name == "import-benchmark":
        from rerank.cli.import_benchmark import import_benchmark

        return import_benchmark
    if name == "bench":
        from rerank.cli.bench import bench

        return bench
    if name == "validity":
        from rerank.cli.validity import validity

        return validity
    from rerank.cli.doctor import doctor

    return doctor


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = _parser().parse_args(arguments)
    say = speaker(given.lang or _language_of_terminal())
    try:
        return _command(given.command)(given, say)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `rerank show DIR | head`
        sys.stderr.close()
        return DONE
    except Exception as error:
        refused = refusal(error)
        if refused is None:
            raise
        print(error_sentence(say, refused.code, refused.facts), file=sys.stderr)
        return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
