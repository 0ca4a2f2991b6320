"""What a sample of documents is about: words, keywords by TF-IDF, n-grams and topics. English, Chinese and others.

Words of text with spaces are runs of letters, in lower case. Chinese words are found in the sample itself, without a
dictionary: strings of two to four Han characters that stand together far more often than chance would have it
(cohesion), that are no fragment of one longer string (freedom), and do not begin or end in a function character; a
text is then cut into the longest of them, and characters in none are left out.

Sources: Salton and Buckley 1988 (TF-IDF); Sornlertlamvanich and Tanaka 1996 and the pointwise mutual information of
Church and Hanks 1990 (words by cohesion and freedom); Lee and Seung 1999 (NMF); Blei, Ng and Jordan 2003 (LDA).
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import polars as pl

HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_TOKEN = re.compile(rf"([{HAN}]+)|((?:(?![{HAN}])[^\W\d_])+(?:['’](?:(?![{HAN}])[^\W\d_])+)?)")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+")
MIN_LETTERS = 3  # of a keyword in text with spaces
LONGEST, MIN_COUNT, COHESION, FRAGMENT = 4, 5, 12.0, 0.8
FUNCTION_HAN = frozenset(
    "的了是在不和有我他她它这那也就都而及与或但为以于被把从到对们着过得之其吗呢吧啊等很更最这個為與對"
)
MAX_TERMS = 20_000
MAX_SHARE = 0.5  # of the documents; a term in more of them says nothing
ITERATIONS = 200
DIGITS = 4
Codes = np.ndarray[Any, np.dtype[np.uint64]]


def tokens_of(texts: Sequence[str]) -> list[list[str]]:
    """Return the words of each text, see the module.

    >>> tokens_of(["The river's bed, 3 km"])
    [['the', "river's", 'bed', 'km']]
    """
    cleaned = [_ADDRESS.sub(" ", text.lower()) for text in texts]
    runs = [match[1] for text in cleaned for match in _TOKEN.finditer(text) if match[1]]
    words = chinese_words(runs)
    found = []
    for text in cleaned:
        tokens: list[str] = []
        for match in _TOKEN.finditer(text):
            tokens += _cut(match[1], words) if match[1] else [match[2]]
        found.append(tokens)
    return found


def chinese_words(runs: Iterable[str]) -> frozenset[str]:
    """Return the words that stand in runs of Han characters, each at least `MIN_COUNT` times."""
    text = "\n".join(runs)
    points = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    alphabet, dense = np.unique(points, return_inverse=True)
    if not np.any(alphabet > ord("\n")) or len(alphabet) >= 1 << 16:
        return frozenset()
    codes = dense.astype(np.uint64)  # the line end is code 0: nothing in a sample of Han comes before it
    total = int((codes > 0).sum())
    counts = {1: _counted(codes, 1)}
    counts.update({length: _counted(codes, length) for length in range(2, LONGEST + 1)})
    words: set[str] = set()
    for length in range(2, LONGEST + 1):
        found, numbers = counts[length]
        is_word = numbers >= MIN_COUNT
        is_word &= _cohesion(found, numbers, counts, length, total) >= COHESION
        if length < LONGEST:
            is_word &= _is_free(found, numbers, counts[length + 1], length)
        for code in found[is_word].tolist():
            places = [code >> (16 * (length - 1 - place)) & 0xFFFF for place in range(length)]
            word = "".join(chr(alphabet[place]) for place in places)
            if word[0] not in FUNCTION_HAN and word[-1] not in FUNCTION_HAN:
                words.add(word)
    return frozenset(words)


def _counted(codes: Codes, length: int) -> tuple[Codes, Codes]:
    """Return the strings of `length` characters in one run, packed 16 bits each, and how often each stands."""
    number = max(len(codes) - length + 1, 0)
    packed = np.zeros(number, dtype=np.uint64)
    is_whole = np.ones(number, dtype=bool)
    for place in range(length):
        part = codes[place : place + number]
        packed = (packed << np.uint64(16)) | part
        is_whole &= part > 0
    found, numbers = np.unique(packed[is_whole], return_counts=True)
    return found, numbers.astype(np.uint64)


def _number_of(wanted: Codes, counted: tuple[Codes, Codes]) -> np.ndarray[Any, np.dtype[np.float64]]:
    found, numbers = counted
    return numbers[np.searchsorted(found, wanted)].astype(np.float64)


def _cohesion(
    found: Codes, numbers: Codes, counts: dict[int, tuple[Codes, Codes]], length: int, total: int
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return how many times more often a string stands than its parts would meet by chance, at its weakest joint."""
    weakest = np.full(len(found), np.inf)
    for left in range(1, length):
        right = length - left
        head = found >> np.uint64(16 * right)
        tail = found & np.uint64((1 << (16 * right)) - 1)
        chance = _number_of(head, counts[left]) * _number_of(tail, counts[right]) / max(total, 1)
        weakest = np.minimum(weakest, numbers / chance)
    return weakest


