"""What a language-model teacher says about a query's documents: an ordering, or a grade for each."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rerank.digests import digest_of
from rerank.planning.plan import LanguageModel
from rerank.teacher.asking import Asker, Question
from rerank.teacher.parsing import NoAnswer, expected_grade, parse_grade, parse_ordering
from rerank.teacher.prompts import Prompt, graded_messages, listwise_messages
from rerank.teacher.windows import MODES, Unordered, expected_windows

TOKENS_PER_IDENTIFIER = 8  # "[12] > " in vocabularies that spell numbers digit by digit
TOKENS_OF_A_GRADE = 8


@dataclass(frozen=True)
class Task:
    """A query and its documents' texts, best of the first stage first."""

    query_id: str
    query: str
    doc_ids: Sequence[str]
    documents: Sequence[str]


@dataclass(frozen=True)
class Round:
    """One pass over a query's documents: their negated ranks, and where each stood in the question, from 1.

    positions: None where later windows had another order than the first one. is_shuffled: not the first stage's order.
    """

    scores: tuple[float, ...]
    positions: tuple[int, ...] | None
    is_shuffled: bool


@dataclass(frozen=True)
class Said:
    """A teacher's word on one query: a score for each document (None: nothing usable), and how its answers were.

    An ordering's scores are ranks, negated. repairs and failures count answers; failures by reason. rounds: of an
    ordering, each pass on its own.
    """

    scores: tuple[float | None, ...]
    n_answers: int
    n_repaired: int
    repairs: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    n_without_probabilities: int = 0
    rounds: tuple[Round, ...] = ()


def listwise_question(model: LanguageModel, prompt: Prompt, query: str, documents: Sequence[str]) -> Question:
    """Return the question for an ordering of documents."""
    n = len(documents)
    return Question(
        listwise_messages(prompt, query, documents, model.max_letters),
        example=" > ".join(f"[{number}]" for number in range(1, n + 1)),
        max_tokens=TOKENS_PER_IDENTIFIER * n + 16 + model.thinking_tokens,
    )


def graded_question(model: LanguageModel, prompt: Prompt, query: str, document: str) -> Question:
    """Return the question for one document's grade."""
    return Question(
        graded_messages(prompt, query, document, model.max_letters),
        example="2",
        max_tokens=TOKENS_OF_A_GRADE + model.thinking_tokens,
        with_alternatives=True,
    )


def planned_questions(kind: str, model: LanguageModel, prompt: Prompt, task: Task) -> list[Question]:
    """Return the questions that a query needs, as far as they are known before the first answer.

    Later windows hold other documents than here, but as many.
    """
    if kind == "llm-pointwise":
        return [graded_question(model, prompt, task.query, document) for document in task.documents]
    windows = expected_windows(model.mode, len(task.documents))
    once = [
        listwise_question(model, prompt, task.query, [task.documents[place] for place in window]) for window in windows
    ]
    return once * model.passes


def grades_of(asker: Asker, model: LanguageModel, prompt: Prompt, task: Task, seed: int | None = None) -> Said:
    """Grade every document from 0 to 3: the expectation over the grades' probabilities, else the grade as written.

    seed: see `Question`.
    """
    questions = planned_questions("llm-pointwise", model, prompt, task)
    replies = asker.ask_all([replace(question, seed=seed) for question in questions])
    scores: list[float | None] = []
    failures: Counter[str] = Counter()
    n_plain = 0
    for reply in replies:
        grade: float | NoAnswer | None = None if reply.is_refusal else expected_grade(reply.alternatives)
        if grade is None:
            n_plain += 1
            grade = NoAnswer("refused") if reply.is_refusal else parse_grade(reply.content)
        if isinstance(grade, NoAnswer):
            failures[grade.reason] += 1
            scores.append(None)
        else:
            scores.append(grade)
    return Said(tuple(scores), len(replies), 0, {}, dict(failures), n_plain)


def ordering_of(asker: Asker, model: LanguageModel, prompt: Prompt, task: Task) -> Said:
    """Order a query's documents; over several passes the mean rank counts.

    The first pass shows every window in the order it has; the others shuffle what a window shows, so that a liking
    for first places averages out (Tang et al. 2024, permutation self-consistency). A pass with an unusable answer
    does not count; without any there is no ordering.
    """
    answers = Answers()
    passes = [one_pass(asker, model, prompt, task, answers, shuffle=number) for number in range(model.passes)]
    rounds = tuple(item for item in passes if item is not None)
    scores: tuple[float | None, ...] = (None,) * len(task.documents)
    if rounds:
        scores = tuple(float(score) for score in np.mean([item.scores for item in rounds], axis=0))
    return Said(scores, answers.n, answers.n_repaired, dict(answers.repairs), dict(answers.failures), rounds=rounds)


@dataclass
class Answers:
    """How answers about orderings were, counted while they come."""

    n: int = 0
    n_repaired: int = 0
    repairs: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)


def one_pass(
    asker: Asker,
    model: LanguageModel,
    prompt: Prompt,
    task: Task,
    answers: Answers,
    *,
    shuffle: int = 0,
    seed: int | None = None,
) -> Round | None:
    """Order a query's documents once; None where an answer was unusable. answers: counts them.

    shuffle: 0 shows each window in the order it has, another number shuffles what it shows, always the same way.
    seed: see `Question`.
    """
    rng = np.random.default_rng([int(digest_of(task.query)[:8], 16), shuffle])
    first: list[Sequence[int]] = []

    def ask(windows: Sequence[Sequence[int]]) -> list[Sequence[int] | None]:
        shown = [[window[int(i)] for i in rng.permutation(len(window))] if shuffle else window for window in windows]
        if not first:
            first.append(shown[0])
        questions = [
            replace(
                listwise_question(model, prompt, task.query, [task.documents[place] for place in window]), seed=seed
            )
            for window in shown
        ]
        found: list[Sequence[int] | None] = []
        for window, reply in zip(shown, asker.ask_all(questions), strict=True):
            answers.n += 1
            order = NoAnswer("refused") if reply.is_refusal else parse_ordering(reply.content, len(window))
            if isinstance(order, NoAnswer):
                answers.failures[order.reason] += 1
                found.append(None)
                continue
            answers.n_repaired += bool(order.repairs)
            answers.repairs.update(order.repairs)
            found.append([window[place] for place in order.order])
        return found

    n = len(task.documents)
    try:
        order = MODES[model.mode](n, ask)
    except Unordered:
        return None
    positions: tuple[int, ...] | None = _places(range(n))
    if shuffle:
        positions = _places(first[0]) if len(first[0]) == n else None
    return Round(tuple(-float(rank) for rank in _places(order)), positions, bool(shuffle))


def _places(order: Sequence[int]) -> tuple[int, ...]:
    """Return where each document stands in an order, from 1."""
    places = [0] * len(order)
    for place, document in enumerate(order, 1):
        places[document] = place
    return tuple(places)
