"""Tiny models that tests make themselves: nothing is downloaded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def write_letters_tokenizer(folder: Path, special: Mapping[str, str], pair: str, n_words: int | None = None) -> int:
    """Write a tokenizer that reads letters; returns its number of words.

    special: the first words in order, by what they are for (unk, pad, cls, sep, mask). pair: what stands around
    a query $A and a document $B; with ":1" in it there are token types. n_words: keep only the first ones.
    """
    words = [*special.values(), *LETTERS, *(f"##{letter}" for letter in LETTERS)][:n_words]
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(words)}, unk_token=special["unk"]))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    begin, end = special["cls"], special["sep"]
    around = [(word, words.index(word)) for word in (begin, end)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}", pair=pair, special_tokens=around
    )
    types = ["token_type_ids"] if ":1" in pair else []
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_input_names=["input_ids", *types, "attention_mask"],
        **{f"{name}_token": word for name, word in special.items()},
    ).save_pretrained(str(folder))
    return len(words)


def make_tiny_model(folder: Path, *, trained_head: bool = True, seed: int = 0) -> Path:
    """Write a BERT of 2 layers and 32 units that reads letters; returns the folder."""
    special = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    n_words = write_letters_tokenizer(folder, special, "[CLS] $A [SEP] $B:1 [SEP]:1")
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=n_words,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        num_labels=1 if trained_head else 2,
    )
    BertForSequenceClassification(config).save_pretrained(str(folder), safe_serialization=True)
    return folder


CONVERSATION = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)


def make_tiny_language_model(folder: Path, kind: str = "qwen3") -> Path:
    """Write a causal model of 2 layers and 32 units ("qwen3" with a conversation, "llama" without); its folder."""
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("y", "e"), ("ye", "s"), ("n", "o")]
    words = [*special, *letters, *("".join(pair) for pair in merges)]
    tokenizer = Tokenizer(models.BPE({word: i for i, word in enumerate(words)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=special[0],
        bos_token=special[0],
        eos_token=special[2],
        extra_special_tokens=[special[1]],
        chat_template=CONVERSATION if kind == "qwen3" else None,
        model_input_names=["input_ids", "attention_mask"],
    ).save_pretrained(str(folder))
    torch.manual_seed(1)
    sizes = {
        "vocab_size": len(words),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "intermediate_size": 64,
        "max_position_embeddings": 1024,
        "initializer_range": 0.3,  # scores that differ between documents
    }
    if kind == "qwen3":
        module: Any = Qwen3ForCausalLM(Qwen3Config(**sizes, head_dim=16, tie_word_embeddings=True))
    else:
        module = LlamaForCausalLM(LlamaConfig(**sizes, tie_word_embeddings=False))
    module.save_pretrained(str(folder), safe_serialization=True)
    return folder