def _is_free(
    found: Codes, numbers: Codes, longer: tuple[Codes, Codes], length: int
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which strings are followed, and preceded, by more than one thing most of the time."""
    most = np.zeros((2, len(found)))
    strings, counts = longer
    for side, inner in enumerate((strings >> np.uint64(16), strings & np.uint64((1 << (16 * length)) - 1))):
        np.maximum.at(most[side], np.searchsorted(found, inner), counts)
    return np.asarray((most < FRAGMENT * numbers).all(axis=0))


def _cut(run: str, words: frozenset[str]) -> list[str]:
    """Return the longest words of a run of Han, from its beginning."""
    found, place = [], 0
    while place < len(run):
        for length in range(min(LONGEST, len(run) - place), 1, -1):
            if run[place : place + length] in words:
                found.append(run[place : place + length])
                place += length
                break
        else:
            place += 1
    return found


def ngrams(documents: Sequence[Sequence[str]], number: int) -> pl.DataFrame:
    """Return `words, n-gram, documents`: the strings of two and of three words in most documents, `number` of each.

    Strings that begin or end in an English stop word are left out.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    rows = []
    for length in (2, 3):
        counts: Counter[tuple[str, ...]] = Counter()
        for tokens in documents:
            strings = set(zip(*(tokens[place:] for place in range(length)), strict=False))
            counts.update(s for s in strings if s[0] not in ENGLISH_STOP_WORDS and s[-1] not in ENGLISH_STOP_WORDS)
        ordered = sorted(((-count, " ".join(string)) for string, count in counts.items() if count > 1))[:number]
        rows += [(length, string, -count) for count, string in ordered]
    return pl.DataFrame(rows, schema={"words": pl.Int64, "n-gram": pl.String, "documents": pl.Int64}, orient="row")


class Weighted:
    """Documents as TF-IDF vectors of length 1, over terms in at least two documents and at most half of them.

    Attributes:
        terms: The terms, in the order of the columns.
        matrix: Documents × terms, sparse.
    """

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfTransformer
        from sklearn.feature_extraction.text import CountVectorizer as Counts

        chosen = [[token for token in tokens if _may_be_key(token, ENGLISH_STOP_WORDS)] for tokens in documents]
        spread = Counter(token for tokens in chosen for token in set(tokens))
        least, most = (2, MAX_SHARE * len(documents)) if len(documents) >= 8 else (1, len(documents))  # noqa: PLR2004  # few say nothing of spread
        kept = sorted((-count, term) for term, count in spread.items() if least <= count <= most)[:MAX_TERMS]
        self.terms = sorted(term for _, term in kept)
        self.matrix: Any = None
        if self.terms:
            counts = Counts(analyzer=list, vocabulary=self.terms).transform(chosen)
            self.matrix = TfidfTransformer(sublinear_tf=True).fit_transform(counts)

    def keywords(self, groups: Sequence[str | None], number: int) -> pl.DataFrame:
        """Return `group, keyword, weight, documents`: the terms of the largest mean TF-IDF in each group."""
        schema = {"group": pl.String, "keyword": pl.String, "weight": pl.Float64, "documents": pl.Int64}
        rows: list[tuple[str | None, str, float, int]] = []
        places: dict[str | None, list[int]] = {}
        for place, group in enumerate(groups):
            places.setdefault(group, []).append(place)
        for group in sorted(places, key=lambda name: (-len(places[name]), name or "")):
            if self.matrix is None:
                break
            own = self.matrix[places[group]]
            weights = np.asarray(own.mean(axis=0)).ravel().round(DIGITS + 2)
            spread = np.asarray((own > 0).sum(axis=0)).ravel()
            order = np.lexsort((np.arange(len(weights)), -weights))[:number]
            rows += [
                (group, self.terms[term], float(weights[term]), int(spread[term])) for term in order if weights[term]
            ]
        return pl.DataFrame(rows, schema=schema, orient="row")

    def topics(self, number: int, method: Literal["nmf", "lda"], seed: int, words: int = 10) -> pl.DataFrame:
        """Return `topic, documents, share, words`, the largest topic first; a document counts for its strongest one."""
        schema = {"topic": pl.Int64, "documents": pl.Int64, "share": pl.Float64, "words": pl.String}
        number = min(number, *(self.matrix.shape if self.matrix is not None else (0,)))
        if number < 2:  # noqa: PLR2004  # one topic is everything
            return pl.DataFrame(schema=schema)
        rows: list[tuple[int, int, float, str]] = []
        by_document, by_term = _factors(self.matrix, number, method, seed)
        strongest = by_document.round(DIGITS).argmax(axis=1)
        has_any = by_document.round(DIGITS).max(axis=1) > 0
        sizes = np.bincount(strongest[has_any], minlength=number)
        for topic in sorted(range(number), key=lambda place: (-sizes[place], place)):
            weights = by_term[topic].round(DIGITS)
            order = np.lexsort((np.arange(len(weights)), -weights))[:words]
            shown = ", ".join(self.terms[term] for term in order if weights[term] > 0)
            rows.append((len(rows) + 1, int(sizes[topic]), round(float(sizes[topic] / len(strongest)), DIGITS), shown))
        return pl.DataFrame(rows, schema=schema, orient="row")


def _may_be_key(token: str, stop_words: frozenset[str]) -> bool:
    is_long = len(token) >= MIN_LETTERS or ord(token[0]) > 0x2E80  # noqa: PLR2004  # where the scripts of East Asia begin
    return is_long and token not in stop_words and token.partition("'")[0].partition("’")[0] not in stop_words


def _factors(matrix: Any, number: int, method: str, seed: int) -> tuple[Any, Any]:
    """Return documents × topics and topics × terms, with one thread so that sums are added in one order."""
    from sklearn.decomposition import NMF, LatentDirichletAllocation
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    state = seed % 2**32
    model: Any = NMF(number, init="nndsvda", random_state=state, max_iter=ITERATIONS)
    if method == "lda":
        model = LatentDirichletAllocation(number, random_state=state, max_iter=20, n_jobs=1)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a topic list needs no last digit
        return model.fit_transform(matrix), model.components_
