"""Words, for text with and without spaces between them: what every filter that counts words means by one.

A word is

- one character of a script that is written without spaces (Han, kana, Bopomofo, Thai, Lao, Khmer, Burmese,
  Tibetan), with the marks that follow it; or
- a run of other characters between spaces and such characters, with the punctuation at it (`don't`, `so,`, `3.14`,
  `--`), unless it is typographic or Chinese punctuation alone (`，`, `—`, `…`).

So text in a script with spaces has the words of Python's `text.split()`, and `中文，2024年 is fine` has six.

A Chinese word is about one and a half characters, but where it ends is a matter of dictionaries, which differ from
tool to tool and from year to year. The character needs none, is the same everywhere, and is the lenient choice for
a least number of words. Splitting at spaces makes a Chinese page one word of a thousand letters and throws it away.

The regular expressions run on a linear engine without look-around. Each function gives one count and stands once in
an expression, because polars shares equal parts of the expressions of a batch, but not equal parts of shared parts.
"""

from __future__ import annotations

import polars as pl

UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
# General Punctuation with its invisible marks, CJK Symbols and Punctuation (々〇 are Han), and full-width forms.
SEPARATING = (
    r"\x{200B}-\x{2027}\x{202A}-\x{202E}\x{2030}-\x{205E}\x{2060}-\x{206F}\x{3001}-\x{3004}\x{3008}-\x{3020}"
    r"\x{3030}\x{30A0}\x{30FB}\x{FE30}-\x{FE4F}\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF20}\x{FF3B}-\x{FF40}\x{FF5B}-\x{FF65}"
    r"\x{FEFF}·"
)

_UNSPACED_WORD = rf"[{UNSPACED}]\p{{M}}*"
_WORD = rf"{_UNSPACED_WORD}|[{SEPARATING}]*[^\s{UNSPACED}{SEPARATING}][^\s{UNSPACED}]*"
_LETTERED_WORD = rf"{_UNSPACED_WORD}|[^\s\p{{L}}{UNSPACED}]*[\p{{L}}--[{UNSPACED}]][^\s{UNSPACED}]*"
_NOT_OF_SPACED_WORD = rf"[\s{UNSPACED}{SEPARATING}]"


def count_words(text: pl.Expr) -> pl.Expr:
    """Return the number of words.

    >>> texts = pl.DataFrame({"text": ["中文，2024年 is fine", "don't, 3.14 -- ok", "……", ""]})
    >>> texts.select(count_words(pl.col("text"))).to_series().to_list()
    [6, 4, 0, 0]
    """
    return text.str.count_matches(_WORD)


def count_lettered_words(text: pl.Expr) -> pl.Expr:
    """Return the number of words that have a letter.

    >>> pl.DataFrame({"text": ["2024年, 3 men --"]}).select(count_lettered_words(pl.col("text"))).item()
    2
    """
    return text.str.count_matches(_LETTERED_WORD)


def count_unspaced_words(text: pl.Expr) -> pl.Expr:
    """Return the number of words that are one character of a script without spaces.

    >>> pl.DataFrame({"text": ["用iPhone手机"]}).select(count_unspaced_words(pl.col("text"))).item()
    3
    """
    return text.str.count_matches(_UNSPACED_WORD)


def count_spaced_characters(text: pl.Expr) -> pl.Expr:
    """Return the number of characters in the words of scripts with spaces, separating punctuation left out.

    >>> pl.DataFrame({"text": ["用iPhone手机，“ok”"]}).select(count_spaced_characters(pl.col("text"))).item()
    8
    """
    return text.str.len_chars() - text.str.count_matches(_NOT_OF_SPACED_WORD)
