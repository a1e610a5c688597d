"""The plan: every choice that could move a result, fixed and named by digest before training."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from rerank.digests import digest_of

FUSION = "+fusion"  # suffix: a strategy's scores mixed with the first stage's and the encoder's


def _with_fused(*names: str) -> tuple[str, ...]:
    return (*names, *(f"{name}{FUSION}" for name in names if name != "first-stage"))


PLAIN = ("first-stage", "embedding", "base", "C", "D", "C-then-D", "D-then-C")
UNTRAINED = _with_fused("first-stage", "embedding", "base")
LABELLED = _with_fused("C")  # learns from judgments
DISTILLED = _with_fused("D")  # learns from a teacher
SINGLE_STAGE = _with_fused("C", "D")
TWO_STAGE = _with_fused("C-then-D", "D-then-C")
# One stage with the two-stage step budget: what of a second stage's gain is only more training, or only its data.
CONTROLS = ("C-long", "D-long", "C+D")
LONGER = _with_fused("C-long", "D-long")  # the single stages among them
FUSED = _with_fused(*PLAIN)[len(PLAIN) :]
STRATEGIES = (*PLAIN, *FUSED, *_with_fused(*CONTROLS))

MEASURES = ("nDCG@10", "RR@10", "Success@1", "P@5", "AP")

FirstStageKind = Literal["bm25", "embedding", "rrf", "run"]
Pool = Literal["corpus", "judged"]
SplitKind = Literal["holdout", "kfold"]
Teacher = Literal["embedding", "fusion", "uploaded", "cross-encoder", "causal-lm", "llm-listwise", "llm-pointwise"]
LANGUAGE_MODELS: tuple[Teacher, ...] = ("llm-listwise", "llm-pointwise")  # the teachers that are asked for money
LOCAL_MODELS: tuple[Teacher, ...] = ("cross-encoder", "causal-lm")  # larger models that run on the own device
ListwiseMode = Literal["windows", "partitions", "single"]
PromptLanguage = Literal["en", "ja"]
UnlabelledSource = Literal["log", "documents", "both"]
Passages = Literal["first", "max"]


class _Numbers:
    """A record whose float settings hold floats: 0 and 0.0 are one plan and must have one digest."""

    def __post_init__(self) -> None:
        """Turn whole numbers in float settings into floats."""
        for item in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, item.name)
            if float in (item.type, *get_args(item.type)) and type(value) is int and abs(value) < 2**53:
                object.__setattr__(self, item.name, float(value))


@dataclass(frozen=True)
class Split(_Numbers):
    """How queries are divided: one held-out test set, or k folds that are each tested once."""

    kind: SplitKind = "kfold"
    folds: int = 5
    test_share: float = 0.4  # holdout only: share of the evaluable queries that nothing sees before the end
    dev_share: float = 0.2  # of the queries that are not tested: they choose epoch, fusion weights, strategy
    seed: int = 13


@dataclass(frozen=True)
class FirstStage:
    """Where candidates come from and how many of them are re-ranked."""

    kind: FirstStageKind = "bm25"
    pool: Pool = "corpus"  # "judged": each query's judged documents, ordered by `kind`
    depth: int = 50

    @property
    def searched_with(self) -> FirstStageKind:
        """Return what searches for other queries: a user's own run answers only its own, so words stand in for it."""
        return "bm25" if self.kind == "run" else self.kind


@dataclass(frozen=True)
class StageSettings(_Numbers):
    """One training's settings; every default has its reason beside it."""

    loss: str
    epochs: int = 0  # 0: by head and number of training queries, see `automatic_epochs`; the best one is kept
    # Epochs without a better development score before the training ends; 0 trains them all, None: a third of them.
    patience: int | None = None
    learning_rate: float = 0.0  # 0: by head and number of training queries, see `automatic_learning_rate`
    group_size: int = 8  # 1 positive and 7 negatives, however many queries: 16 costs twice as much for little (0035)
    queries_per_step: int = 8
    warmup_share: float = 0.1
    weight_decay: float = 0.01
    max_gradient_norm: float = 1.0
    dropout: float = 0.0  # better on a few hundred queries here, and a quarter faster on CPU
    temperature: float = 1.0
    freeze_word_embeddings: bool = True  # half of MiniLM's weights; few queries train few words
    # Unjudged candidates as similar to the query as this share of its best positive are no negatives; 0 keeps them.
    false_negative_share: float = 0.95


@dataclass(frozen=True)
class Unlabelled:
    """Queries without judgments that distillation learns from besides: at most `queries` of them, 0 for none.

    "log": the dataset's own queries without a relevant document; "documents": pseudo-queries made from documents
    (the title against the body, a sentence against the rest); "both": the log first, then documents.
    """

    queries: int = 0
    source: UnlabelledSource = "both"


@dataclass(frozen=True)
class LearningCurve:
    """At which shares of the training queries, besides all of them, some strategies are trained again.

    Subsets are nested. seeds: with how many of the plan's seeds, the first ones.
    """

    shares: tuple[float, ...] = ()
    strategies: tuple[str, ...] = ("C",)
    seeds: int = 1


