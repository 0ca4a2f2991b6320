"""The normal form of URLs (RFC 3986, section 6.2), for whole columns at once.

Letters of scheme and host are lower case; default ports, user names and the dot behind a host go; percent-encoding is
undone where it is not needed and in upper case where it is, and what is not ASCII is encoded; beyond that, what
`UrlOptions` ignores.
Python sees only the rare URLs with characters beyond ASCII or with `.` and `..` in their path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

# RFC 3986, appendix B, with the authority taken apart: scheme, host, port, path, query, fragment.
PARTS = (
    r"^(?:(?<scheme>[A-Za-z][A-Za-z0-9+.-]*):)?(?://(?:[^/?#@]*@)?(?<host>\[[^\]/?#]*\]|[^:/?#]*)(?::(?<port>[0-9]*))?)?"
    r"(?<path>[^?#]*)(?:\?(?<query>[^#]*))?(?:#(?<fragment>.*))?$"
)
DEFAULT_PORTS = ("http:80", "https:443", "ftp:21", "ws:80", "wss:443")
INDEX = r"/(?:index|default)\.(?:html?|xhtml|php[3-7]?|aspx?|jsp|cgi)$"
UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
ENCODED = {f"%{code:02X}": chr(code) if chr(code) in UNRESERVED else f"%{code:02X}" for code in range(256)}
ASCII = "".join(map(chr, range(33, 127)))
NOT_ASCII = r"[^\x21-\x7e]"
DOTS = r"/\.\.?(?:/|$)"


@dataclass(frozen=True)
class UrlOptions:
    """What does not count when URLs are compared.

    Attributes:
        scheme: `http` and `https` are the same.
        www: `www.` before the host.
        fragment: What stands behind `#`, but for `#!`, which names pages.
        trailing_slash: Slashes at the end of the path.
        index: A file name such as `index.html` at the end of the path.
        query: All parameters.
        parameters: Names of parameters, without case; `*` stands for anything.
        parameter_order: The order of the parameters.
        path_case: Case in path and parameters.
    """

    scheme: bool
    www: bool
    fragment: bool
    trailing_slash: bool
    index: bool
    query: bool
    parameters: tuple[str, ...]
    parameter_order: bool
    path_case: bool


def normal_form(urls: pl.Series, options: UrlOptions) -> pl.Series:
    """Return the normal forms; null where there is none or nothing but white space.

    >>> options = UrlOptions(True, True, True, True, False, False, ("utm_*",), True, False)
    >>> normal_form(pl.Series(["HTTPS://www.Example.com:443/%7ea/?utm_id=1&b=2&a=1#top"]), options).to_list()
    ['//example.com/~a?a=1&b=2']
    """
    stripped = pl.col("url").str.strip_chars()
    frame = pl.DataFrame({"url": urls.cast(pl.String)}).select(
        pl.when(stripped != "").then(stripped).str.extract_groups(PARTS).alias("parts")
    )
    parts = frame.unnest("parts").with_columns(
        pl.col("scheme").str.to_lowercase(), pl.col("host").str.to_lowercase().str.strip_chars_end(".")
    )
    parts = parts.with_columns(_seldom(parts["host"], NOT_ASCII, ascii_host))
    for name in ("path", "query", "fragment"):
        parts = parts.with_columns(_seldom(parts[name], NOT_ASCII, ascii_only))
    parts = parts.with_columns(
        pl.col(name).str.replace_many(list(ENCODED), list(ENCODED.values()), ascii_case_insensitive=True)
        for name in ("path", "query", "fragment")
    )
    parts = parts.with_columns(_seldom(parts["path"], DOTS, without_dots))
    return parts.select(_joined(options)).to_series().alias(urls.name)


def _joined(options: UrlOptions) -> pl.Expr:
    port = pl.format("{}:{}", pl.col("scheme").fill_null("http"), pl.col("port"))
    needs_port = (pl.col("port") != "") & ~port.is_in(DEFAULT_PORTS)
    scheme = pl.col("scheme").fill_null("")
    if options.scheme:
        scheme = pl.when(scheme.is_in(["http", "https"])).then(pl.lit("")).otherwise(scheme)
    host = pl.col("host").str.replace(r"^www\d{0,2}\.", "") if options.www else pl.col("host")
    path = pl.col("path").str.replace(f"(?i){INDEX}", "/") if options.index else pl.col("path")
    path = (
        path.str.strip_chars_end("/")
        if options.trailing_slash
        else pl.when(path == "").then(pl.lit("/")).otherwise(path)
    )
    query = pl.lit("") if options.query else _query(options)
    shown = pl.col("fragment").str.starts_with("!") if options.fragment else pl.col("fragment") != ""
    pieces = [
        pl.when(scheme != "").then(scheme + ":").otherwise(pl.lit("")),
        pl.when(pl.col("host").is_not_null()).then("//" + host).otherwise(pl.lit("")),
        pl.when(needs_port).then(":" + pl.col("port")).otherwise(pl.lit("")),
        path.str.to_lowercase() if options.path_case else path,
        pl.when(query != "")
        .then("?" + (query.str.to_lowercase() if options.path_case else query))
        .otherwise(pl.lit("")),
        pl.when(shown).then("#" + pl.col("fragment")).otherwise(pl.lit("")),
    ]
    return pl.when(pl.col("path").is_not_null()).then(pl.concat_str(pieces)).alias("url")


def _query(options: UrlOptions) -> pl.Expr:
    element = pl.element()
    wanted = element != ""
    if options.parameters:
        names = "|".join(re.escape(name).replace(r"\*", "[^=]*") for name in options.parameters)
        wanted &= ~element.str.contains(f"^(?i:{names})(?:=|$)")
    pieces = pl.col("query").fill_null("").str.replace_all("&amp;", "&", literal=True).str.split("&")
    pieces = pieces.list.eval(element.filter(wanted))
    return (pieces.list.sort() if options.parameter_order else pieces).list.join("&")


def _seldom(values: pl.Series, pattern: str, change: Callable[[str], str]) -> pl.Series:
    """Return the values, those in which the pattern occurs changed by a Python function, each distinct one once."""
    found = values.filter(values.str.contains(pattern)).unique()
    if found.is_empty():
        return values
    return values.replace(found, pl.Series([change(value) for value in found], dtype=pl.String))


def ascii_host(host: str) -> str:
    """Return an internationalised host as it is looked up (IDNA 2003); as it stands where that cannot be.

    >>> ascii_host("例子.中国")
    'xn--fsqu00a.xn--fiqs8s'
    """
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def ascii_only(text: str) -> str:
    """Return the text with everything but printable ASCII percent-encoded as UTF-8.

    >>> ascii_only("/a b/文%20")
    '/a%20b/%E6%96%87%20'
    """
    return quote(text, safe=ASCII)


def without_dots(path: str) -> str:
    """Return an absolute path without `.` and `..` (RFC 3986, section 5.2.4).

    >>> without_dots("/a/b/c/./../../g"), without_dots("/../x/.."), without_dots("/a/.")
    ('/a/g', '/', '/a/')
    """
    kept: list[str] = []
    pieces = path.split("/")
    for piece in pieces:
        if piece == "..":
            if len(kept) > 1:
                kept.pop()
        elif piece != ".":
            kept.append(piece)
    if pieces[-1] in {".", ".."}:
        kept.append("")
    return "/".join(kept) if len(kept) > 1 or not path.startswith("/") else "/"
