"""What one tokenizer makes of each document: counts that figures are made of, and what does not come back.

Shape suffixes: D documents, V vocabulary, T tokens, C characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from workbench_plugins.evaluators.sampling import WORD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import tokenizers

Ints = np.ndarray[Any, np.dtype[np.int64]]
DOCUMENTS_PER_CALL = 64
WHITE = np.array([letter for letter in range(0x3001) if chr(letter).isspace()], dtype=np.uint32)
UTF8_STEPS = (0, 0x80, 0x800, 0x10000)  # from each of these on, a character has one more byte
CONTEXT = 12  # characters shown around the first one that is lost


@dataclass(frozen=True)
class TextCounts:
    """How large documents are, whatever cuts them; all int64[D]."""

    bytes_d: Ints
    characters_d: Ints
    visible_d: Ints
    words_d: Ints


@dataclass(frozen=True)
class TokenCounts:
    """What a tokenizer made of the documents.

    Attributes:
        made_d: Tokens of each document, without any that a tokenizer puts around it.
        unknown_d: Those of them that stand for something unknown.
        tokens_d: Known tokens, and one for each byte of what is unknown, so that knowing nothing does not pay.
        covered_d: Characters other than white space that a known token stands for.
        changed_d: 1 for a document that decoding does not give back.
        documents_v: In how many documents each token stands, special ones left out.
        alone_d: Tokens that stand in no other document.
        losses: Place of a document → (what stood at the first difference, what came back), for the first few.
    """

    made_d: Ints
    unknown_d: Ints
    tokens_d: Ints
    covered_d: Ints
    changed_d: Ints
    documents_v: Ints
    alone_d: Ints
    losses: dict[int, tuple[str, str]]


def count_text(texts: Sequence[str]) -> TextCounts:
    """Return the sizes of the texts; a word is a run of letters and digits, a single character in Chinese."""
    word = re.compile(WORD)
    return TextCounts(
        bytes_d=np.array([len(text.encode()) for text in texts], dtype=np.int64),
        characters_d=np.array([len(text) for text in texts], dtype=np.int64),
        visible_d=np.array([int(visible(text).sum()) for text in texts], dtype=np.int64),
        words_d=np.array([sum(1 for _ in word.finditer(text)) for text in texts], dtype=np.int64),
    )


def count_tokens(
    fast: tokenizers.Tokenizer,
    unknown: int | None,
    texts: Sequence[str],
    losses: int,
    progress: Callable[[int, int], None],
) -> TokenCounts:
    """Return what `fast` makes of the texts. A special token that a text spells out is only text.

    Args:
        fast: The tokenizer.
        unknown: The id of its token for what it does not know.
        texts: The documents.
        losses: How many documents that do not come back are shown.
        progress: Called with the number of documents that are done, and of all.
    """
    fast.encode_special_tokens = True
    fast.no_truncation()
    fast.no_padding()
    size = max(fast.get_vocab().values(), default=-1) + 1
    special = special_ids(fast)
    documents_v, last_v = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    made_d, unknown_d, tokens_d, covered_d, changed_d = np.zeros((5, len(texts)), dtype=np.int64)
    lost: dict[int, tuple[str, str]] = {}
    for start in range(0, len(texts), DOCUMENTS_PER_CALL):
        chunk = list(texts[start : start + DOCUMENTS_PER_CALL])
        encodings = fast.encode_batch(chunk, add_special_tokens=False)
        decoded = fast.decode_batch([encoding.ids for encoding in encodings], skip_special_tokens=False)
        for place, (text, encoding, again) in enumerate(zip(chunk, encodings, decoded, strict=True), start):
            ids_t = np.array(encoding.ids, dtype=np.int64)
            is_known_t = ids_t != (-1 if unknown is None else unknown)
            made_d[place], unknown_d[place] = len(ids_t), len(ids_t) - is_known_t.sum()
            spans = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)[is_known_t]
            covered_d[place], lost_bytes = _covered(text, spans)
            tokens_d[place] = is_known_t.sum() + lost_bytes
            used = np.setdiff1d(ids_t, special)
            documents_v[used] += 1
            last_v[used] = place
            changed_d[place] = again != text
            if again != text and len(lost) < losses:
                lost[place] = difference(text, again)
        progress(min(start + DOCUMENTS_PER_CALL, len(texts)), len(texts))
    alone_d = np.bincount(last_v[documents_v == 1], minlength=len(texts))
    return TokenCounts(made_d, unknown_d, tokens_d, covered_d, changed_d, documents_v, alone_d, lost)


def special_ids(fast: tokenizers.Tokenizer) -> list[int]:
    """Return the ids of the special tokens."""
    return [number for number, token in fast.get_added_tokens_decoder().items() if token.special]


def visible(text: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return bool[C]: the characters that are no white space.

    >>> visible("a 天").tolist()
    [True, False, True]
    """
    return ~np.isin(_code_points(text), WHITE)


def _covered(text: str, spans: Ints) -> tuple[int, int]:
    """Return how many visible characters lie in one of the spans (start, end), and the UTF-8 bytes of the others."""
    edges = np.zeros(len(text) + 1, dtype=np.int64)
    np.add.at(edges, spans[:, 0], 1)
    np.add.at(edges, spans[:, 1], -1)
    is_inside = edges.cumsum()[:-1] > 0
    is_visible = visible(text)
    outside = _code_points(text)[is_visible & ~is_inside]
    return int((is_visible & is_inside).sum()), int(sum((outside >= least).sum() for least in UTF8_STEPS))


def _code_points(text: str) -> np.ndarray[Any, np.dtype[np.uint32]]:
    return np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)


def difference(text: str, again: str) -> tuple[str, str]:
    """Return both texts around the first place where they differ.

    >>> difference("a Café", "a cafe")
    ('a Café', 'a cafe')
    """
    shorter = min(len(text), len(again))
    place = next((place for place in range(shorter) if text[place] != again[place]), shorter)
    window = slice(max(0, place - CONTEXT), place + CONTEXT)
    return text[window], again[window]


def shown_pieces(fast: tokenizers.Tokenizer, unknown: int | None, text: str) -> tuple[int, str]:
    """Return how many tokens a text has, and the text with `|` between them.

    What is unknown stands between ⟨ and ⟩; `·` is one more token of the character before, such as another of its bytes.
    """
    encoding = fast.encode(text, add_special_tokens=False)
    pieces, end = [], 0
    for number, (start, stop) in zip(encoding.ids, encoding.offsets, strict=True):
        piece = text[max(start, end) : stop].replace("\n", "↵") if stop > end else "·"
        pieces.append(f"⟨{piece}⟩" if number == unknown else piece)
        end = max(end, stop)
    return len(pieces), "|".join(pieces)
