"""Secrets: keys and tokens of known shapes, private key blocks, log-ins in URLs, passwords written into code.

Special here: one Rust expression, linear by construction, chooses documents; in those every shape begins with a fixed
prefix and repeats within bounds, so a look costs at most one window wherever a prefix stands.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import polars as pl
from pydantic import model_validator
from workbench_plugins.filters.pii_accounts import find_credentials
from workbench_plugins.filters.pii_actions import Action, Replacer, check_salt, counted, drop_rules, key_digest
from workbench_plugins.filters.pii_spans import Span, without_overlaps

from workbench.api import Field, RewriteFilter, Rewritten

if TYPE_CHECKING:
    from collections.abc import Callable

Secret = Literal["key", "token", "private_key", "url_credentials", "password"]
ALL: tuple[Secret, ...] = ("key", "token", "private_key", "url_credentials", "password")
PRIORITY = {"private_key": 0, "key": 1, "token": 2, "url_credentials": 3, "password": 4}
WHERE = "filter/secrets"
# Prefix and bounded rest of each shape: (entity, prefix, rest).
SHAPES: dict[str, tuple[Secret, str, str]] = {
    "AWS access key": ("key", r"(?:AKIA|ASIA|ABIA|ACCA)", r"[A-Z2-7]{16}"),
    "Google API key": ("key", r"AIza", r"[0-9A-Za-z_\-]{35}"),
    "Google OAuth secret": ("key", r"GOCSPX-", r"[0-9A-Za-z_\-]{28}"),
    "Google OAuth token": ("token", r"ya29\.", r"[0-9A-Za-z_\-]{20,512}"),
    "Azure account key": ("key", r"AccountKey=", r"[0-9A-Za-z+/]{86}=="),
    "GitHub token": ("token", r"gh[pousr]_", r"[0-9A-Za-z]{36,255}"),
    "GitHub fine-grained token": ("token", r"github_pat_", r"[0-9A-Za-z]{22}_[0-9A-Za-z]{59}"),
    "GitLab token": ("token", r"gl(?:pat|dt|rt|cbt|ptt|soat)-", r"[0-9A-Za-z_\-]{20,64}"),
    "Slack token": ("token", r"xox[abeoprs]-", r"[0-9A-Za-z\-]{10,250}"),
    "Slack webhook": ("key", r"hooks\.slack\.com/services/", r"T[0-9A-Z]{8,12}/B[0-9A-Z]{8,12}/[0-9A-Za-z]{24}"),
    "Stripe key": ("key", r"(?:sk|rk)_(?:live|test)_", r"[0-9A-Za-z]{16,247}"),
    "OpenAI key": ("key", r"sk-", r"(?:(?:proj|svcacct|admin)-[0-9A-Za-z_\-]{40,200}|[0-9A-Za-z]{32,64})"),
    "Anthropic key": ("key", r"sk-ant-", r"[0-9A-Za-z_\-]{32,128}"),
    "Hugging Face token": ("token", r"hf_", r"[0-9A-Za-z]{30,40}"),
    "npm token": ("token", r"npm_", r"[0-9A-Za-z]{36}"),
    "PyPI token": ("token", r"pypi-AgE", r"[0-9A-Za-z_\-]{50,512}"),
    "SendGrid key": ("key", r"SG\.", r"[0-9A-Za-z_\-]{22}\.[0-9A-Za-z_\-]{43}"),
    "Telegram bot token": ("token", r"[0-9]{8,10}:AA", r"[0-9A-Za-z_\-]{33}"),
    "JSON web token": ("token", r"eyJ", r"[0-9A-Za-z_\-]{8,2048}\.eyJ[0-9A-Za-z_\-]{8,4096}\.[0-9A-Za-z_\-]{16,1024}"),
}
EDGE, END = r"(?<![0-9A-Za-z_\-])", r"(?![0-9A-Za-z_\-])"
PATTERNS = {name: (entity, re.compile(EDGE + prefix + rest + END)) for name, (entity, prefix, rest) in SHAPES.items()}
BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
FINISH = re.compile(r"-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
BODY = re.compile(r"(?:[\s\\]|\\n|[0-9A-Za-z+/=:,.\-]){0,16384}")
BLOCK_WINDOW = 16_384
SHARED_DASHES = "-----"  # the end of one block may be the beginning of the next
ASSIGNED = re.compile(
    r"(?:passwor[dt]|passwd|passphrase|pwd|secret|token|api[_\-]?key|access[_\-]?key|auth[_\-]?key|private[_\-]?key"
    r"|密码|密碼|口令|密钥)[0-9A-Za-z_]{0,16}[\"']?[ \t]{0,4}(?:=>|:=|[=:：])[ \t]{0,4}[\"'“]"
    r"([^\s\"'“”]{8,128})[\"'”]",
    re.IGNORECASE,
)
PLACEHOLDER = re.compile(
    r"[<$%{*].*|.*(?:example|change_?me|your[_\-]|placeholder|dummy|password|getenv|environ|\.\.\.|xxxx|\*\*\*\*).*",
    re.IGNORECASE,
)
MAY_HOLD: dict[str, str] = {
    "key": "|".join(prefix for entity, prefix, _ in SHAPES.values() if entity == "key"),
    "token": "|".join(prefix for entity, prefix, _ in SHAPES.values() if entity == "token"),
    "private_key": "PRIVATE KEY",
    "url_credentials": r"://[^\s/]{3,193}@",
    "password": r"(?i:pass|pwd|secret|token|key|密码|密碼|口令|密钥)[^\n]{0,24}[=:：>][ \t]{0,4}[\"'“]",
}


class Secrets(RewriteFilter):
    """Find secrets and act on them, with the actions of `pii`.

    `key` and `token` have a shape that their issuer documents; `private_key` is a block of PEM, OpenSSH or PGP, one
    that is cut off as well; `url_credentials` is `user:password` of a URL; `password` is text in quotes that is
    assigned to a name that speaks of a secret, with `min_entropy` bits a character or more and no placeholder.
    """

    version: ClassVar[int] = 1
    entities: tuple[Secret, ...] = Field(ALL, min_length=1)
    action: Action = "tag"
    actions: dict[Secret, Action] = Field({}, description="entity → action, where it is not `action`")
    salt: str | None = Field(None, description="${env:NAME}: the variable that holds the key of `hash`")
    min_entropy: float = Field(2.8, ge=0, le=7, description="bits a character (Shannon) of an assigned password")
    languages: tuple[str, ...] = Field((), description="count these languages and the others apart (`language`)")

    @model_validator(mode="after")
    def _check_settings(self) -> Self:
        unknown = sorted(set(self.actions) - set(self.entities))
        if unknown:
            raise ValueError(f"actions for entities that are not looked for: {', '.join(unknown)}")
        check_salt(self.salt, set(self.action_of.values()))
        return self

    @property
    def action_of(self) -> dict[str, Action]:
        """Return entity → action."""
        return {entity: self.actions.get(entity, self.action) for entity in self.entities}

    def digests(self, base: Path, digest: Callable[[Path], str]) -> dict[str, str]:
        """Return a slow digest of the key, so that another key gives another result and none can be guessed."""
        del base, digest
        return {} if self.salt is None else {self.salt: key_digest(self.salt, WHERE)}

    def rewrite(self, batch: pl.DataFrame) -> Rewritten:
        """Return the batch with secrets in `text` replaced, and how many of each entity there were."""
        text = batch["text"]
        pattern = "|".join(MAY_HOLD[entity] for entity in self.entities)
        rows = text.str.contains(pattern).fill_null(value=False).arg_true()
        found = {str(entity): [0] * len(rows) for entity in self.entities}
        replacer, rewritten = Replacer(self.action_of, self.salt, WHERE), []
        for place, row in enumerate(rows):
            spans = self.find(text[row])
            rewritten.append(replacer.replaced(str(batch["id"][row]), text[row], spans))
            for span in spans:
                found[span.entity][place] += 1
        if rewritten:
            batch = batch.with_columns(text.scatter(rows, pl.Series(rewritten, dtype=pl.String)).alias("text"))
        return Rewritten(batch, counted(batch, found, rows, self.languages))

    def rules(self) -> dict[str, pl.Expr]:
        """Drop documents that hold an entity whose action that is."""
        return drop_rules(self.action_of, self.languages)

    def find(self, text: str) -> list[Span]:
        """Return the spans of secrets in a text, in order and without overlaps."""
        spans = [span for span in self._find_all(text) if span.entity in self.entities]
        return without_overlaps(spans, PRIORITY)

    def _find_all(self, text: str) -> Iterator[Span]:
        for entity, pattern in PATTERNS.values():
            if entity in self.entities:
                yield from (Span(match.start(), match.end(), entity) for match in pattern.finditer(text))
        yield from find_private_keys(text)
        yield from find_credentials(text)
        if "password" in self.entities:
            yield from find_assigned(text, self.min_entropy)


def find_private_keys(text: str) -> Iterator[Span]:
    """Yield blocks of private keys; a block without an end goes as far as its letters do, 16,384 characters at most."""
    place = 0
    while begin := BEGIN.search(text, place):
        # The next block is looked for first and bounds the rest, so that no character is looked at for two blocks.
        following = BEGIN.search(text, begin.end(), begin.end() + BLOCK_WINDOW)
        limit = following.start() if following else begin.end() + BLOCK_WINDOW
        finish = FINISH.search(text, begin.end(), limit + len(SHARED_DASHES) if following else limit)
        body = BODY.match(text, begin.end(), limit)
        place = finish.end() if finish else body.end() if body else begin.end()
        yield Span(begin.start(), place, "private_key")


def find_assigned(text: str, min_entropy: float) -> Iterator[Span]:
    """Yield quoted text that is assigned to a name of a secret."""
    for match in ASSIGNED.finditer(text):
        value = match.group(1)
        if entropy(value) >= min_entropy and not PLACEHOLDER.fullmatch(value):
            yield Span(match.start(1), match.end(1), "password")


def entropy(value: str) -> float:
    """Return Shannon's entropy of the characters of a text in bits a character.

    >>> entropy("aaaa"), entropy("abcd")
    (0.0, 2.0)
    """
    counts = Counter(value).values()
    return abs(sum(count / len(value) * math.log2(len(value) / count) for count in counts))
