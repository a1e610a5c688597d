"""How names are broken into lines, and where those beside points stand so that they do not cover each other."""

import re
from collections.abc import Sequence

from rerank.wording.width import width_of

# Sides of a point in the order of preference: which way a name goes from it, right and up being positive.
SIDES = {"bottom right": (1, -1), "top right": (1, 1), "bottom left": (-1, -1), "top left": (-1, 1)}
# Shares of the figure that a letter is wide and a line high, as on a small screen.
LETTER, LINE = 0.021, 0.055

Box = tuple[float, float, float, float]  # left, bottom, right, top


def _box(x: float, y: float, name: str, side: str) -> Box:
    width = LETTER * width_of(name)
    right, up = SIDES[side]
    left = x if right > 0 else x - width
    bottom = y if up > 0 else y - LINE
    return left, bottom, left + width, bottom + LINE


def _shared(one: Box, two: Box) -> float:
    wide = min(one[2], two[2]) - max(one[0], two[0])
    high = min(one[3], two[3]) - max(one[1], two[1])
    return max(0.0, wide) * max(0.0, high)


def _outside(box: Box) -> float:
    inside = _shared(box, (0.0, 0.0, 1.0, 1.0))
    return (box[2] - box[0]) * (box[3] - box[1]) - inside


def sides(points: Sequence[tuple[float, float, str]]) -> list[str]:
    """Return for every point (x and y as shares of the figure, name) the side on which its name stands.

    One after the other takes the side where it covers least of the earlier names and leaves the figure least.
    """
    taken: list[Box] = []
    found = []
    for x, y, name in points:
        boxes = {side: _box(x, y, name, side) for side in SIDES}
        covered = {side: _outside(box) + sum(_shared(box, other) for other in taken) for side, box in boxes.items()}
        best = min(SIDES, key=covered.__getitem__)
        taken.append(boxes[best])
        found.append(best)
    return found


def wrapped(label: str, width: int) -> str:
    """Return a label in lines of at most `width` Latin letters, a Japanese one being as wide as two.

    It is broken at spaces, and anywhere in Japanese that has none for a whole line; a longer word stays whole.
    """
    parts = [
        part
        for chunk in re.findall(r"\S+ ?| ", label)
        for part in ([chunk] if width_of(chunk.rstrip()) <= width else re.findall(r"[!-~À-ɏΔκτ₀-₉-]+ ?|.", chunk))
    ]
    lines, line = [], ""
    for word in parts:
        if line and width_of(line + word.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += word
    return "<br>".join([*lines, line.rstrip()])
