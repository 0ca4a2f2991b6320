"""Names of authors replaced by numbers: the same for the same name, and not to be undone without the key."""

from __future__ import annotations

import os
import re
from hashlib import blake2b, pbkdf2_hmac

from workbench.api import EnvironmentProblem

REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


def key_of(salt: str, where: str) -> bytes:
    """Return the key that a `${env:NAME}` names; raises `EnvironmentProblem` when the variable is not set."""
    matched = REFERENCE.fullmatch(salt)
    assert matched, "the settings were validated"
    key = os.environ.get(matched[1], "")
    if not key:
        raise EnvironmentProblem(
            f"the environment variable {matched[1]} is not set or empty",
            where=where,
            advice=f"export {matched[1]}=… with a long random value, and keep it",
        )
    return key.encode()


def key_digest(salt: str, where: str) -> str:
    """Return a slow digest of the key (PBKDF2, 200,000 rounds), so that none can be guessed from it."""
    return pbkdf2_hmac("sha256", key_of(salt, where), b"workbench " + where.encode(), 200_000).hex()[:32]


class Pseudonyms:
    """Numbers for names, under one key.

    Args:
        salt: `${env:NAME}`.
        where: The component, for messages.
    """

    def __init__(self, salt: str, where: str) -> None:
        self._key = blake2b(key_of(salt, where)).digest()

    def of(self, name: str) -> str:
        """Return 16 hexadecimal digits (BLAKE2b, keyed) for a name; case makes no difference."""
        return blake2b(name.casefold().encode("utf-8", "surrogatepass"), key=self._key, digest_size=8).hexdigest()
