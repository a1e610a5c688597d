"""What an execution hands over: rankings, seconds and circumstances, before anything is judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from rerank.decide.choice import Lead
from rerank.intake.dataset import Dataset
from rerank.planning.plan import Plan


@dataclass(frozen=True)
class StrategyRun:
    """One strategy's rankings of the test queries, by seed (untrained strategies have the one seed 0).

    dev_score: the primary measure on development queries, mean over folds and seeds. train_seconds: device
    seconds of one training and its ancestors, mean over folds and seeds, cached or not; poc_train_seconds:
    all folds and seeds together. latencies_ms: one number per query, on top of the first stage. dev_rankings: of the
    development queries, where a student is held against a teacher that was not asked about the tested ones.
    lead_of_plain: of a fused strategy with a trained model, how far ahead of it the model alone is in development.
    """

    name: str
    rankings: Mapping[int, pd.DataFrame]
    dev_score: float | None
    latencies_ms: tuple[float, ...] | None
    train_seconds: float
    poc_train_seconds: float
    kendall_tau: float | None = None
    relative_weight_change: float | None = None
    stages: tuple[str, ...] = ()
    best_epochs: tuple[int, ...] = ()
    fusion_weights: tuple[Mapping[str, float], ...] = ()  # one per stage, or per fold where nothing is trained
    dev_rankings: Mapping[int, pd.DataFrame] = field(default_factory=dict)
    lead_of_plain: Lead | None = None

    @property
    def is_trained(self) -> bool:
        """Say whether seeds stand for training luck here."""
        return bool(self.stages)


@dataclass(frozen=True)
class CurvePoint:
    """A strategy trained on a share (0-1) of the training queries: its rankings of the test queries by seed.

    n_train: training queries, mean over folds. dev_score: the primary measure on development queries, mean over
    folds and seeds. lead_of_plain: as a `StrategyRun` has it. is_model_alone: whether a fused one is its plain form.
    """

    strategy: str
    share: float
    n_train: int
    dev_score: float
    rankings: Mapping[int, pd.DataFrame]
    lead_of_plain: Lead | None = None
    is_model_alone: bool = False


@dataclass(frozen=True)
class Ran:
    """One execution of a plan up to a gate."""

    experiment: str
    gate: int
    plan: Plan
    locked: Mapping[str, Any]
    dataset: Dataset
    device_kind: str
    device_name: str
    numerics: Mapping[str, Any]
    concurrent_stages: int  # trained side by side on the device
    computed_with: tuple[str, ...]  # in words, of every start, the earliest first; each way once
    base_model: str
    base_model_digest: str
    has_head: bool
    test_queries: tuple[str, ...]
    dev_queries: tuple[str, ...]
    candidates: pd.DataFrame
    candidates_digest: str
    teacher_scores: Mapping[tuple[str, str], float]
    embedding_scores: pd.DataFrame
    truncation: Mapping[str, Any]  # how much of the candidates the re-ranker could not read
    encoder_seconds: float
    forecast: Mapping[str, Any]
    job_seconds: float  # of all starts of the experiment, as is job_usd
    job_usd: float
    runs: tuple[StrategyRun, ...]
    curve: tuple[CurvePoint, ...] = ()
    unlabelled_counts: Mapping[str, int] = field(default_factory=dict)  # by source: log, documents
    asked: Mapping[str, Any] | None = None  # what a paid teacher was asked, and its cost
    local_teacher: Mapping[str, Any] | None = None  # the larger model on this device, and its seconds
    teacher_audit: Mapping[str, Any] | None = None  # as `result.json` shows it; None when nothing distils
    choices: tuple[tuple[str, int, int], ...] = ()  # of a search: kind, fold, trial
    starts: tuple[Mapping[str, Any], ...] = ()  # the log's `started` events, oldest first
    gates: tuple[Mapping[str, Any], ...] = ()  # decisions about gate 1, oldest first
    earlier_looks: tuple[Mapping[str, Any], ...] = ()  # other plans evaluated on these test queries before
