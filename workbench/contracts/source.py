"""Sources: where documents come from."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from workbench.contracts.component import Component, DigestFile, Field
from workbench.errors import EnvironmentProblem
from workbench.files.digest import digest_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from workbench.contracts.context import Context
    from workbench.contracts.records import BadRecord


class Source(Component):
    """Read documents from outside the store.

    Sources that read files take the three settings of `workbench.api.FileSource` beside `paths`.
    """

    kind: ClassVar[str] = "source"
    output: ClassVar[str] = "corpus"

    @abstractmethod
    def read(self, ctx: Context) -> Iterator[pl.DataFrame | BadRecord]:
        """Yield frames of documents (see `workbench.contracts.records`) and bad records, in a fixed order.

        A frame holds at most a few thousand documents or 16 MiB of text, so that memory stays bounded.
        """


class FileSource(Source):
    """Read documents from files, named by paths and patterns.

    Beyond `max_bad` bad records, or `max_bad_share` of all records, or at any damaged container unless
    `allow_damaged`, the step fails and says which setting would allow it.
    """

    paths: tuple[str, ...] = Field(min_length=1, description="files or patterns (`data/**/*.txt`)")
    max_bad: int = Field(1000, ge=0, description="bad records put up with")
    max_bad_share: float = Field(0.001, ge=0, le=1, description="share of bad records put up with")
    allow_damaged: bool = Field(False, description="go on after a damaged container")

    def files(self, base: Path) -> list[tuple[str, Path]]:
        """Return (name as the pipeline gives it, path) of every file, sorted by name.

        A relative path starts from `base`, and its name is relative to it; `**` stands for any depth. Raises
        `EnvironmentProblem` when a path names nothing.
        """
        found: dict[str, Path] = {}
        for given in self.paths:
            matches = list(_expand(base, given))
            if not matches:
                raise EnvironmentProblem(
                    f"no file at {given!r}",
                    where=self.component_id,
                    expected=f"a file or pattern below {base}",
                    advice="mend 'paths'; a relative path starts from the folder of the pipeline file",
                )
            found.update(matches)
        return sorted(found.items())

    def identified_files(self, base: Path) -> Iterator[tuple[str, Path, str]]:
        """Yield (name, path, identity) of every file, sorted by name.

        The identity is the file's digest, so that ids of documents survive a new name. A second file with the same
        bytes gets a number behind it: equal documents at two places are two documents.
        """
        copies: Counter[str] = Counter()
        for name, path in self.files(base):
            digest = digest_file(path)
            copies[digest] += 1
            yield name, path, digest if copies[digest] == 1 else f"{digest}#{copies[digest]}"

    def digests(self, base: Path, digest: DigestFile) -> dict[str, str]:
        """Return the name and digest of every file."""
        return {name: digest(path) for name, path in self.files(base)}


def _expand(base: Path, given: str) -> Iterator[tuple[str, Path]]:
    absolute = Path(given).expanduser().is_absolute()
    pattern = str(Path(given).expanduser()) if absolute else str(base / given)
    for match in sorted(glob(pattern, recursive=True)):  # noqa: PTH207  # takes absolute patterns too
        path = Path(match)
        if path.is_file():
            yield (path.as_posix() if absolute else path.relative_to(base).as_posix(), path)
