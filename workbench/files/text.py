"""Show text that somebody else wrote, without letting it act.

Corpus text, file names and messages from data may hold terminal escapes, bidi overrides, invisible characters, markup
or spreadsheet formulas. Everything that is shown goes through here: what cannot be seen is made visible, nothing is
removed without a trace.
"""

from __future__ import annotations

import html
import re

ELLIPSIS = "…"
FORMULA_STARTS = tuple("=+-@|%\t\r\n＝＋－＠")

# Characters that steer a terminal, reorder the text or leave no mark. Kept as they are: joiners' visible neighbours,
# U+FE00..FE0F (emoji and Han variants) and the visible Arabic format characters.
_INVISIBLE = (
    (0x00AD, 0x00AD),  # soft hyphen
    (0x034F, 0x034F),  # combining grapheme joiner
    (0x061C, 0x061C),  # Arabic letter mark
    (0x115F, 0x1160),  # Hangul fillers
    (0x17B4, 0x17B5),  # Khmer inherent vowels
    (0x180B, 0x180F),  # Mongolian selectors
    (0x200B, 0x200F),  # zero width, direction marks
    (0x2028, 0x202E),  # line and paragraph separators, bidi embeddings and overrides
    (0x2060, 0x206F),  # word joiner, invisible operators, bidi isolates
    (0x3164, 0x3164),  # Hangul filler
    (0xD800, 0xDFFF),  # lone surrogates: no output encoding takes them
    (0xFEFF, 0xFEFF),  # byte order mark
    (0xFFA0, 0xFFA0),  # half-width Hangul filler
    (0xFFF9, 0xFFFB),  # interlinear annotation
    (0x1D173, 0x1D17A),  # musical format controls
    (0xE0000, 0xE0FFF),  # tags and selectors: can carry a hidden message
)
_CONTROL = "\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f"
_HIDDEN = "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in _INVISIBLE)
_UNSAFE = re.compile(f"[{_CONTROL}{_HIDDEN}]")
_UNSAFE_IN_LINE = re.compile(f"[\\t\\n{_CONTROL}{_HIDDEN}]")
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def safe_text(text: str, limit: int | None = None) -> str:
    r"""Return `text` with everything that acts or hides shown as an escape; line ends and tabs stay.

    Args:
        text: Any string, lone surrogates among it.
        limit: How many characters may come back; what is cut ends in `…`.

    >>> safe_text("\x1b[31mred\u202e")
    '\\x1b[31mred<U+202E>'
    >>> safe_text("abcdef", 4)
    'abc…'
    """
    return _shown(text, limit, _UNSAFE)


def safe_line(text: str, limit: int | None = None) -> str:
    r"""Return `text` as one line: like `safe_text`, with line ends and tabs shown too.

    >>> safe_line("two\nlines")
    'two\\nlines'
    """
    return _shown(text, limit, _UNSAFE_IN_LINE)


def safe_html(text: str, limit: int | None = None) -> str:
    """Return `text` for an HTML element or a quoted attribute.

    >>> safe_html('<script>"')
    '&lt;script&gt;&quot;'
    """
    return html.escape(safe_text(text, limit), quote=True)


def safe_markup(text: str, limit: int | None = None) -> str:
    r"""Return `text` for a string in which rich markup is read; `rich.text.Text` is the better way.

    >>> safe_markup("[bold]")
    '\\[bold]'
    """
    from rich.markup import escape

    return escape(safe_text(text, limit))


def safe_cell(text: str, limit: int | None = None) -> str:
    """Return `text` for a CSV cell: a spreadsheet shows it and does not calculate it.

    >>> safe_cell("=1+1"), safe_cell("plain")
    ("'=1+1", 'plain')
    """
    shown = safe_text(text, limit)
    return f"'{shown}" if shown.lstrip(" ").startswith(FORMULA_STARTS) else shown


def escape_bytes(head: bytes) -> str:
    r"""Return bytes as one visible line: UTF-8 where it is, escapes where it is not.

    >>> escape_bytes(b"caf\xc3\xa9 \xff\n")
    'café \\xff\\n'
    """
    return safe_line(head.decode("utf-8", "backslashreplace"))


def _shown(text: str, limit: int | None, unsafe: re.Pattern[str]) -> str:
    cut = text if limit is None else text[: limit + 1]
    shown = unsafe.sub(_escape, cut)
    if limit is not None and len(shown) > limit:
        return shown[: max(limit - 1, 0)] + ELLIPSIS
    return shown


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0xA0 else f"<U+{code:04X}>"  # noqa: PLR2004  # the end of the C1 controls
