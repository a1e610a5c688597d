"""Named starting points for a plan."""

import dataclasses

from rerank.errors import RerankError
from rerank.planning.plan import (
    CONTROLS,
    FUSED,
    PLAIN,
    FirstStage,
    LearningCurve,
    Plan,
    Split,
    StageSettings,
)

PRESETS = ("quick", "standard")
CURVE_SHARES = (0.1, 0.25, 0.5)


def preset(name: str, dataset_digest: str) -> Plan:
    """Return a preset plan: `quick` fits a coffee break on two CPU cores, `standard` is for decisions.

    Raises RerankError `unknown_preset`.
    """
    # Fusion costs a few scored pairs and keeps a poor re-ranker from ruining a good first stage.
    # The controls keep a second stage from being credited for more training.
    standard = Plan(
        dataset_digest=dataset_digest,
        strategies=(*PLAIN, *FUSED, *CONTROLS),
        learning_curve=LearningCurve(shares=CURVE_SHARES, strategies=("C", "C+fusion")),
    )
    if name == "standard":
        return standard
    if name == "quick":
        short = {"group_size": 6}
        return dataclasses.replace(
            standard,
            seeds=(1,),
            split=Split(kind="holdout", test_share=0.3, dev_share=0.15),
            first_stage=FirstStage(depth=20),
            max_length=128,
            contrastive=StageSettings(loss="auto", **short),  # type: ignore[arg-type]
            distillation=StageSettings(loss="kl", **short),  # type: ignore[arg-type]
        )
    raise RerankError("unknown_preset", name=name, known=", ".join(PRESETS))
