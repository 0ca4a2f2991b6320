"""Source code: the files of a tree that people wrote, each with its language and its licence.

Special here: every file of the tree is in the ledger, kept or rejected for a reason, and what lies outside the tree is
never read, whatever the tree links to.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from glob import glob
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, ClassVar

import polars as pl
from pydantic import field_validator
from workbench_plugins.sources.charsets import codec_of, decode_text, is_binary
from workbench_plugins.sources.code_files import Found, Passed, is_generated, is_minified, walk
from workbench_plugins.sources.code_languages import LANGUAGES, Kind, Language, language_of
from workbench_plugins.sources.code_licences import (
    UNKNOWN,
    combined,
    is_licence_file,
    licence_in_header,
    licence_of_text,
)
from workbench_plugins.sources.frames import Document, framed

from workbench.api import BadRecord, Context, EnvironmentProblem, Field, FileSource, document_id

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_FILE_BYTES = 1 << 20  # as The Stack has it (Kocetkov et al. 2022, section 3.1)
MAX_LICENCE_BYTES = 256 << 10
HEAD_CHARACTERS = 8192
_COOKIE = re.compile(rb"\A(?:[^\n]*\n)?[ \t\f]*#[^\n]{0,100}?coding[:=][ \t]*([-\w.]{2,40})")  # PEP 263


class Code(FileSource):
    """Read the source files of a tree: one document each, as they are, line ends apart.

    `paths` names folders. meta has `path` (within the folder), `repository` (its name), `language`, `licence` (an SPDX
    expression from the file's SPDX-License-Identifier, else from the nearest LICENSE or COPYING file above it, else
    `unknown`), `licence_from`, `lines`, `encoding` and `replaced`, the places that did not fit the encoding.

    Rejected with a reason: `vendored` (below node_modules, vendor, third_party, dist, …), `generated`, `minified`,
    `binary`, `unknown-language`, `other-language` and `other-kind` (what the settings leave out), `other-licence`,
    `file-too-long`. The first three can be asked for; vendored, binary and long files are rejected without their text.
    A file that cannot be read is a bad record. Folders of version control, links and devices are never looked into;
    the log says how many there were.
    """

    version: ClassVar[int] = 1
    languages: tuple[str, ...] = Field((), description="languages to read, in Linguist's names; default: all")
    kinds: tuple[Kind, ...] = Field(
        ("programming", "markup", "prose"), min_length=1, description="kinds of languages to read; `data` is the fourth"
    )
    licences: tuple[str, ...] = Field((), description="SPDX expressions to keep (`MIT`, `unknown`); default: all")
    vendored: bool = Field(False, description="read vendored files too")
    generated: bool = Field(False, description="read generated files too")
    minified: bool = Field(False, description="read minified files too")
    max_file_bytes: int = Field(MAX_FILE_BYTES, ge=1, le=64 << 20, description="longest file")

    @field_validator("languages")
    @classmethod
    def _known(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        known = {language.name.lower(): language.name for language in LANGUAGES}
        for name in languages:
            if name not in known.values():
                near = get_close_matches(name.lower(), known, 1)
                hint = f"did you mean {known[near[0]]!r}?" if near else "expected a name as Linguist has it ('Python')"
                raise ValueError(f"unknown language {name!r}; {hint}")
        return languages

    def roots(self, base: Path) -> list[tuple[str, Path]]:
        """Return (name as the pipeline gives it, path) of every folder. Raises `EnvironmentProblem` for one that is none."""
        found: dict[str, Path] = {}
        for given in self.paths:
            absolute = Path(given).expanduser().is_absolute()
            pattern = str(Path(given).expanduser()) if absolute else str(base / given)
            folders = [Path(match) for match in sorted(glob(pattern)) if Path(match).is_dir()]  # noqa: PTH207  # absolute too
            if not folders:
                raise EnvironmentProblem(
                    f"no folder at {given!r}", where=self.component_id, expected=f"a folder of source code below {base}"
                )
            for folder in folders:
                name = folder.as_posix() if absolute else folder.relative_to(base).as_posix()
                found[name] = folder
        return sorted(found.items())

    def files(self, base: Path) -> list[tuple[str, Path]]:
        """Return (name, path) of every file of the trees."""
        return [(found.name, found.path) for found, _ in self._walk(base, Passed())]

    def digests(self, base: Path, digest: Callable[[Path], str]) -> dict[str, str]:
        """Return one digest for each tree: over the names of all files, and the content of those that are read."""
        totals = {name: hashlib.sha256() for name, _ in self.roots(base)}
        for found, root in self._walk(base, Passed()):
            content = digest(found.path) if self._is_read(found) else f"{found.size} bytes"
            totals[root].update(f"{found.inner}\x00{content}\x00".encode("utf-8", "surrogateescape"))
        return {name: total.hexdigest() for name, total in totals.items()}

    def read(self, ctx: Context) -> Iterator[pl.DataFrame | BadRecord]:
        """Yield the files of every tree, in the order of their paths."""
        passed = Passed()
        yield from framed(self._documents(ctx.base, passed))
        counts = {"links": passed.links, "folders of version control": passed.history, "devices": passed.special}
        said = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
        if said:
            ctx.log(f"{ctx.step} did not look into {said}")

    def _walk(self, base: Path, passed: Passed) -> Iterator[tuple[Found, str]]:
        for name, root in self.roots(base):
            for found in walk(root, name, passed, self.component_id):
                yield found, name

    def _is_read(self, found: Found) -> bool:
        is_wanted = found.size <= self.max_file_bytes and (self.vendored or not found.is_vendored)
        return is_wanted or is_licence_file(PurePosixPath(found.inner).name)

    def _documents(self, base: Path, passed: Passed) -> Iterator[Document | BadRecord]:
        copies: Counter[str] = Counter()  # of one file at one path, in several trees
        for name, root in self.roots(base):
            licences = Licences(root)
            for found in walk(root, name, passed, self.component_id):
                yield self._document(found, root, licences, copies)

    def _document(self, found: Found, root: Path, licences: Licences, copies: Counter[str]) -> Document | BadRecord:
        name = _readable(found.name)
        meta: dict[str, str | int | None] = {
            "path": _readable(found.inner),
            "repository": _readable(root.resolve().name),
        }
        is_vendored = found.is_vendored and not self.vendored
        if is_vendored or found.size > self.max_file_bytes:
            key = found.name.encode("utf-8", "surrogateescape").hex()
            copies[key] += 1  # a tree may lie in another one that is read too
            unread = document_id(key, "unread" if copies[key] == 1 else f"unread#{copies[key]}")
            return Document(unread, None, name, meta, "vendored" if is_vendored else "file-too-long")
        try:
            content = found.path.read_bytes()
        except OSError as error:
            return BadRecord(name, "byte 0", "unreadable", f"{error.strerror}")
        # The path is part of the identity: equal files at two places of a tree are two documents.
        digest, key = hashlib.sha256(content).hexdigest(), found.inner.encode("utf-8", "surrogateescape").hex()
        copies[digest + key] += 1
        identity = document_id(digest, f"{key}#{copies[digest + key]}")
        decoded = decode_text(content, _cookie(content))
        if is_binary(content) or "\x00" in decoded.text:
            return Document(identity, None, name, meta, "binary")
        text = decoded.text.replace("\r\n", "\n").replace("\r", "\n")
        language = language_of(found.inner, text[:HEAD_CHARACTERS])
        licence, licence_from = licences.of(found.inner, text)
        meta |= {
            "language": language.name if language else None,
            "licence": licence,
            "licence_from": licence_from,
            "lines": text.count("\n") + (not text.endswith("\n")) if text else 0,
            "encoding": decoded.encoding,
            "replaced": decoded.replaced or None,
        }
        return Document(identity, text, name, meta, self._turned_away(found, text, language, licence))

    def _turned_away(self, found: Found, text: str, language: Language | None, licence: str) -> str | None:
        """Return the first reason for which the settings leave a file out."""
        if language is None:
            return "unknown-language"
        if not self.minified and is_minified(found.inner, text, language.name):
            return "minified"
        if not self.generated and is_generated(found.inner, text):
            return "generated"
        if self.languages and language.name not in self.languages:
            return "other-language"
        if not self.languages and language.kind not in self.kinds:
            return "other-kind"
        return "other-licence" if self.licences and licence not in self.licences else None


class Licences:
    """The licences of one tree, found once for each folder.

    Args:
        root: The tree; nothing above it is looked at.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._of_folder: dict[PurePosixPath, tuple[str, str]] = {}

    def of(self, inner: str, text: str) -> tuple[str, str]:
        """Return the SPDX expression for a file and what says so: `header`, the path of a file, or nothing."""
        in_header = licence_in_header(text)
        return (in_header, "header") if in_header is not None else self._nearest(PurePosixPath(inner).parent)

    def _nearest(self, folder: PurePosixPath) -> tuple[str, str]:
        if folder not in self._of_folder:
            names = sorted(self._files(folder))
            if names:
                said = combined(licence_of_text(_text(self._root / folder / name)) for name in names)
                self._of_folder[folder] = said, ", ".join(_readable((folder / name).as_posix()) for name in names)
            elif folder == PurePosixPath():
                self._of_folder[folder] = UNKNOWN, ""
            else:
                self._of_folder[folder] = self._nearest(folder.parent)
        return self._of_folder[folder]

    def _files(self, folder: PurePosixPath) -> Iterator[str]:
        for path in (self._root / folder).iterdir():
            if is_licence_file(path.name) and path.is_file() and not path.is_symlink():
                yield path.name


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return decode_text(file.read(MAX_LICENCE_BYTES)).text
    except OSError:
        return ""


def _cookie(content: bytes) -> list[str]:
    """Return the codec that the first two lines of a Python or Ruby file name."""
    matched = _COOKIE.match(content[:400])
    codec = codec_of(matched[1].decode("ascii")) if matched and matched[1].isascii() else ""
    return [codec] if codec else []


def _readable(name: str) -> str:
    """Return a file's name as text; bytes of it that are no UTF-8 become U+FFFD."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