@dataclass(frozen=True)
class Guardrails(_Numbers):
    """What a strategy must keep to be recommended, however large its gain; None where nothing was asked.

    max_p95_latency_ms: of what re-ranking adds to a search. min_recall: share (0-1) of a query's relevant documents
    among the candidates, mean over test queries. max_segment_drop: how far the KPI of any segment may fall below the
    first stage's, in its units. max_harmed_share: share (0-1) of the test queries that lose more than .1.
    """

    max_p95_latency_ms: float | None = None
    min_recall: float | None = None
    max_segment_drop: float | None = None
    max_harmed_share: float | None = None


@dataclass(frozen=True)
class LanguageModel(_Numbers):
    """The language model that teaches, behind an OpenAI-compatible endpoint; its key is no part of the plan."""

    base_url: str = ""  # up to /v1
    model: str = ""
    mode: ListwiseMode = "windows"  # listwise only: which documents stand in one question
    depth: int = 20  # of each query's candidates, best first: the published depth of a taught list
    passes: int = 1  # listwise only: how often each list is ordered, from the second time on shuffled
    # Judged queries that are asked about once more for the audit: shuffled, repeated, with the query in a bad document.
    checked_queries: int = 20
    prompt: str = "1"  # version of the prompt's file
    language: PromptLanguage = "en"
    max_letters: int = 1200  # of a document or a query: about 300 tokens of English
    thinking_tokens: int = 0  # room for a reasoning model's thoughts, on top of its answer's
    usd_per_1m_input: float | None = None  # None: from the price table
    usd_per_1m_output: float | None = None
    usd: float | None = None  # that asking may cost at most
    concurrency: int = 8
    timeout_seconds: float = 120.0


@dataclass(frozen=True)
class LocalTeacher:
    """The larger model that teaches from the own device: a re-ranker, or a language model that is asked yes or no."""

    model: str = ""  # a folder or a hub id
    max_length: int = 512  # tokens of a pair, with the prompt of a language model around it
    depth: int = 50  # of each query's candidates, best first
    prompt: str = "1"  # causal-lm only: version of the prompt's file
    language: PromptLanguage = "en"  # causal-lm only


@dataclass(frozen=True)
class Budget(_Numbers):
    """What all starts of the experiment may spend together; the run stops at the first training step beyond a limit."""

    minutes: float | None = None
    usd: float | None = None


@dataclass(frozen=True)
class Plan(_Numbers):
    """A whole experiment on one dataset; its digest names it.

    margin and primary_measure are in the measure's own units; alpha is a share. max_queries limits the
    evaluable queries (a seeded sample), None for all.
    """

    dataset_digest: str
    primary_measure: str = "nDCG@10"
    relevant_grade: int = 1  # the smallest grade that binary measures count as relevant
    margin: float = 0.02
    alpha: float = 0.05
    label_or_distil: bool = False  # whether D against C is a confirmatory question as well
    guardrails: Guardrails = field(default_factory=Guardrails)
    strategies: tuple[str, ...] = PLAIN
    seeds: tuple[int, ...] = (1, 2, 3)
    split: Split = field(default_factory=Split)
    first_stage: FirstStage = field(default_factory=FirstStage)
    base_model: str = "embedded"
    teacher: Teacher = "embedding"
    llm: LanguageModel = field(default_factory=LanguageModel)
    local_teacher: LocalTeacher = field(default_factory=LocalTeacher)
    max_length: int = 256
    passages: Passages = "first"  # of a document that is longer: its beginning, or the best of several
    contrastive: StageSettings = field(default_factory=lambda: StageSettings(loss="auto"))
    distillation: StageSettings = field(default_factory=lambda: StageSettings(loss="kl"))
    second_stage_learning_rate_factor: float = 0.5  # 0.3-1x with a fresh optimiser
    unlabelled: Unlabelled = field(default_factory=Unlabelled)
    search_trials: int = 0  # how many other settings each kind of training tries on its development queries
    learning_curve: LearningCurve = field(default_factory=LearningCurve)
    max_queries: int | None = None
    budget: Budget = field(default_factory=Budget)
    hypothesis: str = ""

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the plan's canonical JSON."""
        return digest_of(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain JSON types."""
        plain = dataclasses.asdict(self)
        plain["strategies"] = list(self.strategies)
        plain["seeds"] = list(self.seeds)
        curve = self.learning_curve
        plain["learning_curve"] |= {"shares": list(curve.shares), "strategies": list(curve.strategies)}
        return plain

    @property
    def measures(self) -> tuple[str, ...]:
        """Return every measure that is computed, the primary one first."""
        depth = self.first_stage.depth
        rest = (*MEASURES, f"R@{depth}", "Judged@10")
        return (self.primary_measure, *(name for name in rest if name != self.primary_measure))


def single_stage_part(plan: Plan) -> tuple[str, ...]:
    """Return gate 1's strategies: neither the two-stage ones nor their controls, in the plan's order."""
    later = (*TWO_STAGE, *_with_fused(*CONTROLS))
    return tuple(name for name in plan.strategies if name not in later)
