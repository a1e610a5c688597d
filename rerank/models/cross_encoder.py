"""The cross-encoder: a query and a document in, one relevance logit out."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rerank.errors import RerankError
from rerank.models.batches import collate, token_batches
from rerank.models.devices import Device
from rerank.models.families import Family, family_of
from rerank.models.memory import TokenBudget, refused_when_full
from rerank.models.packed import pack
from rerank.models.pairs import Pair, inverse, pairs_of, sent
from rerank.models.token_store import PairTemplate, load_tokenizer
from rerank.models.weights import not_found

# Tokens per forward pass: large enough to fill the device, small enough for a CPU's caches.
SCORING_TOKENS = {"cpu": 2048, "mps": 16384, "cuda": 131072}
# Every architecture names its dropout shares differently.
_DROPOUTS = (
    "hidden_dropout_prob attention_probs_dropout_prob classifier_dropout classifier_dropout_prob pooler_dropout "
    "dropout attention_dropout embedding_dropout mlp_dropout seq_classif_dropout"
).split()
PADDED_TOKENS = {"cpu": 1024, "mps": 8192, "cuda": 32768}


def autocast(device: Device) -> AbstractContextManager[Any]:
    """Return the context in which matrix products run in the device's own type."""
    kind = device.product_type
    return nullcontext() if kind is torch.float32 else torch.autocast(device.kind, dtype=kind)


class CrossEncoder:
    """A sequence classifier with one logit on a device: packed where its architecture allows, else padded.

    module: the transformers model, fp32 master weights. The copies of its weights in the type of matrix
    products are kept between calls: call `changed` whenever the master weights were.
    """

    def __init__(self, module: Any, template: PairTemplate, device: Device, *, packed: bool = True) -> None:
        self.module = module
        n_types = getattr(module.config, "type_vocab_size", None)
        if isinstance(n_types, int) and 0 < n_types <= template.second_type:  # the tokenizer has more than the model
            template = replace(template, second_type=0)
        self.template = template
        self.device = device
        self._family: Family | None = family_of(module.config)
        self.is_packed = packed and self._family is not None
        if not self.is_packed:
            module.classifier.forward = _in_full_precision(module.classifier.forward, device.kind)
        self.budget = TokenBudget(SCORING_TOKENS[device.kind], device.kind)
        self._layers: list[Any] | None = None
        self._layers_have_graph = False

    def changed(self) -> None:
        """Forget the copies of the weights: the optimiser or somebody else has changed them."""
        self._layers = None

    def logits(self, pairs: Sequence[Pair]) -> torch.Tensor:
        """Return one fp32 logit per pair, (n_pairs,) in the order given, with a graph where gradients are on.

        Ranking needs single precision: bf16 logits tie within a list.
        """
        family = self._family if self.is_packed else None
        if family is None:
            return self._padded_logits(pairs)
        batch = pack(pairs, self.template, family.first_position(self.module.config), self.device.handle)
        found = family.logits(self.module, self._weights(family), batch, self.device.product_type)
        return found[sent(batch.places, found.device)]

    def _weights(self, family: Family) -> list[Any]:
        wants_graph = torch.is_grad_enabled()
        if self._layers is None or wants_graph != self._layers_have_graph:
            self._layers = family.cast(self.module, self.device.product_type)
            self._layers_have_graph = wants_graph
        return self._layers

    def _padded_logits(self, pairs: Sequence[Pair]) -> torch.Tensor:
        parts: list[torch.Tensor] = []
        order: list[int] = []
        budget = min(PADDED_TOKENS[self.device.kind], self.budget.tokens)
        for batch in token_batches([len(ids) for ids, _ in pairs], budget):
            inputs = collate([pairs[place] for place in batch], self.template, self.device.handle)
            with autocast(self.device):
                parts.append(self.module(**inputs).logits.float().reshape(-1))
            order.extend(batch)
        return torch.cat(parts)[sent(inverse(order), parts[0].device)]

    def scores(self, pairs: Sequence[Pair], on_batch: Callable[[int], None] | None = None) -> NDArray[np.float64]:
        """Return the logit of every pair; `on_batch` hears each batch's number of pairs and may raise to stop.

        When memory is full the rest goes on in smaller batches. Raises RerankError `device_out_of_memory`
        and `scores_not_finite`.
        """
        given = pairs_of(pairs)
        found = np.empty(len(given), dtype=np.float64)
        self.module.eval()
        under_way: list[tuple[list[int], torch.Tensor]] = []

        def fetch() -> None:
            while under_way:
                batch, logits = under_way.pop()
                found[batch] = logits.cpu().numpy()
                if on_batch is not None:
                    on_batch(len(batch))

        def score(batch: list[int]) -> None:
            logits = self.logits(given.take(batch))
            fetch()  # the batch before: a device computes this one while the next is put together
            under_way.append((batch, logits))

        with torch.no_grad():  # not inference_mode: the kept copies of weights may be used under either
            self.budget.in_batches(given.lengths, score)
        fetch()
        if not np.isfinite(found).all():
            raise RerankError("scores_not_finite")
        return found


def _in_full_precision(forward: Callable[..., torch.Tensor], kind: str) -> Callable[..., torch.Tensor]:
    """Return a head's forward that computes in fp32 whatever the context says."""

    def run(features: torch.Tensor, *rest: Any, **named: Any) -> torch.Tensor:
        with torch.autocast(kind, enabled=False):
            return forward(features.float(), *rest, **named)

    return run


def load_cross_encoder(
    folder: Path, template: PairTemplate, device: Device, *, seed: int, dropout: float = 0.0
) -> CrossEncoder:
    """Load a sequence classifier with one logit; a head that the folder lacks is drawn from `seed`.

    Raises RerankError `model_not_loadable`.
    """
    from transformers import AutoConfig, AutoModelForSequenceClassification
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.manual_seed(seed)
    try:
        config = AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
        config.num_labels = 1
        if family_of(config) is None:
            # With a mask, the gradient of torch's own attention differs from run to run on CUDA.
            config._attn_implementation = "eager"
        for name in _DROPOUTS:
            if hasattr(config, name):
                setattr(config, name, dropout)
        module, info = AutoModelForSequenceClassification.from_pretrained(
            str(folder),
            config=config,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise RerankError("model_not_loadable", folder=str(folder), cause=str(error)[:300]) from error
    lost = not_found(info, head_may_be_new=True)
    if lost is not None:
        raise RerankError("model_not_loadable", folder=str(folder), cause=lost)
    if family_of(module.config) is None and not hasattr(module, "classifier"):
        raise RerankError("model_not_loadable", folder=str(folder), cause="no classifier head")
    with refused_when_full():
        encoder = CrossEncoder(module.to(device.handle).eval(), template, device)
    return encoder


def save_cross_encoder(module: Any, tokenizer_folder: Path, folder: Path) -> None:
    """Write a model that loads in plain `transformers` and in `sentence_transformers`, with its tokenizer."""
    # sentence_transformers reads this: raw logits, the numbers that were measured here.
    module.config.sentence_transformers = {"activation_fn": "torch.nn.modules.linear.Identity"}
    module.save_pretrained(str(folder), safe_serialization=True)
    load_tokenizer(tokenizer_folder).save_pretrained(str(folder))
