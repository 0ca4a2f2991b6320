"""Prose out of wikitext, in one pass over its tokens, in time linear in its length.

Special here: a stack of open templates, tables and links with a bounded depth; what is never closed stays as text, as
MediaWiki shows it. mwparserfromhell, the library for this, builds a tree of every node: 2 million characters a
second on articles, and minutes on a hundred thousand unclosed brackets (see docs/decisions/0017).

Templates and tables are dropped, but for a few templates that only dress a text (`lang`, `nowrap`). References,
galleries, files, categories, links between languages and comments are dropped. Links and headings leave their words,
formulas their TeX. Of `-{zh-hans:…;zh-hant:…}-` the simplified form stays, or the first one.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

MAX_DEPTH = 100
TOKEN = re.compile(
    r"\{{2,}|\}{2,}|\[\[|\]\]|^[ \t:]*\{\||\|\}|<!--|</?([a-zA-Z][a-zA-Z0-9]*+)([^<>]{0,2000}+)>", re.MULTILINE
)
DROPPED = {
    *("ref", "gallery", "timeline", "imagemap", "mapframe", "maplink", "graph", "hiero", "score", "templatestyles"),
    *("indicator", "inputbox", "categorytree", "style", "script", "references", "section", "chart"),
}
VERBATIM = {"nowiki", "pre", "syntaxhighlight", "source"}
FORMULA = {"math", "chem", "ce"}
BREAKS = {"br", "p", "div", "li", "tr", "blockquote", "center", "poem", "h1", "h2", "h3", "h4", "table", "ul", "ol"}
# Template → which of its arguments is the text.
DRESSING = {
    **dict.fromkeys(("nowrap", "nobr", "small", "big", "smaller", "larger", "le", "link-en", "tsl-text"), 0),
    **dict.fromkeys(("lang", "transl", "transliteration", "langue"), -1),
}
FILES = ("file", "image", "media", "文件", "檔案", "档案", "图像", "圖像")
CATEGORIES = ("category", "分类", "分類")
_LANGUAGE_LINK = re.compile(r"(?:[a-z]{2,3}|simple|[a-z]{2,3}(?:-[a-z]+){1,2}):\S")
_SWITCH = re.compile(r"__[A-Z]{3,25}__")
_EXTERNAL = re.compile(r"\[(?:https?://|ftp://|//|mailto:)[^\s\[\]<>]*+[ \t]*+([^\[\]\n]*+)\]")
_CONVERSION = re.compile(r"-\{([^{}]{0,2000})\}-")
_QUOTES = re.compile(r"'{2,5}")
_HOLLOW = re.compile(r"[(（][\s;,，、；:：]*[)）]")
_HELD = re.compile("\x00([0-9]+)\x00")
_BLANKS = re.compile(r"[ \t\u00a0]{2,}")


@dataclass(frozen=True)
class Links:
    """Prefixes of links that are no text, in lower case, with their colon."""

    hidden: tuple[str, ...] = tuple(f"{name}:" for name in (*FILES, *CATEGORIES))

    @classmethod
    def named(cls, namespaces: Iterable[tuple[str, str]]) -> Links:
        """Return the prefixes with those of a wiki's own namespaces (key, name) added."""
        names = [html.unescape(name).lower() for _, name in namespaces]
        return cls(tuple(dict.fromkeys([*cls.hidden, *(f"{name}:" for name in names)])))


@dataclass
class _Frame:
    """An open template, table or link, or the page itself, and the text in it so far."""

    kind: str
    opener: str = ""
    parts: list[str] = field(default_factory=list)


def strip_wikitext(text: str, links: Links | None = None, *, math: bool = True) -> str:
    """Return the prose of a page.

    Args:
        text: Wikitext.
        links: Prefixes of links to drop.
        math: Whether formulas stay, as `$TeX$`.

    >>> strip_wikitext("'''Ada''' was a [[mathematics|mathematician]].<ref>x</ref> {{stub}}")
    'Ada was a mathematician.'
    """
    return _Scanner(text.replace("\x00", ""), links or Links(), keep_math=math).prose()


