"""Documents by where they come from: lists of hosts, domains and beginnings of URLs, to block or to allow.

Lists of the usual kinds are read: one domain a line (UT1 and the like, also `*.domain`, `.domain`, `||domain^`), hosts
files (`0.0.0.0 domain`), URLs with or without a scheme. Millions of entries take eight bytes each, mapped from disk by
all workers. Penedo et al. 2023 (RefinedWeb, section 3.1 and appendix G.1) filter a crawl by such a list first.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

import numpy as np
import polars as pl
from pydantic import PrivateAttr, model_validator
from workbench_plugins.filters.named_files import digests_of, read_entries
from workbench_plugins.filters.text_buffers import text_buffers
from workbench_plugins.filters.web_addresses import address_of, is_numeric, listed_addresses

from workbench.api import Field, Kernel, KernelColumn, RowFilter, StepError, Threshold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from workbench_plugins.filters.named_files import Entry

    from workbench.api import Context

HASHES, DIRECTORY, FILES = "hashes.npy", "directory.npy", "files.npy"
AT_ONCE = 1 << 17  # entries hashed together
PER_BUCKET = 4  # hashes with the same first bits, on average
SHOWN = 60


@dataclass(frozen=True)
class AddressLists(Kernel):
    """Where a document comes from and which entries cover it: `url_host`, and of both kinds of lists entry and file.

    Columns: `url_host` (lower case, punycode; null without a URL that names a host), `blocked_by` and `allowed_by` (the
    most special entry that covers it), `block_list` and `allow_list` (the file that holds the entry, as it is named).

    Attributes:
        url: The column, or else key of `meta`, that holds the URL.
        folder: Where `UrlList.fit` wrote the lists.
        block: Names of the files of either kind.
        allow: The same.
    """

    url: str
    folder: Path
    block: tuple[str, ...]
    allow: tuple[str, ...]

    def compute(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return the five columns for every document."""
        urls = urls_of(batch, self.url)
        addresses = [address_of(url) if url else None for url in urls]
        hosts = pl.Series([one.host if one else None for one in addresses], dtype=pl.String)
        paths = pl.Series([one.path if one else None for one in addresses], dtype=pl.String)
        columns = {"url_host": hosts}
        for kind, by, of in (("block", "blocked_by", "block_list"), ("allow", "allowed_by", "allow_list")):
            columns[by], columns[of] = covered(self.folder / kind, getattr(self, kind), hosts, paths)
        return pl.DataFrame(columns)


def urls_of(batch: pl.DataFrame, name: str) -> pl.Series:
    """Return the URL of each document, null where there is none."""
    if name in batch.columns and name != "meta":
        return batch[name].cast(pl.String)
    return batch["meta"].str.json_path_match(f"$['{name}']")


