"""What a training learns from and how: its settings, its lists, and how much work that is."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pandas as pd

from rerank.planning.graph import Kind, StageNode
from rerank.planning.plan import StageSettings
from rerank.planning.rates import resolved, with_patience
from rerank.training.lists import (
    TrainingList,
    contrastive_lists,
    distillation_lists,
    is_graded,
    joint_lists,
    judged_material,
)
from rerank.worker.teaching import Teaching
from rerank.worker.workbench import Workbench

JOINT = "joint"  # the loss of a training whose lists name their own

ListMaker = Callable[[int], list[TrainingList]]


def _n_lists(bench: Workbench, node: StageNode, kind: Kind) -> int:
    """Return how many lists an epoch has at most."""
    n_train = len(bench.fold_of(node).train)
    more = len(bench.unlabelled)
    if kind == "C+D":
        return 2 * n_train + more
    return n_train + more if "D" in kind else n_train


def _own(bench: Workbench, node: StageNode, kind: Kind) -> StageSettings:
    """Return the settings of a kind of training in a node's fold, with nothing left open."""
    plan = bench.plan
    given = plan.distillation if kind in ("D", "D-long") else plan.contrastive
    if kind == "C+D":
        given = dataclasses.replace(given, temperature=plan.distillation.temperature)
    family = "D" if kind in ("D", "D-long") else "C"
    trial = node.trial or bench.choices.get((family, node.fold), 0)
    n = _n_lists(bench, node, "D" if family == "D" else "C")
    return resolved(given, n, has_head=bench.source.has_head, trial=trial)


def _n_steps(bench: Workbench, node: StageNode, kind: Kind) -> int:
    settings = _own(bench, node, kind)
    return settings.epochs * math.ceil(_n_lists(bench, node, kind) / settings.queries_per_step)


def settings_of(bench: Workbench, node: StageNode) -> tuple[StageSettings, str]:
    """Return a node's settings and the name of its loss.

    Stage two has a lower learning rate. A control has the whole number of epochs that comes
    nearest to the steps of C and D together.
    """
    settings = _settings(bench, node)
    if node.kind == "C+D":
        return settings, JOINT
    return settings, _contrastive_loss(bench, node) if node.uses_judgments else settings.loss


def _settings(bench: Workbench, node: StageNode) -> StageSettings:
    settings = _own(bench, node, node.kind)
    if node.parent is not None:
        slower = settings.learning_rate * bench.plan.second_stage_learning_rate_factor
        settings = dataclasses.replace(settings, learning_rate=slower)
    if node.kind in ("C-long", "D-long", "C+D"):
        steps = _n_steps(bench, node, "C") + _n_steps(bench, node, "D")
        per_epoch = math.ceil(_n_lists(bench, node, node.kind) / settings.queries_per_step)
        given = bench.plan.distillation if node.kind == "D-long" else bench.plan.contrastive
        longer = dataclasses.replace(settings, epochs=max(1, round(steps / per_epoch)), patience=given.patience)
        return with_patience(longer)
    return settings


def _contrastive_loss(bench: Workbench, node: StageNode) -> str:
    loss = bench.plan.contrastive.loss
    if loss != "auto":
        return loss
    judgments = bench.dataset.judgments
    # The grades of training queries decide: those of tested ones are not looked at.
    mine = judgments[judgments["query_id"].isin(bench.fold_of(node).train)]
    return "listwise" if is_graded(mine) else "lce"


def trained_pairs(bench: Workbench, node: StageNode) -> int:
    """Return how many pairs a training will see at most."""
    settings = _settings(bench, node)
    return settings.epochs * settings.group_size * _n_lists(bench, node, node.kind)


def planned_pairs(bench: Workbench, node: StageNode) -> tuple[int, int]:
    """Return how many pairs a training will see at most and how many its development tests will score."""
    dev = bench.scored_pairs(bench.fold_of(node).dev)
    return trained_pairs(bench, node), _settings(bench, node).epochs * dev


def _seed_of(node: StageNode, epoch: int, kind: str) -> np.random.Generator:
    letters = [ord(letter) for letter in "".join((*node.path[:-1], kind))]
    return np.random.default_rng([node.seed, node.fold, epoch, *letters])


def list_maker(bench: Workbench, node: StageNode, teaching: Teaching) -> ListMaker:
    """Return the function that draws an epoch's lists; the texts that they can hold are tokenised."""
    settings = _settings(bench, node)
    if node.kind != "C+D":
        make = _contrastive if node.uses_judgments else _distilling
        return make(bench, node, settings, teaching)
    judged = _contrastive(bench, node, settings, teaching)
    taught = _distilling(bench, node, settings, teaching)
    losses = (_contrastive_loss(bench, node), bench.plan.distillation.loss)

    def joint(epoch: int) -> list[TrainingList]:
        return joint_lists(judged(epoch), losses, taught(epoch), _seed_of(node, epoch, node.kind))

    return joint


def _contrastive(bench: Workbench, node: StageNode, settings: StageSettings, teaching: Teaching) -> ListMaker:
    train = bench.fold_of(node).train
    candidates = bench.candidates_of(train)
    judgments = bench.dataset.judgments
    known = judgments[judgments["query_id"].isin(list(train))]
    known = known[known["doc_id"].isin(set(bench.dataset.documents["doc_id"]))]
    material = judged_material(
        train, known, candidates, bench.plan.relevant_grade, teaching.similarities, settings.false_negative_share
    )
    bench.tokenize(train, [*known["doc_id"], *candidates["doc_id"]])
    loss = _contrastive_loss(bench, node)
    return lambda epoch: contrastive_lists(material, settings.group_size, loss, _seed_of(node, epoch, "C"))


def _distilling(bench: Workbench, node: StageNode, settings: StageSettings, teaching: Teaching) -> ListMaker:
    train = bench.fold_of(node).train
    own = bench.candidates_of(train)
    bench.tokenize(train, list(own["doc_id"]))
    query_ids = [*train, *(item.query_id for item in bench.unlabelled)]
    candidates = own
    if bench.unlabelled:
        bench.tokenize_unlabelled(teaching.unlabelled["doc_id"])
        candidates = pd.concat([own, teaching.unlabelled], ignore_index=True)
    size = settings.group_size
    return lambda epoch: distillation_lists(query_ids, candidates, teaching.scores, size, _seed_of(node, epoch, "D"))
