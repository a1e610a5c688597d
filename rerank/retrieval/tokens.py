"""Words for BM25: Latin words, and character bigrams where no spaces part the words."""

import re
import unicodedata

# Han, Hiragana, Katakana and the marks that continue a word in them.
_CJK = r"\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f"
_RUN = re.compile(rf"[{_CJK}]+|[^\W{_CJK}]+")
_IS_CJK = re.compile(rf"[{_CJK}]")

# Without these, frequent function words outweigh the content of short English documents.
STOP_WORDS = frozenset(
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these "
    "they this to was will with".split()
)


def tokens_of(text: str) -> list[str]:
    """Split text into matching tokens: NFKC, lower case, words for Latin and others, bigrams for Japanese."""
    found: list[str] = []
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).lower()):
        if _IS_CJK.match(run):
            found.extend(run[i : i + 2] for i in range(len(run) - 1))
            if len(run) == 1:
                found.append(run)
        elif run not in STOP_WORDS:
            found.append(run)
    return found
