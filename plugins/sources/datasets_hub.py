"""Data sets of the Hugging Face Hub as plain files: listed, fetched into the library's cache, never run.

Nothing here is called unless a pipeline names a data set with `hub`. A token, where one is needed, is what the library
finds itself (`HF_TOKEN`); it enters no setting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from workbench_plugins.sources.datasets_layout import MAX_README_BYTES, README

from workbench.api import EnvironmentProblem

NAME = r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?"
TIMEOUT_SECONDS = 20
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class HubFolder:
    """A data set at one commit.

    Attributes:
        name: `owner/name`.
        commit: 40 hexadecimal digits.
        where: The component, for messages.
    """

    name: str
    commit: str
    where: str

    def names(self) -> list[str]:
        """Return the names of all files, from the cache when there is no network."""
        from huggingface_hub import HfApi

        with _reaching(self.name, self.where):
            try:
                # One request, where listing the tree would try again for half a minute without a network.
                info = HfApi().dataset_info(self.name, revision=self.commit, timeout=TIMEOUT_SECONDS)
                return sorted(str(file.rfilename) for file in info.siblings or ())
            except _unreachable():
                folder = _cached(self.name) / "snapshots" / self.commit
                cached = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
                if not cached:
                    raise
                return cached

    def fetch(self, file: str) -> Path:
        """Return the path of one file, fetched when it is not in the cache."""
        from huggingface_hub import hf_hub_download

        with _reaching(self.name, self.where):
            return Path(hf_hub_download(self.name, file, repo_type="dataset", revision=self.commit))

    def readme(self, names: list[str]) -> str:
        """Return the card of the data set, empty when it has none."""
        if README not in names:
            return ""
        with self.fetch(README).open("rb") as file:
            return file.read(MAX_README_BYTES).decode("utf-8", "replace")


def commit_of(name: str, revision: str, where: str) -> str:
    """Return the commit that a branch or tag stands for; a commit stands for itself and needs no network."""
    if _COMMIT.fullmatch(revision):
        return revision
    from huggingface_hub import HfApi

    with _reaching(name, where):
        try:
            return str(HfApi().dataset_info(name, revision=revision, timeout=TIMEOUT_SECONDS).sha)
        except _unreachable():
            known = _cached(name) / "refs" / revision
            if not known.is_file():
                raise
            return known.read_text("ascii").strip()


def _cached(name: str) -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE) / f"datasets--{name.replace('/', '--')}"


def _unreachable() -> tuple[type[Exception], ...]:
    """Return what is raised where there is no way to the Hub."""
    import httpx2
    from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

    return (httpx2.TransportError, OfflineModeIsEnabled, LocalEntryNotFoundError, ConnectionError, TimeoutError)


@contextmanager
def _reaching(name: str, where: str) -> Iterator[None]:
    """Turn what goes wrong on the way into one clear line."""
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

    advice = "connect, or fetch the files elsewhere and name their folder in `paths`"
    try:
        yield
    except GatedRepoError as error:
        advice = "accept its terms on the Hub and set HF_TOKEN"
        raise EnvironmentProblem(f"the data set {name} is gated", where=where, advice=advice) from error
    except RevisionNotFoundError as error:
        raise EnvironmentProblem(
            f"{name} has no such revision", where=where, expected="a branch, tag or commit"
        ) from error
    except RepositoryNotFoundError as error:
        expected = "owner/name of a public one, or HF_TOKEN for a private one"
        raise EnvironmentProblem(f"the Hub has no data set {name}", where=where, expected=expected) from error
    except _unreachable() as error:
        found = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        message = f"the Hub cannot be reached for {name}: {found}"
        raise EnvironmentProblem(message, where=where, expected="a network", advice=advice) from error
    except HfHubHTTPError as error:
        message = f"the Hub refuses {name}: {str(error).splitlines()[0][:120]}"
        raise EnvironmentProblem(message, where=where, advice=advice) from error
