"""How wide text is where letters stand in columns: Japanese ones take two."""

from unicodedata import east_asian_width


def width_of(text: str) -> int:
    """Return the columns that a text takes in a terminal or a fixed-width table."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
