"""The embedded bi-encoder: a text in, a unit vector out."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rerank.models.bert_family import LayerWeights, cast_layers, first_position, hidden_states
from rerank.models.cross_encoder import SCORING_TOKENS
from rerank.models.devices import Device
from rerank.models.memory import TokenBudget, refused_when_full
from rerank.models.packed import pack, token_means
from rerank.models.pairs import pairs_of
from rerank.models.sources import embedded_folder
from rerank.models.token_store import PairTemplate, TokenStore, load_tokenizer

MAX_LENGTH = 256  # the length that all-MiniLM-L6-v2 was trained with
WIDTH = 384


class Encoder:
    """The embedded MiniLM: mean pooling over tokens, then unit length; similarity is the dot product."""

    def __init__(self, device: Device) -> None:
        from transformers import AutoModel
        from transformers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        folder = embedded_folder()
        self._device = device
        self.budget = TokenBudget(SCORING_TOKENS[device.kind], device.kind)
        self._tokens = TokenStore(load_tokenizer(folder))
        self._template: PairTemplate = self._tokens.template
        model: Any = AutoModel.from_pretrained(
            str(folder), local_files_only=True, use_safetensors=True, dtype=torch.float32
        )
        with refused_when_full(), torch.no_grad():
            self._model = model.to(device.handle).eval()
            self._layers: list[LayerWeights] = cast_layers(self._model, device.product_type, first_only=False)

    def encode(
        self, texts: Sequence[str], on_batch: Callable[[int], None] | None = None, *, kept: bool = False
    ) -> NDArray[np.float32]:
        """Return unit vectors, shape (n_texts, 384); kept: share the texts' token ids through the disk.

        When memory is full the rest goes on in smaller batches. Raises RerankError `device_out_of_memory`.
        """
        vectors = np.zeros((len(texts), WIDTH), dtype=np.float32)
        if not texts:
            return vectors
        head, tail = (np.array(part, dtype=np.int32) for part in (self._template.head, self._template.tail))
        room = MAX_LENGTH - len(head) - len(tail)
        encoded = [np.concatenate((head, ids[:room], tail)) for ids in self._tokens.ids_of(texts, kept=kept)]
        alone = pairs_of([(ids, len(ids)) for ids in encoded])
        first = first_position(self._model.config)

        def encode(batch: list[int]) -> None:
            packed = pack(alone.take(batch), self._template, first, self._device.handle)
            hidden = hidden_states(self._model, self._layers, packed, self._device.product_type)
            means = token_means(hidden, packed.layout)
            unit = torch.nn.functional.normalize(means, dim=-1).cpu().numpy()
            vectors[batch] = unit[packed.places]
            if on_batch is not None:
                on_batch(len(batch))

        with torch.no_grad():
            self.budget.in_batches([len(ids) for ids in encoded], encode)
        return vectors
