"""A language model on the own device that is asked whether a document answers: log p(yes) - log p(no)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rerank.errors import RerankError
from rerank.models.devices import Device
from rerank.models.memory import TokenBudget, refused_when_full
from rerank.models.token_store import load_tokenizer
from rerank.models.weights import not_found

# Tokens of a forward pass; a language model is many times larger than a student.
QUESTION_TOKENS = {"cpu": 1024, "mps": 4096, "cuda": 32768}
QUERY_SHARE = 0.5  # of the room that a long query may take from its document
EMPTY_THOUGHT = "<think>\n\n</think>\n\n"
LEAST_ROOM = 16  # tokens for a query and a document, at least

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Answers:
    """What a model says to some questions, one row each.

    scores: log p(yes) - log p(no). shares: probability of the two words together, 0-1; the rest went to other words.
    """

    scores: NDArray[np.float64]
    shares: NDArray[np.float64]


class YesNoModel:
    """A causal language model, and what stands around a question in its own conversation.

    module: the transformers model in the type of the device's matrix products. Logits of the two words are computed
    in fp32: in bf16 a list's scores would tie.
    """

    def __init__(self, module: Any, tokenizer: Any, device: Device, system: str, words: tuple[str, str]) -> None:
        self._module = module
        self._tokenizer = tokenizer
        self._device = device
        self._words = [_one_token(tokenizer, word) for word in words]
        if self._words[0] == self._words[1]:
            raise RerankError("answer_not_one_token", word=", ".join(words), tokens=str(self._words[:1]))
        before, after = _frame(tokenizer, system)
        self.head = _ids(tokenizer, before, is_data=False)
        self.tail = _ids(tokenizer, after, is_data=False)
        self._pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
        self.budget = TokenBudget(QUESTION_TOKENS[device.kind], device.kind)
        self._is_plain = not self._agrees_with_itself()

    def question(self, before: str, document: str, after: str, max_length: int) -> tuple[Ids, bool]:
        """Return a question's token ids, at most `max_length`, and whether its document had to be cut.

        before, after: what stands around the document. No text of theirs or of the document becomes a special token.
        Raises RerankError `teacher_prompt_too_long`.
        """
        tail = _ids(self._tokenizer, after, is_data=True)
        fixed = len(self.head) + len(tail) + len(self.tail)
        room = max_length - fixed
        if room < LEAST_ROOM:
            raise RerankError("teacher_prompt_too_long", n_tokens=fixed, max_length=max_length)
        # Question and document are read as one text, as when the model was trained; the document stands last.
        body = _ids(self._tokenizer, before + document, is_data=True)
        is_cut = len(body) > room
        if is_cut:
            asked = _ids(self._tokenizer, before, is_data=True)
            most = int(room * QUERY_SHARE)
            if len(asked) > most:
                body = np.concatenate((asked[:most], body[len(asked) :]))
        return np.concatenate((self.head, body[:room], tail, self.tail)), is_cut

    def answers(self, questions: Sequence[Ids], on_batch: Callable[[int], None] | None = None) -> Answers:
        """Return what the model says to every question; `on_batch` hears numbers of questions and may raise.

        When memory is full the rest goes on in smaller batches. Raises RerankError `device_out_of_memory` and
        `scores_not_finite`.
        """
        scores = np.empty(len(questions), dtype=np.float64)
        shares = np.empty(len(questions), dtype=np.float64)

        def ask(batch: list[int]) -> None:
            inputs = self._padded([questions[place] for place in batch])
            two, whole = self._plain(inputs) if self._is_plain else self._precise(inputs)
            scores[batch] = (two[:, 0] - two[:, 1]).double().cpu().numpy()
            shares[batch] = (torch.logsumexp(two, 1) - whole).exp().clamp(0, 1).double().cpu().numpy()
            if on_batch is not None:
                on_batch(len(batch))

        with torch.no_grad():
            self.budget.in_batches([len(ids) for ids in questions], ask, padded=True)
        if not np.isfinite(scores).all():
            raise RerankError("scores_not_finite")
        return Answers(scores, shares)

    def _padded(self, questions: Sequence[Ids]) -> dict[str, torch.Tensor]:
        """Return model inputs padded on the left: the last token of every question stands last."""
        longest = max(len(ids) for ids in questions)
        ids = np.full((len(questions), longest), self._pad, dtype=np.int64)
        mask = np.zeros((len(questions), longest), dtype=np.int64)
        for row, question in enumerate(questions):
            ids[row, longest - len(question) :] = question
            mask[row, longest - len(question) :] = 1
        # Positions count from a question's own beginning, however it is padded.
        places = np.maximum(np.cumsum(mask, axis=1) - 1, 0)
        inputs = {"input_ids": ids, "attention_mask": mask, "position_ids": places}
        return {name: torch.from_numpy(values).to(self._device.handle) for name, values in inputs.items()}

    def _precise(self, inputs: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the two words' logits in fp32 from the last hidden state, and the logarithm of the normaliser."""
        last = self._module.base_model(**inputs, use_cache=False).last_hidden_state[:, -1]
        head = self._module.get_output_embeddings()
        two = last.float() @ head.weight[self._words].float().T
        return two, torch.logsumexp(head(last).float(), 1)

    def _plain(self, inputs: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the same from the model's own logits, whatever its head does with the hidden state."""
        logits = self._module(**inputs, use_cache=False, logits_to_keep=1).logits[:, -1].float()
        return logits[:, self._words], torch.logsumexp(logits, 1)

    def _agrees_with_itself(self) -> bool:
        """Say whether the product of hidden state and head is what this architecture takes for logits.

        Some have a bias, scale their logits or cap them.
        """
        inputs = self._padded([np.concatenate((self.head, self.tail))])
        with torch.no_grad():
            try:
                mine, _ = self._precise(inputs)
            except (AttributeError, TypeError):
                return False
            own, _ = self._plain(inputs)
        tolerance = 0.05 if self._device.product_type is torch.bfloat16 else 1e-4
        return bool(torch.allclose(mine, own, rtol=tolerance, atol=tolerance))


def _ids(tokenizer: Any, text: str, *, is_data: bool) -> Ids:
    """Return a text's ids; of data nothing becomes a special token, whatever it spells."""
    if not text:
        return np.empty(0, dtype=np.int64)
    found = tokenizer(
        text, add_special_tokens=False, verbose=False, return_attention_mask=False, split_special_tokens=is_data
    )["input_ids"]
    return np.asarray(found, dtype=np.int64)


def _one_token(tokenizer: Any, word: str) -> int:
    """Return the id of a word. Raises RerankError `answer_not_one_token` where it is none or several."""
    ids = [int(number) for number in _ids(tokenizer, word, is_data=True)]
    if len(ids) != 1 or ids[0] == tokenizer.unk_token_id:
        pieces = ", ".join(str(piece) for piece in tokenizer.convert_ids_to_tokens(ids))
        raise RerankError("answer_not_one_token", word=word, tokens=pieces)
    return ids[0]


def _frame(tokenizer: Any, system: str) -> tuple[str, str]:
    """Return what stands before and after a question: the model's own conversation, without thoughts.

    A model that knows no conversation is spoken to in plain text; one without a place for a system's words is told
    them with the question.
    """
    mark = "QUESTION-STANDS-HERE"
    if not tokenizer.chat_template:
        return f"{tokenizer.bos_token or ''}{system}\n\n", "\n\n"
    told = [{"role": "system", "content": system}, {"role": "user", "content": mark}]
    together = [{"role": "user", "content": f"{system}\n\n{mark}"}]
    for messages in (told, together):
        try:
            text = str(
                tokenizer.apply_chat_template(
                    messages, tokenize=False, add_generation_prompt=True, enable_thinking=False
                )
            )
        except Exception:  # templates are programs, and raise what they like
            continue
        before, found, after = text.partition(mark)
        if found and system.split("\n", 1)[0] in before:
            return before, after
    if "<|im_start|>" in tokenizer.get_vocab():  # a template for something else, of a model that knows this one
        turns = "<|im_start|>{}\n{}"
        before = f"{turns.format('system', system)}<|im_end|>\n{turns.format('user', '')}"
        return before, f"<|im_end|>\n{turns.format('assistant', EMPTY_THOUGHT)}"
    raise RerankError("teacher_not_loadable", folder=str(tokenizer.name_or_path), cause="chat template")


def load_yes_no_model(folder: Path, device: Device, system: str, words: tuple[str, str]) -> YesNoModel:
    """Load a causal language model that is asked for one of two words, yes first; safetensors only, no code of its own.

    Raises RerankError `teacher_not_loadable`, `tokenizer_missing` and `answer_not_one_token`.
    """
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    tokenizer = load_tokenizer(folder)
    try:
        module, info = AutoModelForCausalLM.from_pretrained(
            str(folder),
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=device.product_type,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise RerankError("teacher_not_loadable", folder=str(folder), cause=str(error)[:300]) from error
    lost = not_found(info, head_may_be_new=False)
    if lost is not None:
        raise RerankError("teacher_not_loadable", folder=str(folder), cause=lost)
    with refused_when_full():
        model = YesNoModel(module.to(device.handle).eval(), tokenizer, device, system, words)
    return model
