"""The embedded encoder's vectors of texts on disk, shared by whoever compares the same texts on the same device."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rerank.digests import digest_of
from rerank.models.devices import Device
from rerank.models.encoder import MAX_LENGTH, WIDTH
from rerank.models.sources import EMBEDDED_SHA256
from rerank.store.artefacts import read_or_none, read_parquet, write_parquet
from rerank.store.home import room


def encoder_identity(device: Device) -> list[Any]:
    """Return what vectors depend on besides the texts: the encoder and the device's numerics."""
    return [EMBEDDED_SHA256, MAX_LENGTH, device.numerics()]


def vectors_path(texts: Sequence[str], device: Device) -> Path:
    """Return where the vectors of these texts, in this order, lie."""
    return room("embeddings") / f"{digest_of([*encoder_identity(device), list(texts)])}.parquet"


def read_vectors(path: Path, n_texts: int) -> NDArray[np.float32] | None:
    """Return what `write_vectors` has written, (n_texts, 384); None where it is missing, damaged or of other shape."""

    def read(there: Path) -> NDArray[np.float32]:
        vectors = np.stack(read_parquet(there)["vector"].to_list()).astype(np.float32)
        if vectors.shape != (n_texts, WIDTH):
            raise ValueError(there.name)
        return vectors

    return read_or_none(read, path)


def write_vectors(path: Path, vectors: NDArray[np.float32]) -> None:
    """Write one vector per text."""
    write_parquet(path, pd.DataFrame({"vector": list(vectors)}))
