"""The characters of bytes from the web: byte order mark, transport, the page itself, then what fits.

Labels are read as browsers read them (`iso-8859-1` is windows-1252, `gb2312` is GB 18030). A page whose declared
encoding does not fit is tried as UTF-8 and by detection before single bytes of it are replaced, and how many were is
told. Source: WHATWG Encoding Standard, section 4.2; HTML Standard, section 13.2.3.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass

REPLACEMENT = "\ufffd"
META_BYTES = 4096  # the standard looks at 1,024; pages with long scripts in front exist
DETECTED_BYTES = 64 << 10
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BROWSER = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
_META = re.compile(
    rb"<(?:meta|\?xml)\b[^>]{0,400}?(?:charset|encoding)\s*=\s*[\"']?\s*([A-Za-z0-9_:.\-]{2,40})", re.IGNORECASE
)
_HEADER = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.\-]{2,40})", re.IGNORECASE)
# No encodings of text on the web: costly, none at all, or such that halves of surrogate pairs come out of them.
_NOT_OF_THE_WEB = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "utf-7"})
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text out of bytes.

    Attributes:
        text: The characters.
        encoding: The codec they were read with.
        replaced: How many places did not fit and became U+FFFD.
    """

    text: str
    encoding: str
    replaced: int = 0


def decode_web(content: bytes, content_type: str = "") -> Decoded:
    r"""Return the text of a page.

    Args:
        content: Its bytes.
        content_type: The header of the transport (`text/html; charset=gbk`).

    >>> decode_web("中文".encode("gbk"), "text/html; charset=gb2312")
    Decoded(text='中文', encoding='gb18030', replaced=0)
    """
    return decode_text(content, [name for name in _declared(content, content_type) if name])


def decode_text(content: bytes, declared: Sequence[str] = ()) -> Decoded:
    """Return the text of bytes: byte order mark, the declared codecs, UTF-8, then what fits.

    >>> decode_text("naïve".encode("latin-1"), ["latin-1"]).text
    'naïve'
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _replacing(content[len(mark) :], encoding)
    declared = list(dict.fromkeys(declared))
    for encoding in [*declared, "utf-8"]:
        try:
            return Decoded(content.decode(encoding), encoding)
        except UnicodeDecodeError:
            continue
    return _replacing(content, declared[0] if declared else _detected(content))


def is_binary(content: bytes) -> bool:
    """Return whether the first bytes hold controls that no text has, UTF-16 and UTF-32 with a mark apart."""
    return not content.startswith(tuple(mark for mark, _ in _MARKS)) and bool(_BINARY.search(content[:1024]))


def codec_of(label: str) -> str:
    """Return the Python codec that a browser's label stands for, empty when there is none.

    >>> codec_of("ISO-8859-1"), codec_of("x-unknown")
    ('cp1252', '')
    """
    try:
        info = codecs.lookup(label.strip().removeprefix("x-"))
    except (LookupError, ValueError):
        return ""
    name = info.name
    if not getattr(info, "_is_text_encoding", True) or name in _NOT_OF_THE_WEB:
        return ""
    return _BROWSER.get(name, name)


def _declared(content: bytes, content_type: str) -> list[str]:
    header = _HEADER.search(content_type[:200])
    meta = _META.search(content[:META_BYTES])
    from_meta = codec_of(meta[1].decode("ascii")) if meta else ""
    # A page that can say it in ASCII is not UTF-16, whatever it says.
    return [codec_of(header[1]) if header else "", "utf-8" if from_meta.startswith("utf-16") else from_meta]


def _detected(content: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(content[:DETECTED_BYTES]).best()
    return (best and codec_of(best.encoding)) or "utf-8"


def _replacing(content: bytes, encoding: str) -> Decoded:
    text = content.decode(encoding, "replace")
    given = content.decode(encoding, "ignore").count(REPLACEMENT)
    return Decoded(text, encoding, text.count(REPLACEMENT) - given)
