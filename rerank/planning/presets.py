"""Named starting points for a plan: presets say how thoroughly, templates which question."""

import dataclasses

from rerank.errors import RerankError
from rerank.planning.plan import (
    FUSED,
    PLAIN,
    SINGLE_STAGE,
    STRATEGIES,
    UNTRAINED,
    FirstStage,
    LearningCurve,
    Plan,
    Split,
    StageSettings,
)

PRESETS = ("quick", "standard")
TEMPLATES = ("reranking", "second_stage", "label_or_distil")
CURVE_SHARES = (0.1, 0.25, 0.5)


def preset(name: str, dataset_digest: str) -> Plan:
    """Return a preset plan: `quick` fits a coffee break on two CPU cores, `standard` is for decisions.

    Raises RerankError `unknown_preset`.
    """
    # Fusion costs a few scored pairs and keeps a poor re-ranker from ruining a good first stage.
    # The controls keep a second stage from being credited for more training.
    standard = Plan(
        dataset_digest=dataset_digest,
        strategies=STRATEGIES,
        # Either may be the best single stage, and D's curve alone tells what more teacher scores would bring.
        learning_curve=LearningCurve(shares=CURVE_SHARES, strategies=SINGLE_STAGE),
    )
    if name == "standard":
        return standard
    if name == "quick":
        short = {"group_size": 6, "epochs": 4}
        return dataclasses.replace(
            standard,
            strategies=(*PLAIN, *FUSED),
            learning_curve=LearningCurve(shares=CURVE_SHARES, strategies=("C", "C+fusion")),
            seeds=(1,),
            split=Split(kind="holdout", test_share=0.3, dev_share=0.15),
            first_stage=FirstStage(depth=20),
            max_length=128,
            contrastive=StageSettings(loss="auto", **short),  # type: ignore[arg-type]
            distillation=StageSettings(loss="kl", **short),  # type: ignore[arg-type]
        )
    raise RerankError("unknown_preset", name=name, known=", ".join(PRESETS))


_WITHOUT_SECOND = tuple(name for name in (*PLAIN, *FUSED) if name in (*UNTRAINED, *SINGLE_STAGE))


def template(name: str, start: Plan) -> Plan:
    """Return a plan with the strategies, locked questions, controls and learning curve that a question needs.

    reranking: is it worth it, single stages only, and would more judgments help; second_stage: does it add anything
    that more training would not, with the equal-budget controls; label_or_distil: D against C with a curve of both,
    no second stage. Split, seeds, candidates and training stay those of `start`. Raises RerankError
    `unknown_template`.
    """
    curve = start.learning_curve
    if name == "reranking":
        return dataclasses.replace(
            start,
            strategies=_WITHOUT_SECOND,
            learning_curve=dataclasses.replace(curve, shares=CURVE_SHARES),
        )
    if name == "second_stage":
        return dataclasses.replace(
            start,
            strategies=STRATEGIES,
            learning_curve=dataclasses.replace(curve, shares=()),
        )
    if name == "label_or_distil":
        return dataclasses.replace(
            start,
            strategies=_WITHOUT_SECOND,
            label_or_distil=True,
            learning_curve=dataclasses.replace(curve, shares=CURVE_SHARES, strategies=("C", "D")),
        )
    raise RerankError("unknown_template", name=name, known=", ".join(TEMPLATES))
