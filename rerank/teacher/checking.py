"""What a language model is asked besides, for its audit alone: is it steady, and does it fall for the query's words?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rerank.planning.plan import LanguageModel
from rerank.teacher.asking import Asker, Question
from rerank.teacher.language_model import Answers, Round, Task, grades_of, one_pass, planned_questions
from rerank.teacher.prompts import Prompt

SEED = 1  # of the question that is asked a second time
SHUFFLE = 1  # as in the second pass, so that a plan with more passes finds this answer


@dataclass(frozen=True)
class Probe:
    """A query's list in which one irrelevant document begins with the query.

    place: that document's. rivals: the places of the relevant ones. best: the teacher's highest score of these.
    """

    task: Task
    place: int
    text: str
    rivals: Sequence[int]
    best: float


def planned_checks(kind: str, model: LanguageModel, prompt: Prompt, task: Task) -> list[Question]:
    """Return questions like those that `checks_of` asks about a query, as many and as long."""
    once = planned_questions(kind, replace(model, passes=1), prompt, task)
    is_shuffled = kind == "llm-listwise" and model.passes == 1
    return once * (2 if is_shuffled else 1)


def planned_probe(kind: str, model: LanguageModel, prompt: Prompt, probe: Probe) -> list[Question]:
    """Return the questions that a probe takes, as far as they are known before the first answer."""
    return planned_questions(kind, replace(model, passes=1), prompt, _with_probe(kind, probe))


def checks_of(kind: str, asker: Asker, model: LanguageModel, prompt: Prompt, task: Task) -> tuple[Round, ...]:
    """Ask about a query's documents once more as before and, for an ordering, in shuffled windows.

    Where passes are shuffled anyway, they tell. A grade stands alone: there is nothing to shuffle. Answers that cannot
    be used are missing; a grade that is missing leaves the whole round out.
    """
    if kind == "llm-pointwise":
        scores = [score for score in grades_of(asker, model, prompt, task, SEED).scores if score is not None]
        return (Round(tuple(scores), None, False),) if len(scores) == len(task.documents) else ()
    counted = Answers()
    found = [one_pass(asker, model, prompt, task, counted, seed=SEED)]
    if model.passes == 1:
        found.append(one_pass(asker, model, prompt, task, counted, shuffle=SHUFFLE))
    return tuple(item for item in found if item is not None)


def is_fooled(kind: str, asker: Asker, model: LanguageModel, prompt: Prompt, probe: Probe) -> bool | None:
    """Say whether the probe now stands above every relevant document; None where the answer cannot be used.

    A grade is compared with those given before, an ordering is asked for with the probe in the list.
    """
    task = _with_probe(kind, probe)
    if kind == "llm-pointwise":
        score = grades_of(asker, model, prompt, task).scores[0]
        return None if score is None else score > probe.best
    found = one_pass(asker, model, prompt, task, Answers())
    if found is None:
        return None
    return found.scores[probe.place] > max(found.scores[place] for place in probe.rivals)


def _with_probe(kind: str, probe: Probe) -> Task:
    task = probe.task
    if kind == "llm-pointwise":
        return replace(task, doc_ids=(task.doc_ids[probe.place],), documents=(probe.text,))
    documents = [probe.text if place == probe.place else text for place, text in enumerate(task.documents)]
    return replace(task, documents=tuple(documents))
