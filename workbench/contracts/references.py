"""`ComponentRef`: what a plugin says about a component without importing it."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = (
    "source",
    "filter",
    "corpus",
    "tokenizer",
    "tokens",
    "architecture",
    "objective",
    "tuning",
    "train",
    "evaluator",
    "exporter",
)


@dataclass(frozen=True)
class ComponentRef:
    """A light reference to a component; its `target` is imported on first use.

    Attributes:
        kind: One of `KINDS`.
        name: Lower case words joined by hyphens, unique within the kind.
        target: `package.module:Class`.
        summary: A few words for lists.
        aliases: Other names that mean the same.
        deprecated: Why not to use it any more and what to use instead; None for a current one.
        requires: Importable names of packages that the component needs beyond the core's, each either `module` or
            `module:pip-name`.
    """

    kind: str
    name: str
    target: str
    summary: str
    aliases: tuple[str, ...] = ()
    deprecated: str | None = None
    requires: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Return `kind/name`."""
        return f"{self.kind}/{self.name}"
