"""Named starting points for a plan."""

import dataclasses

from rerank.errors import RerankError
from rerank.planning.plan import FUSED, PLAIN, FirstStage, Plan, Split, StageSettings

PRESETS = ("quick", "standard")


def preset(name: str, dataset_digest: str) -> Plan:
    """Return a preset plan: `quick` fits a coffee break on two CPU cores, `standard` is for decisions.

    Raises RerankError `unknown_preset`.
    """
    # Fusion costs a few scored pairs and keeps a poor re-ranker from ruining a good first stage.
    standard = Plan(dataset_digest=dataset_digest, strategies=(*PLAIN, *FUSED))
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
