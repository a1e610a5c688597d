"""The embedded bi-encoder: a text in, a unit vector out."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rerank.models.batches import token_batches
from rerank.models.cross_encoder import SCORING_TOKENS, autocast
from rerank.models.devices import Device
from rerank.models.sources import embedded_folder
from rerank.models.token_store import load_tokenizer

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
        self._tokenizer = load_tokenizer(folder)
        model: Any = AutoModel.from_pretrained(
            str(folder), local_files_only=True, use_safetensors=True, dtype=torch.float32
        )
        self._model = model.to(device.handle).eval()

    def encode(self, texts: Sequence[str], on_batch: Callable[[int], None] | None = None) -> NDArray[np.float32]:
        """Return unit vectors, shape (n_texts, 384)."""
        vectors = np.zeros((len(texts), WIDTH), dtype=np.float32)
        if not texts:
            return vectors
        encoded = self._tokenizer(list(texts), truncation=True, max_length=MAX_LENGTH)["input_ids"]
        pad = int(self._tokenizer.pad_token_id)
        with torch.inference_mode():
            for batch in token_batches([len(ids) for ids in encoded], SCORING_TOKENS[self._device.kind]):
                longest = max(len(encoded[position]) for position in batch)
                ids = torch.full((len(batch), longest), pad, dtype=torch.long)
                mask = torch.zeros((len(batch), longest), dtype=torch.long)
                for row, position in enumerate(batch):
                    ids[row, : len(encoded[position])] = torch.tensor(encoded[position])
                    mask[row, : len(encoded[position])] = 1
                ids, mask = ids.to(self._device.handle), mask.to(self._device.handle)
                with autocast(self._device):
                    hidden = self._model(input_ids=ids, attention_mask=mask).last_hidden_state
                weights = mask.unsqueeze(-1).float()
                mean = (hidden.float() * weights).sum(1) / weights.sum(1).clamp(min=1)
                vectors[batch] = torch.nn.functional.normalize(mean, dim=-1).cpu().numpy()
                if on_batch is not None:
                    on_batch(len(batch))
        return vectors
