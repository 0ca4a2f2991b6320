"""Data sets and models of the Hugging Face Hub as plain files: listed, fetched into the library's cache, never run.

Nothing here is called unless a pipeline names one with `hub`. A token, where one is needed, is what the library
finds itself (`HF_TOKEN`); it enters no setting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from workbench.errors import EnvironmentProblem

HubType = Literal["dataset", "model"]
HUB_NAME = r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?"
TIMEOUT_SECONDS = 20
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class HubFolder:
    """A data set or model at one commit.

    Attributes:
        name: `owner/name`.
        commit: 40 hexadecimal digits.
        where: The component, for messages.
        type: Which of the two it is.
    """

    name: str
    commit: str
    where: str
    type: HubType = "dataset"

    def names(self) -> list[str]:
        """Return the names of all files, from the cache when there is no network."""
        with _reaching(self.name, self.where, self.type):
            try:
                # One request, where listing the tree would try again for half a minute without a network.
                info = _info(self.name, self.commit, self.type)
                return sorted(str(file.rfilename) for file in info.siblings or ())
            except _unreachable():
                folder = _cached(self.name, self.type) / "snapshots" / self.commit
                cached = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
                if not cached:
                    raise
                return cached

    def fetch(self, file: str) -> Path:
        """Return the path of one file, fetched when it is not in the cache."""
        from huggingface_hub import hf_hub_download

        with _reaching(self.name, self.where, self.type):
            return Path(hf_hub_download(self.name, file, repo_type=self.type, revision=self.commit))


def commit_of(name: str, revision: str, where: str, type: HubType = "dataset") -> str:  # noqa: A002  # as the Hub has it
    """Return the commit that a branch or tag stands for; a commit stands for itself and needs no network."""
    if _COMMIT.fullmatch(revision):
        return revision
    with _reaching(name, where, type):
        try:
            return str(_info(name, revision, type).sha)
        except _unreachable():
            known = _cached(name, type) / "refs" / revision
            if not known.is_file():
                raise
            return known.read_text("ascii").strip()


def _info(name: str, revision: str, kind: HubType) -> Any:
    from huggingface_hub import HfApi

    return HfApi().repo_info(name, repo_type=kind, revision=revision, timeout=TIMEOUT_SECONDS)


def _cached(name: str, kind: HubType) -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE) / f"{kind}s--{name.replace('/', '--')}"


def _unreachable() -> tuple[type[Exception], ...]:
    """Return what is raised where there is no way to the Hub."""
    import httpx2
    from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

    return (httpx2.TransportError, OfflineModeIsEnabled, LocalEntryNotFoundError, ConnectionError, TimeoutError)


@contextmanager
def _reaching(name: str, where: str, kind: HubType) -> Iterator[None]:
    """Turn what goes wrong on the way into one clear line."""
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

    setting, what = ("paths", "data set") if kind == "dataset" else ("path", "model")
    advice = f"connect, or fetch the files elsewhere and name their folder in `{setting}`"
    try:
        yield
    except GatedRepoError as error:
        advice = "accept its terms on the Hub and set HF_TOKEN"
        raise EnvironmentProblem(f"the {what} {name} is gated", where=where, advice=advice) from error
    except RevisionNotFoundError as error:
        raise EnvironmentProblem(
            f"{name} has no such revision", where=where, expected="a branch, tag or commit"
        ) from error
    except RepositoryNotFoundError as error:
        expected = "owner/name of a public one, or HF_TOKEN for a private one"
        raise EnvironmentProblem(f"the Hub has no {what} {name}", where=where, expected=expected) from error
    except _unreachable() as error:
        found = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        message = f"the Hub cannot be reached for {name}: {found}"
        raise EnvironmentProblem(message, where=where, expected="a network", advice=advice) from error
    except HfHubHTTPError as error:
        message = f"the Hub refuses {name}: {str(error).splitlines()[0][:120]}"
        raise EnvironmentProblem(message, where=where, advice=advice) from error
