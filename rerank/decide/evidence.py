"""What a decision rests on and what it says: evidence, codes, reasons, what would change it, numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from rerank.stats.comparison import Comparison

DecisionCode = Literal[
    "repair_data",
    "repair_first_stage",
    "adopt_free_baseline",
    "stop",
    "train_more_seeds",
    "collect_judgments",
    "add_second_stage",
    "repair_teacher",
    "adopt_single_stage",
]
Number = float | int | str
DECISIONS: tuple[DecisionCode, ...] = get_args(DecisionCode)
# Every code that Decision.reasons can hold: each has a sentence in `rerank.wording`.
REASONS = (
    "data_has_errors",
    "too_few_queries",
    "scores_not_comparable",
    "ceiling_small",
    "no_single_stage",
    "single_better",
    "single_worse",
    "single_no_gain",
    "single_gain_negligible",
    "single_inconclusive",
    "single_not_realistic",
    "single_too_dear",
    "single_breaks_guardrail",
    "free_baseline_gains",
    "free_baseline_no_gain",
    "free_baseline_too_dear",
    "free_baseline_breaks_guardrail",
    "free_baseline_ties",
    "free_baseline_not_beaten",
    "second_better",
    "second_beats_all",
    "second_beats_longer",
    "second_longer_not_beaten",
    "second_only_longer",
    "second_not_controlled",
    "second_too_dear",
    "second_breaks_guardrail",
    "second_negligible",
    "second_no_gain",
    "second_worse",
    "second_inconclusive",
    "second_not_run",
    "second_not_planned",
    "signal_distil",
    "signal_label",
    "signal_equal",
    "signal_open",
    "second_blocked",
    "teacher_red",
    "teacher_amber",
    "luck_unknown",
    "luck_hides",
)
# Every code that Decision.would_change can hold.
WOULD_CHANGE = (
    "more_judged_queries",
    "errors_mended",
    "better_retrieval",
    "better_base_model",
    "better_teacher",
    "several_seeds",
    "single_stage_run",
    "second_stage_run",
    "other_margin",
    "other_prices",
    "guardrails_kept",
    "other_guardrails",
    "longer_single_stage",
    "controls_trained",
)


@dataclass(frozen=True)
class Evidence:
    """What a decision rests on.

    blocking_findings: the errors for which so many rows were left out that no number can be trusted.
    oracle_delta: the gain of a perfect re-ranking over the first stage, in units of the measure. single:
    best single stage against first stage; second: best two-stage against best single stage; None when not
    run. free_baselines: free strategies against first stage; free_against_single: the best single stage
    (challenger) against each. net_usd: by (reference, challenger), what changing over brings minus its extra
    cost at the user's traffic and value of a success; empty when nobody gave them: cost is then shown and does
    not decide. alpha: the plan's, for how many queries a gain would need. signal: the best D against the best C, when
    the plan locked that question. second_against_untrained: the two-stage strategy (challenger) against the first
    stage and each free strategy. second_against_longer: the same against the best single stage that was trained for as
    long as two, None when none was. broken: by strategy, the guardrails of the plan that it breaks; one that breaks any
    is not recommended. broken_by_chance: those of them whose limits all lie within chance. distillation_blocked: a
    red audit kept the teacher from teaching. tested_share: of further judged queries, those that the plan would test.
    """

    blocking_findings: tuple[str, ...]
    oracle_delta: float
    margin: float
    single: Comparison | None
    free_baselines: tuple[Comparison, ...]
    free_against_single: tuple[Comparison, ...]
    second: Comparison | None
    distillation_wanted: bool
    teacher_audit: str | None
    second_planned: bool = True
    alpha: float = 0.05
    net_usd: Mapping[tuple[str, str], float] = field(default_factory=dict)
    signal: Comparison | None = None
    broken: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    distillation_blocked: bool = False
    second_against_untrained: tuple[Comparison, ...] = ()
    second_against_longer: Comparison | None = None
    broken_by_chance: frozenset[str] = frozenset()
    tested_share: float = 1.0


@dataclass(frozen=True)
class Decision:
    """The decision's code, why, what would change it, and the numbers its sentence needs."""

    code: DecisionCode
    reasons: tuple[str, ...]
    would_change: tuple[str, ...]
    next_numbers: Mapping[str, Number] = field(default_factory=dict)


def n_to_judge(next_numbers: Mapping[str, Any]) -> int | None:
    """Return how many more queries a decision asks to judge, from its numbers; None when it asks for none.

    Results of earlier versions hold the number of further test queries alone.
    """
    asked: int | None = next_numbers.get("n_more_to_judge", next_numbers.get("n_more_queries"))
    return asked
