"""Words for BM25: words where spaces part them; elsewhere pairs of characters, and single Chinese characters."""

import re
import unicodedata

VERSION = 2  # part of every list's digest: other tokens are another search

# Han, Hiragana, Katakana and the marks that continue a word in them, and Hangul, whose spaces part phrases.
_HAN = r"\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f"
_CJK = _HAN + r"\u3040-\u30ff\uac00-\ud7a3"
_RUN = re.compile(rf"[{_CJK}]+|[^\W{_CJK}]+")
_IS_CJK = re.compile(rf"[{_CJK}]")
_SINGLE = re.compile(rf"[{_HAN}]")

# Without these, frequent function words outweigh the content of short English documents.
STOP_WORDS = frozenset(
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these "
    "they this to was will with".split()
)


def tokens_of(text: str) -> list[str]:
    """Split text into matching tokens: NFKC, lower case; words, or for Chinese, Japanese and Korean bigrams.

    Chinese characters stand for themselves as well, as each of them is nearly a word (Lucene: `outputUnigrams`).
    """
    found: list[str] = []
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).lower()):
        if not _IS_CJK.match(run):
            if run not in STOP_WORDS:
                found.append(run)
        elif len(run) == 1:
            found.append(run)
        else:
            found.extend(run[i : i + 2] for i in range(len(run) - 1))
            found.extend(_SINGLE.findall(run))
    return found
