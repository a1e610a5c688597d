"""One optimiser step's gradients, list by list: what is kept in memory is one micro-batch, whatever the step's size."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from rerank.errors import RerankError
from rerank.models.cross_encoder import CrossEncoder
from rerank.models.memory import is_out_of_memory, make_room
from rerank.models.pairs import Pairs, sent
from rerank.models.token_store import TokenStore
from rerank.planning.plan import StageSettings
from rerank.training.lists import TrainingList
from rerank.training.losses import contrastive, distillation

# Tokens per micro-batch. Larger ones leave a CPU's caches; smaller ones do not fill a GPU.
TRAINING_TOKENS = {"cpu": 2048, "mps": 8192, "cuda": 131072}


def loss_of(name: str, logits: torch.Tensor, targets: torch.Tensor, settings: StageSettings) -> torch.Tensor:
    """Return the loss by its name in `planning.losses`; logits and targets are fp32.

    logits, targets: (…, n), lists of n documents; returns one loss per list, (…). Raises RerankError `unknown_loss`.
    """
    if name == "lce":
        return contrastive.lce(logits, targets)
    if name == "listwise":
        return contrastive.listwise(logits, targets)
    if name == "kl":
        return distillation.kl(logits, targets, settings.temperature)
    if name == "ranknet":
        return distillation.ranknet(logits, targets)
    if name == "margin_mse":
        return distillation.margin_mse(logits, targets)
    if name == "adr_mse":
        return distillation.adr_mse(logits, targets, settings.temperature)
    raise RerankError("unknown_loss", loss=name)


class StepGradients:
    """Adds the gradients of a step's mean loss to a model; remembers how much fits into the device's memory.

    A list is a loss of its own, so whole lists go through forward and backward one micro-batch after another:
    the sum is the gradient of the whole step, exactly. When memory runs out the step starts anew with half of the
    tokens; a single list that is larger still is scored without a graph first and then differentiated pair by
    pair (Gao et al. 2021, gradient caching).
    """

    def __init__(
        self,
        encoder: CrossEncoder,
        loss: str,
        settings: StageSettings,
        tokens: TokenStore,
        max_length: int,
        breathe: Callable[[], None] = lambda: None,
        token_budget: int | None = None,
    ) -> None:
        self._encoder = encoder
        self._loss = loss
        self._settings = settings
        self._tokens = tokens
        self._max_length = max_length
        self._breathe = breathe
        self._usual_budget = TRAINING_TOKENS[encoder.device.kind]
        self.token_budget = token_budget or self._usual_budget
        self._is_short_of_memory = self.token_budget != self._usual_budget

    def add(self, lists: Sequence[TrainingList], seed: int) -> tuple[float, int, int]:
        """Return the mean loss of the lists and how many pairs and tokens they had; gradients are added.

        seed: of dropout; the same seed gives the same gradients.
        """
        named = [(item.query_id, doc_id) for item in lists for doc_id in item.doc_ids]
        pairs = self._tokens.pairs(named, self._max_length)
        lengths = pairs.lengths
        n_tokens = sum(lengths)
        while True:
            self._encoder.changed()
            try:
                total = self._whole_step(lists, pairs, seed)
                break
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                # Whatever the traceback holds is freed after this block, before the next try.
            # A backward pass that was cut short has added some of its gradients: the step starts anew.
            self._encoder.module.zero_grad(set_to_none=True)
            make_room(self._encoder.device.kind)
            longest = max(lengths)
            if self._is_short_of_memory and self.token_budget <= longest:  # pair by pair was tried
                raise RerankError("device_out_of_memory", n_tokens=longest)
            self._is_short_of_memory = True
            self.token_budget = max(longest, min(self.token_budget, n_tokens) // 2)
        return total / len(lists), len(pairs), n_tokens

    def _whole_step(self, lists: Sequence[TrainingList], pairs: Pairs, seed: int) -> float:
        ends = np.cumsum([0] + [len(item.doc_ids) for item in lists])
        sizes = np.add.reduceat(pairs.sizes.sum(axis=1), ends[:-1]).tolist()  # tokens of every list
        total = torch.zeros((), device=self._encoder.device.handle)  # read once: reading waits for the device
        for number, (begin, end) in enumerate(self._micro_batches(sizes)):
            torch.manual_seed((seed * 1_009 + number) % 2**63)  # dropout: no hidden state to save
            mine = pairs[ends[begin] : ends[end]]
            if end - begin == 1 and sizes[begin] > self.token_budget and self._is_short_of_memory:
                total += self._pair_by_pair(lists[begin], mine, len(lists), seed)
            else:
                total += self._together(lists[begin:end], mine, len(lists))
            self._breathe()
        return float(total)

    def _micro_batches(self, sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Yield from which list to which a micro-batch goes; sizes: tokens of every list."""
        begin = tokens = 0
        for place, size in enumerate(sizes):
            if place > begin and tokens + size > self.token_budget:
                yield begin, place
                begin, tokens = place, 0
            tokens += size
        if sizes:
            yield begin, len(sizes)

    def _together(self, lists: Sequence[TrainingList], pairs: Pairs, n_lists: int) -> torch.Tensor:
        """Return the summed loss of a micro-batch after adding its share of the gradients."""
        summed = self._summed_loss(self._encoder.logits(pairs), lists)
        (summed / n_lists).backward()  # type: ignore[no-untyped-call]
        return summed.detach()

    def _pair_by_pair(self, item: TrainingList, pairs: Pairs, n_lists: int, seed: int) -> torch.Tensor:
        def logit(place: int) -> torch.Tensor:
            torch.manual_seed((seed * 1_009 + 500 + place) % 2**63)  # both passes drop the same units
            return self._encoder.logits(pairs[place : place + 1])

        with torch.no_grad():
            known = torch.cat([logit(place) for place in range(len(pairs))])
        known.requires_grad_(True)
        loss = self._summed_loss(known, [item])
        (loss / n_lists).backward()  # type: ignore[no-untyped-call]
        gradients = known.grad
        if gradients is None:
            raise RerankError("unknown_loss", loss=self._loss)
        for place in range(len(pairs)):
            logit(place).backward(gradients[place : place + 1])  # type: ignore[no-untyped-call]
        return loss.detach()

    def _summed_loss(self, logits: torch.Tensor, lists: Sequence[TrainingList]) -> torch.Tensor:
        starts = np.cumsum([0] + [len(item.doc_ids) for item in lists])
        alike: dict[tuple[str, int], list[int]] = {}
        for place, item in enumerate(lists):
            alike.setdefault((item.loss or self._loss, len(item.doc_ids)), []).append(place)
        total = logits.new_zeros(())
        for (loss, size), places in alike.items():  # together: a loss is many small operations
            rows = sent(starts[places][:, None] + np.arange(size), logits.device)
            targets = sent(np.array([lists[place].targets for place in places], dtype=np.float32), logits.device)
            total = total + loss_of(loss, logits[rows], targets, self._settings).sum()
        return total
