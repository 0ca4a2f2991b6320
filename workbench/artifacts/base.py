"""What all artifacts share: a data folder, a fingerprint, and perhaps a chosen part."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar


@dataclass(frozen=True)
class Artifact:
    """A finished result.

    Attributes:
        path: Its data folder, read only.
        fingerprint: Its identity.
        part: The part of it that is meant (`train`), or None for the whole.
        step: The name of the step that made it, for messages.
    """

    type: ClassVar[str] = ""

    path: Path
    fingerprint: str = ""
    part: str | None = None
    step: str = ""

    def read_json(self, name: str) -> dict[str, Any]:
        """Return the content of a JSON file of the data folder."""
        content: dict[str, Any] = json.loads((self.path / name).read_text("utf-8"))
        return content