def covered(folder: Path, names: tuple[str, ...], hosts: pl.Series, paths: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return for each address the entry of the lists in `folder` that covers it, and the name of the entry's file."""
    if not names:
        nothing = pl.repeat(None, len(hosts), dtype=pl.String, eager=True)
        return nothing, nothing
    from workbench_plugins.filters.url_list_kernel import look_up

    hashes, directory, files = (np.load(folder / file, mmap_mode="r") for file in (HASHES, DIRECTORY, FILES))
    places, cuts, lengths = (np.zeros(len(hosts), dtype=np.int64) for _ in range(3))
    numeric = np.array([bool(host) and is_numeric(host) for host in hosts], dtype=np.bool_)
    look_up(
        *text_buffers(hosts), *text_buffers(paths), numeric, np.asarray(hashes), np.asarray(directory), places, cuts,
        lengths,
    )  # fmt: skip
    is_covered = places >= 0
    parts = pl.DataFrame({"host": hosts, "path": paths, "cut": cuts, "length": lengths, "is": is_covered})
    entry = pl.col("host").str.slice(pl.col("cut")) + pl.col("path").str.slice(0, pl.col("length"))
    of = np.where(is_covered, files[np.maximum(places, 0)] if files.size else 0, len(names))
    return (
        parts.select(pl.when("is").then(entry)).to_series(),
        pl.Series([*names, None], dtype=pl.String).gather(of.astype(np.uint32)),
    )


class UrlList(RowFilter):
    """Drop documents whose URL is on a block list, or on no allow list; measures which entry covers each.

    An entry covers its host and every host below it, and with a path every URL whose path begins with it, cut at `/` or
    `?`. Schemes, ports, user names and fragments count for nothing; hosts are compared as browsers read them (case,
    punycode, dots at the end, odd IPv4). What is on an allow list is never dropped as blocked. A document without a URL
    is kept unless `drop_without_url`.
    """

    version: ClassVar[int] = 1
    url: str = Field("url", min_length=1, pattern=r"^[^'\\\]]+$", description="column or key of meta with the URL")
    block: tuple[str, ...] = Field((), description="files of entries to drop")
    allow: tuple[str, ...] = Field((), description="files of entries to keep")
    max_bad_share: float = Field(0.01, ge=0, le=1, description="share of a kind's lines that may be no entry")
    only_allowed: Annotated[bool, Threshold] = Field(False, description="drop what no allow list covers")
    drop_without_url: Annotated[bool, Threshold] = Field(False, description="drop documents without a URL")
    _learned: Path | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _has_lists(self) -> Self:
        if not (self.block or self.allow):
            raise ValueError("there is no list; expected files in block, in allow, or in both")
        if self.only_allowed and not self.allow:
            raise ValueError("only_allowed without a file in allow would drop every document with a URL")
        return self

    def digests(self, base: Path, digest: Callable[[Path], str]) -> dict[str, str]:
        """Return the digests of the lists."""
        return digests_of(base, (*self.block, *self.allow), digest)

    def fit(self, ctx: Context, folder: Path) -> None:
        """Write the hashes of the entries, in order, each with the first file that has it."""
        for kind, names in (("block", self.block), ("allow", self.allow)):
            if names:
                self._write(ctx, names, folder / kind)
        first = next(ctx.inputs["corpus"].batches(), None)
        if first is not None and first.height and urls_of(first, self.url).null_count() == first.height:
            ctx.log(f"none of the first {first.height} documents has {self.url!r}, as a column or in meta")

    def _write(self, ctx: Context, names: tuple[str, ...], folder: Path) -> None:
        hashes, files, lines, bad = [], [], 0, []
        for chunk in chunks(read_entries(ctx.base, names)):
            keys, of = [], []
            for entry in chunk:
                found = listed_addresses(entry.text)
                lines += 1
                if found is None:
                    bad.append(f"{names[entry.file]}, line {entry.line}: {entry.text[:SHOWN]!r}")
                    continue
                keys += found
                of += [entry.file] * len(found)
            hashes.append(hashed(keys))
            files.append(np.array(of, dtype=np.uint16))
        if len(bad) > self.max_bad_share * lines:
            raise StepError(
                f"{len(bad)} of {lines} lines are neither a domain nor a URL",
                where=bad[0],
                expected="one domain, host or URL a line, or a hosts file",
                advice="mend the list, or raise max_bad_share",
            )
        if bad:
            ctx.log(f"{len(bad)} of {lines} lines are neither a domain nor a URL; the first is {bad[0]}")
        ctx.log(f"{write_list(folder, hashes, files)} entries of {', '.join(names)}")

    def fitted(self, folder: Path) -> Self:
        """Return this filter with the lists that `fit` wrote."""
        learned = self.model_copy()
        learned._learned = folder  # noqa: SLF001 - its own copy
        return learned

    def signals(self) -> Mapping[str, KernelColumn]:
        """Return the host, and which entries cover the URL."""
        kernel = AddressLists(self.url, self._learned or Path(), self.block, self.allow)
        names = ("url_host", "blocked_by", "block_list", "allowed_by", "allow_list")
        return {name: kernel.column(name) for name in names}

    def rules(self) -> dict[str, pl.Expr]:
        """Drop what is blocked and not allowed, and what is asked for besides."""
        is_allowed = pl.col("allowed_by").is_not_null()
        rules = {"url-blocked": pl.col("blocked_by").is_not_null() & ~is_allowed}
        if self.only_allowed:
            rules["url-not-allowed"] = pl.col("url_host").is_not_null() & ~is_allowed
        if self.drop_without_url:
            rules["no-url"] = pl.col("url_host").is_null()
        return rules


def chunks(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Yield the entries in lists of `AT_ONCE`."""
    rest = iter(entries)
    while chunk := list(islice(rest, AT_ONCE)):
        yield chunk


def hashed(keys: list[str]) -> np.ndarray:
    """Return uint64: the hash of each key."""
    from workbench_plugins.filters.url_list_kernel import hash_keys

    hashes = np.empty(len(keys), dtype=np.uint64)
    hash_keys(*text_buffers(pl.Series(keys, dtype=pl.String)), hashes)
    return hashes


def write_list(folder: Path, hashes: list[np.ndarray], files: list[np.ndarray]) -> int:
    """Write hashes and the files of their entries as `url_list_kernel.look_up` takes them; return how many differ."""
    every = np.concatenate(hashes) if hashes else np.zeros(0, dtype=np.uint64)
    unique, first = np.unique(every, return_index=True)  # the first of equal ones, so that of the first file
    bits = max(1, (unique.size // PER_BUCKET).bit_length())  # a shift by all 64 bits would mean nothing
    edges = np.arange(1 << bits, dtype=np.uint64) << np.uint64(64 - bits)
    directory = np.append(np.searchsorted(unique, edges), unique.size).astype(np.uint32)
    folder.mkdir(parents=True)
    of = np.concatenate(files)[first] if files else np.zeros(0, dtype=np.uint16)
    for name, array in ((HASHES, unique), (DIRECTORY, directory), (FILES, of)):
        np.save(folder / name, array, allow_pickle=False)
    return int(unique.size)
