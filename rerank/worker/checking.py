"""What a language model is asked for its audit alone, about a few judged queries: the same once more, and probes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rerank.planning.splits import spread
from rerank.retrieval.candidates import document_text
from rerank.teacher.asking import Asker, Question, Tally
from rerank.teacher.checking import Probe, checks_of, is_fooled, planned_checks, planned_probe
from rerank.teacher.language_model import Said, Task
from rerank.teacher.prompts import Prompt
from rerank.worker.side_by_side import side_by_side
from rerank.worker.workbench import Workbench

ROUNDS = ("query_id", "doc_id", "round", "score", "position", "is_shuffled")


@dataclass(frozen=True)
class Checks:
    """What was found: rounds as `Asked` has them, and of probed queries whether the teacher fell for it.

    probed: query_id, rose (0 or 1).
    """

    rounds: pd.DataFrame
    probed: pd.DataFrame


NO_CHECKS = Checks(pd.DataFrame(columns=list(ROUNDS)), pd.DataFrame(columns=["query_id", "rose"]))


def planned(bench: Workbench, prompt: Prompt, tasks: Sequence[Task]) -> list[Question]:
    """Return questions like those that `check` will ask; some are not asked where an answer leaves nothing to check."""
    kind, model = bench.plan.teacher, bench.plan.llm
    found = [question for task in _some(bench, tasks) for question in planned_checks(kind, model, prompt, task)]
    for probe in _probes(bench, tasks, None):
        found += planned_probe(kind, model, prompt, probe)
    return found


def check(bench: Workbench, asker: Asker, prompt: Prompt, tasks: Sequence[Task], said: Mapping[str, Said]) -> Checks:
    """Ask about `llm.checked_queries` judged queries once more, and as many with the query in an irrelevant document.

    Queries without a usable answer are left out: there is nothing to compare with.
    """
    kind, model = bench.plan.teacher, bench.plan.llm
    known = [task for task in tasks if None not in said[task.query_id].scores]
    asked = {task.query_id: task for task in _some(bench, known)}
    found = side_by_side(bench, asker, list(asked.values()), lambda task: checks_of(kind, asker, model, prompt, task))
    rows = [
        (
            query_id,
            doc_id,
            model.passes + number,
            score,
            item.positions[place] if item.positions else None,
            item.is_shuffled,
        )
        for query_id, rounds in found.items()
        for number, item in enumerate(rounds)
        for place, (doc_id, score) in enumerate(zip(asked[query_id].doc_ids, item.scores, strict=True))
    ]
    probes = {probe.task.query_id: probe for probe in _probes(bench, known, said)}
    fell = side_by_side(
        bench,
        asker,
        [probe.task for probe in probes.values()],
        lambda task: is_fooled(kind, asker, model, prompt, probes[task.query_id]),
    )
    probed = [(query_id, float(rose)) for query_id in probes if (rose := fell[query_id]) is not None]
    rounds = pd.DataFrame(rows, columns=list(ROUNDS)).sort_values(["query_id", "round"], kind="stable")
    return Checks(rounds.reset_index(drop=True), pd.DataFrame(probed, columns=["query_id", "rose"]))


def spent_on_checks(before: Tally, after: Tally) -> dict[str, Any]:
    """Return what the record says of the answers that were for the audit alone."""
    prompt, completion = after.prompt_tokens - before.prompt_tokens, after.completion_tokens - before.completion_tokens
    return {
        "n_check_answers": after.n_answers - before.n_answers,
        "check_tokens": prompt + completion,
        "check_usd": after.usd - before.usd,
    }


def _some(bench: Workbench, tasks: Sequence[Task]) -> list[Task]:
    chosen = set(spread([task.query_id for task in tasks], bench.plan.llm.checked_queries))
    return [task for task in tasks if task.query_id in chosen]


def _probes(bench: Workbench, tasks: Sequence[Task], said: Mapping[str, Said] | None) -> list[Probe]:
    """Return probes of some queries: the last document that is judged irrelevant begins with the query.

    said: leaves out documents that the teacher already puts above every relevant one; they can show nothing. None
    before it has been asked.
    """
    judgments = bench.dataset.judgments
    mine = judgments[judgments["query_id"].isin({task.query_id for task in tasks})]
    grades = dict(zip(zip(mine["query_id"], mine["doc_id"], strict=True), mine["grade"], strict=True))
    found = {}
    for task in tasks:
        known = [grades.get((task.query_id, doc_id)) for doc_id in task.doc_ids]
        rivals = [
            place for place, grade in enumerate(known) if grade is not None and grade >= bench.plan.relevant_grade
        ]
        poor = [place for place, grade in enumerate(known) if grade is not None and grade < bench.plan.relevant_grade]
        scores = [0.0] * len(known) if said is None else [score or 0.0 for score in said[task.query_id].scores]
        best = max((scores[place] for place in rivals), default=0.0)
        poor = [place for place in poor if scores[place] <= best]
        if rivals and poor:
            text = document_text(task.query, task.documents[poor[-1]])
            found[task.query_id] = Probe(task, poor[-1], text, tuple(rivals), best)
    return [found[query_id] for query_id in spread(list(found), bench.plan.llm.checked_queries)]
