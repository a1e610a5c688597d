"""Work that is done part by part, so that a killed process goes on where it was."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

OnPart = Callable[[int, int], None]


def made_in_parts(
    frames: Iterable[pd.DataFrame],
    total: int,
    place: Callable[[int], Path],
    make: Callable[[Path, pd.DataFrame], None],
    on_part: OnPart | None = None,
) -> list[Path]:
    """Make what is missing for each frame, and return the parts in their order.

    place: a part's file or folder by its number, from 0. make: must let it appear whole or not at all. on_part: told
    how many of `total` rows are done, and may raise to stop.
    """
    made = []
    done = 0
    for number, frame in enumerate(frames):
        path = place(number)
        if not path.exists():
            make(path, frame)
        made.append(path)
        done += len(frame)
        if on_part is not None:
            on_part(done, total)
    return made
