"""`rerank export`: the model to ship, trained on all queries, as a folder."""

import argparse
from pathlib import Path

from rerank.cli.output import output_folder, writing_to
from rerank.cli.run import exit_code, watch
from rerank.errors import RerankError
from rerank.jobs.launch import start
from rerank.planning.experiments import load_result
from rerank.report.exported import RECORD, copy_export, is_replaceable, strategy_to_export
from rerank.store.artefacts import read_json
from rerank.wording.card import exactness, int8_sentence, mixture_sentences
from rerank.wording.language import Say
from rerank.wording.names import strategy_name


def export(given: argparse.Namespace, say: Say) -> int:
    """Export a strategy's model; 0 done, 2 bad input, 3 interrupted."""
    experiment = _experiment_of(given.experiment)
    result = load_result(experiment)
    if result is None:
        raise RerankError("no_result_yet", experiment=experiment)
    strategy = strategy_to_export(result, given.strategy)
    out = output_folder(given.out)
    if not is_replaceable(out):
        raise RerankError("folder_not_empty", path=str(out))
    spec = {"experiment": experiment, "strategy": strategy, "device": given.device}
    job = watch(start("export", {**spec, "onnx": given.onnx or given.int8, "int8": given.int8}), say)
    if job.state != "done":
        return exit_code(job, say)
    with writing_to(out):
        copy_export(experiment, strategy, out)
    record = read_json(out / RECORD)
    print(say("{strategy} is exported.", strategy=strategy_name(say, strategy)))
    for sentence in (exactness(say), *mixture_sentences(say, record)):
        print(sentence)
    if record["int8"] is not None:
        print(int8_sentence(say, record))
    print(say("Written to {folder}", folder=out))
    return 0


def _experiment_of(name: str) -> str:
    """Return the id of an experiment that was named by it or by a folder with its result."""
    path = Path(name).expanduser()
    if not path.is_dir():
        return name
    if not (path / "result.json").is_file():
        raise RerankError("not_a_result", path=str(path))
    return str(read_json(path / "result.json")["experiment"])
