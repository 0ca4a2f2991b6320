"""`BadRecord`: one record that could not be read, as every reader hands it on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

HEAD_BYTES = 256  # enough to recognise a record by eye, little enough that 1,000 of them are nothing


@dataclass(frozen=True)
class BadRecord:
    """One record that could not be read.

    Attributes:
        file: The file as the pipeline names it.
        place: `line 12`, `byte 4096`, `member x`: where in the file.
        reason: A short slug, `invalid-json`, that counts can be made over.
        detail: One sentence with what was found.
        head: The first bytes of the record.
        digest: SHA-256 of the record's bytes, hexadecimal; empty when they could not be read.
        fatal: Whether the container is damaged, so that records after this one may be lost.
    """

    file: str
    place: str
    reason: str
    detail: str = ""
    head: bytes = b""
    digest: str = ""
    fatal: bool = False

    @classmethod
    def of(cls, content: bytes, *, file: str, place: str, reason: str, detail: str = "") -> BadRecord:
        """Return the bad record for these bytes, with their head and digest.

        >>> BadRecord.of(b"{", file="a.jsonl", place="line 1", reason="invalid-json").digest[:8]
        '021fb596'
        """
        digest = hashlib.sha256(content).hexdigest()
        return cls(file, place, reason, detail, content[:HEAD_BYTES], digest)
