"""Project Gutenberg texts: the book without header, licence, footer and transcriber's notes, and what the header says.

Three generations of marks are known: `*** START OF THE (THIS) PROJECT GUTENBERG EBOOK` (since 2004), `*END*THE SMALL
PRINT!` (the nineties), and the rule of asterisks under an `Etext` header. A footer begins at `*** END OF` or at `End of
(the) Project Gutenberg`.
"""

from __future__ import annotations

import re

_START = re.compile(r"^\s*\*{3}\s*START OF (?:THE|THIS) PROJECT GUTENBERG.{0,300}$", re.IGNORECASE)
_SMALL_PRINT = re.compile(r"^\s*\*?\s*END\s*\*?\s*THE SMALL PRINT.{0,200}$", re.IGNORECASE)
_END = re.compile(
    r"^\s*(?:\*{3}\s*END OF (?:THE|THIS) PROJECT GUTENBERG|(?:\*{3}\s*)?END OF (?:THE |THIS )?PROJECT GUTENBERG"
    r"|THE END OF (?:THE |THIS )?PROJECT GUTENBERG|\*{3}\s*START: FULL LICENSE)",
    re.IGNORECASE,
)
_FIELD = re.compile(
    r"^(Title|Author|Translator|Editor|Illustrator|Language|Release Date|Posting Date)\s*:\s*(.{1,400})$"
)
_OLD_TITLE = re.compile(
    r"Project Gutenberg(?:'s)?(?: Etext of| EBook of)?,? (?!Etext|EBook)(.{1,200}?),? by (.{1,120})$", re.IGNORECASE
)
_NUMBER = re.compile(r"\[(?:EBook|EText|E-?book)\s*#?\s*(\d{1,6})\]", re.IGNORECASE)
_CREDIT = re.compile(
    r"^(?:This )?(?:E-?text|e-?book|file) (?:was )?(?:prepared|produced)|^Produced by |^Transcribed (?:from|by) "
    r"|^\[?Transcriber'?s?'?s? notes?\b|^Credits: ",
    re.IGNORECASE,
)
_NOTE_IN_BRACKETS = re.compile(r"\[(?:Transcriber|Etext|E-text)['’]?s?[^\[\]]{0,2000}\]", re.IGNORECASE)
HEADER_LINES = 1000  # the old small print has 350
LAST_LINES = 60


def read_gutenberg(text: str) -> tuple[str, dict[str, str]] | None:
    """Return the book and what its header says (title, author, language, release, number); None for another text."""
    lines = text.split("\n")
    start, is_marked = _body_start(lines)
    end = _body_end(lines, start)
    if not is_marked and end == len(lines):
        return None
    body = _without_credits(lines[start:end])
    book = _NOTE_IN_BRACKETS.sub("", "\n".join(body)).strip("\n")
    return book, _header(lines[: start or 60])


def _body_start(lines: list[str]) -> tuple[int, bool]:
    marks = [place for place, line in enumerate(lines[:HEADER_LINES]) if _START.match(line) or _SMALL_PRINT.match(line)]
    if marks:
        start = marks[-1] + 1
        # A long title goes on in the next lines, up to the closing asterisks.
        if not lines[marks[-1]].rstrip().endswith("*"):
            for step in range(3):
                if start + step < len(lines) and lines[start + step].rstrip().endswith("***"):
                    return start + step + 1, True
        return start, True
    return 0, False


def _body_end(lines: list[str], start: int) -> int:
    return next((place for place in range(start, len(lines)) if _END.match(lines[place])), len(lines))


def _without_credits(lines: list[str]) -> list[str]:
    """Drop the paragraphs before the title that name who prepared the file, and a transcriber's note at the end."""
    place = 0
    while place < min(len(lines), LAST_LINES):
        if not lines[place].strip():
            place += 1
        elif _CREDIT.match(lines[place].strip()):
            while place < len(lines) and lines[place].strip():
                place += 1
        else:
            break
    kept = lines[place:]
    for back in range(max(len(kept) - LAST_LINES, 1), len(kept)):
        if re.match(r"\s*\[?Transcriber['’]?s?['’]? notes?\b", kept[back], re.IGNORECASE):
            return kept[:back]
    return kept


def _header(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for place, line in enumerate(lines):
        field = _FIELD.match(line.strip())
        if field:
            value = field[2].strip()
            following = lines[place + 1] if place + 1 < len(lines) else ""
            if following[:6].isspace() and following.strip() and ":" not in following:
                value = f"{value} {following.strip()}"
            found.setdefault(field[1].lower().replace("posting", "release").replace(" date", ""), value)
        old = _OLD_TITLE.search(line.strip())
        if old:
            found.setdefault("title", old[1].strip(" ,"))
            found.setdefault("author", old[2].strip(" .*"))
        number = _NUMBER.search(line)
        if number:
            found.setdefault("number", number[1])
    if "release" in found:
        found["release"] = found["release"].partition("[")[0].strip()
    return found