class _Scanner:
    def __init__(self, text: str, links: Links, *, keep_math: bool) -> None:
        self._text = text
        self._lower = text.lower() if len(text.lower()) == len(text) else text
        self._links = links
        self._keep_math = keep_math
        self._stack = [_Frame("page")]
        self._verbatim: list[str] = []
        self._never_closed: set[str] = set()

    def prose(self) -> str:
        """Return the text without what the tokens hide; code and formulas, held apart, are put back at the end."""
        text, place = self._text, 0
        while found := TOKEN.search(text, place):
            self._stack[-1].parts.append(text[place : found.start()])
            place = self._token(found)
        self._stack[-1].parts.append(text[place:])
        prose = _conversions(_flat(self._stack))
        prose = _tidied(_EXTERNAL.sub(r"\1", _SWITCH.sub("", _QUOTES.sub("", prose))))
        return _HELD.sub(lambda held: self._verbatim[int(held[1])], prose)

    def _token(self, found: re.Match[str]) -> int:
        """Take in one token and return where to go on."""
        found_text = found.group()
        if found_text.startswith("<"):
            return self._angle(found)
        if found_text.startswith("{{"):
            for _ in range(len(found_text) // 2):
                self._open("template", "{{")
            return found.end()
        if found_text.startswith("}}"):
            return self._close_templates(found)
        if found_text == "[[":
            self._open("link", found_text)
        elif found_text == "]]":
            self._close_link()
        elif found_text.endswith("{|"):
            self._open("table", found_text)
        else:
            return self._close_table(found)
        return found.end()

    def _open(self, kind: str, opener: str) -> None:
        if len(self._stack) > MAX_DEPTH:
            self._stack[-1].parts.append(opener)
        else:
            self._stack.append(_Frame(kind, opener))

    def _close_templates(self, found: re.Match[str]) -> int:
        for place in range(found.start(), found.end() - 1, 2):
            index = self._nearest("template")
            if index < 0:
                self._stack[-1].parts.append(found.group()[place - found.start() :])
                break
            frames = self._stack[index:]
            del self._stack[index:]
            name = frames[0].parts[0].partition("|")[0] if frames[0].parts else ""
            if name.strip().lower() in DRESSING:
                frames[0].opener = ""
                self._stack[-1].parts.append(_dressed(_flat(frames)))
        return found.end()

    def _close_table(self, found: re.Match[str]) -> int:
        index = self._nearest("table")
        if index < 0 or self._nearest("template") > index:
            self._stack[-1].parts.append("|")
            return found.start() + 1
        del self._stack[index:]
        return found.end()

    def _close_link(self) -> None:
        if self._stack[-1].kind != "link":
            self._stack[-1].parts.append("]]")
            return
        frame = self._stack.pop()
        self._stack[-1].parts.append(self._label("".join(frame.parts)))

    def _label(self, link: str) -> str:
        target, bar, label = link.partition("|")
        shown = target.strip()
        if shown.lower().startswith(self._links.hidden) or (not bar and _LANGUAGE_LINK.match(shown)):
            return ""
        if bar and label.strip():
            return label
        shown = shown.removeprefix(":")
        return shown.rpartition(":")[2].partition(" (")[0] if bar else shown

    def _nearest(self, kind: str) -> int:
        for index in range(len(self._stack) - 1, 0, -1):
            if self._stack[index].kind == kind:
                return index
        return -1

    def _angle(self, found: re.Match[str]) -> int:
        if found.group() == "<!--":
            end = self._find("-->", found.end())
            return len(self._text) if end < 0 else end + 3
        name = found[1].lower()
        if name in BREAKS:
            self._stack[-1].parts.append("\n")
        is_open = not found.group().startswith("</") and not found[2].endswith("/")
        if not is_open or name not in DROPPED | VERBATIM | FORMULA:
            return found.end()
        end = self._find(f"</{name}", found.end())
        if end < 0:
            return found.end()
        self._keep(name, self._text[found.end() : end])
        close = self._text.find(">", end)
        return len(self._text) if close < 0 else close + 1

    def _keep(self, name: str, content: str) -> None:
        if name in VERBATIM or (name in FORMULA and self._keep_math and content.strip()):
            self._verbatim.append(content if name in VERBATIM else f"${content.strip()}$")
            self._stack[-1].parts.append(f"\x00{len(self._verbatim) - 1}\x00")

    def _find(self, mark: str, start: int) -> int:
        """Return the place of a closing mark; once there is none, it is not looked for again."""
        if mark in self._never_closed:
            return -1
        place = self._lower.find(mark, start)
        if place < 0:
            self._never_closed.add(mark)
        return place


def _flat(frames: list[_Frame]) -> str:
    return "".join(part for frame in frames for part in (frame.opener, *frame.parts))


def _dressed(template: str) -> str:
    name, *arguments = template.split("|")
    index = DRESSING.get(name.strip().lower())
    positional = [argument for argument in arguments if "=" not in argument]
    if index is None or not positional:
        return ""
    return positional[index].strip()


def _conversions(text: str) -> str:
    def chosen(match: re.Match[str]) -> str:
        flag, bar, rules = match[1].partition("|")
        if bar and flag.strip() not in ("", "A", "R", "zh-hans", "zh-cn", "zh-hant"):
            return ""  # rules for the title or the rest of the page
        body = rules if bar else flag
        choices = [choice.partition(":") for choice in body.split(";") if choice.strip()]
        if not any(colon for _, colon, _ in choices):
            return body
        named = {name.strip(): value.strip() for name, colon, value in choices if colon}
        return named.get("zh-hans") or named.get("zh-cn") or named.get("zh") or next(iter(named.values()), "")

    return _CONVERSION.sub(chosen, text)


def _tidied(prose: str) -> str:
    """Return the lines without markers, empty sections and holes that dropped parts leave."""
    lines: list[tuple[int, str]] = []  # level of a heading, 0 for text
    for raw in html.unescape(prose).split("\n"):
        line = raw.strip()
        level = min(len(line) - len(line.lstrip("=")), len(line) - len(line.rstrip("=")), 6)
        if level >= 2 and len(line) > 2 * level:  # noqa: PLR2004  # == the highest heading ==
            lines.append((level, line.strip("=").strip()))
            continue
        line = line.lstrip("*#:;").strip()
        if line.startswith("----"):
            line = line.lstrip("-").strip()
        if "(" in line or "（" in line:
            line = _HOLLOW.sub("", line)
        lines.append((0, _BLANKS.sub(" ", line).strip()))
    return "\n".join(_without_empty_sections(lines)).strip()


def _without_empty_sections(lines: list[tuple[int, str]]) -> list[str]:
    kept: list[str] = []
    following = 0  # level of the heading below, 7 for text, 0 for the end of the page
    for level, line in reversed(lines):
        if level and following > level:
            kept += ["", line, ""]
            following = level
        elif not level and line:
            kept.append(line)
            following = 7
        elif not level and kept and kept[-1]:
            kept.append("")
    return [line for place, line in enumerate(reversed(kept)) if line or not place or kept[-place]]
