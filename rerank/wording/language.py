"""Languages: one `Say` per language turns English sentences into the reader's."""

import gettext
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

LANGUAGES: Mapping[str, str] = {"en": "English", "ja": "日本語"}
DEFAULT = "en"
UNSPACED = ("ja",)
DOMAIN = "rerank"
FOLDER = Path(__file__).parent / "locale"


def later(message: str) -> str:
    """Mark a sentence of a table for translation; the table is read with `Say` when it is shown."""
    return message


class Say:
    """Call it with an English sentence and its facts: the sentence in this language, the facts filled in."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._catalogue: gettext.NullTranslations = gettext.NullTranslations()
        if language != DEFAULT:
            self._catalogue = gettext.translation(DOMAIN, FOLDER, [language])

    def __call__(self, message: str, /, **facts: object) -> str:
        """Return the sentence; the empty string stays empty (gettext would return its header)."""
        text = self._catalogue.gettext(message) if message else ""
        return text.format(**facts) if facts else text

    def joined(self, sentences: Iterable[str]) -> str:
        """Return sentences as one text, with spaces between them where the language writes them."""
        return ("" if self.language in UNSPACED else " ").join(sentences)


@cache
def speaker(language: str) -> Say:
    """Return the `Say` of a language, English for one that is not known."""
    return Say(language if language in LANGUAGES else DEFAULT)
