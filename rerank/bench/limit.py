"""The arithmetic limit: matrix products measured on this device, and the products that a model needs."""

import time
from collections.abc import Sequence
from typing import Any

import torch

from rerank.models.devices import Device, synchronize

N_PRODUCTS = 20


def products_per_second(device: Device, shapes: Sequence[tuple[int, int, int]]) -> float:
    """Return floating-point operations per second of (rows, inner, columns) products, one after another."""
    made = [
        (
            torch.randn(rows, inner, device=device.handle, dtype=device.product_type),
            torch.randn(inner, columns, device=device.handle, dtype=device.product_type),
        )
        for rows, inner, columns in shapes
    ]

    def run() -> None:
        for left, right in made:
            torch.matmul(left, right)

    best = float("inf")
    run()
    for _ in range(N_PRODUCTS):
        synchronize(device)
        begun = time.perf_counter()
        run()
        synchronize(device)
        best = min(best, time.perf_counter() - begun)
    return sum(2.0 * rows * inner * columns for rows, inner, columns in shapes) / best


def limit_of(device: Device, config: Any, n_tokens: int) -> float:
    """Return the speed of the model's own shapes: hidden to hidden, to the feed-forward width and back."""
    width, wide = int(config.hidden_size), int(config.intermediate_size)
    return products_per_second(device, [(n_tokens, width, width), (n_tokens, width, wide), (n_tokens, wide, width)])


def operations(config: Any, lengths: Sequence[int]) -> float:
    """Return the floating-point operations of scoring pairs: S·L·(2(4H² + 2HI) + 4SH) per pair of S tokens."""
    width, wide, depth = int(config.hidden_size), int(config.intermediate_size), int(config.num_hidden_layers)
    per_token = 2.0 * (4 * width**2 + 2 * width * wide)
    return sum(length * depth * (per_token + 4.0 * length * width) for length in lengths)
