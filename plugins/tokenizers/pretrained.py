"""A tokenizer that somebody else trained: from a folder, a SentencePiece `.model`, or the Hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import model_validator
from workbench_plugins.tokenizers.pretrained_files import NAMES, Opened, open_tokenizer

from workbench.api import HUB_NAME, Context, EnvironmentProblem, Field, HubFolder, Port, StepError, Tokenizer, commit_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import tokenizers

Role = Literal["pad_token", "unk_token", "bos_token", "eos_token", "mask_token", "cls_token", "sep_token"]
USUAL = {
    "pad_token": ("<pad>", "[PAD]", "<|pad|>", "<|endoftext|>"),
    "eos_token": ("<eos>", "</s>", "<|endoftext|>", "<|im_end|>"),
}


class Pretrained(Tokenizer):
    """Take a tokenizer as it is: `tokenizer.json`, a SentencePiece model, or the files of a class of transformers.

    What training needs and the tokenizer lacks, a token for padding and one that ends a text, is named or added, and
    said. No code that comes with the files is run. A path is never taken for a name of the Hub.
    """

    version: ClassVar[int] = 1
    inputs: ClassVar[Mapping[str, Port]] = {}
    special_tokens: ClassVar[Mapping[str, str]] = {}

    path: str | None = Field(None, min_length=1, description="folder, `.model` or `tokenizer.json` on this machine")
    hub: str | None = Field(None, pattern=f"^{HUB_NAME}$", description="a model of the Hub (`owner/name`) in its place")
    revision: str = Field("main", pattern=r"^[\w][\w./-]{0,120}$", description="branch, tag or commit on the Hub")
    tokens: dict[Role, str] = Field({}, description="which token has which role, over what the files say")
    add_missing: bool = Field(True, description="add a token for padding or ending where there is none, else fail")

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.path is None) == (self.hub is None):
            raise ValueError("give either path, for what lies on this machine, or hub, for a model of the Hub")
        if ".." in f"{self.hub} {self.revision}":
            raise ValueError("'..' stands in no name or revision of the Hub")
        return self

    def roles(self) -> Mapping[str, str]:
        """Return the roles that the settings give; those of the files are known when they are read."""
        return {str(role): token for role, token in self.tokens.items()}

    def digests(self, base: Path, digest: Callable[[Path], str]) -> dict[str, str]:
        """Return the name and digest of every file, or the commit of the Hub."""
        if self.hub is not None:
            return {self.hub: commit_of(self.hub, self.revision, self.component_id, "model")}
        place = self._place(base)
        if place.is_file():
            return {place.name: digest(place)}
        return {name: digest(place / name) for name in NAMES if (place / name).is_file()}

    def train(self, texts: Iterator[str], ctx: Context) -> tokenizers.Tokenizer:
        """Return the tokenizer with the roles it needs; no text is read.

        Raises `StepError` when it cannot be read, or lacks what is needed and `add_missing` is off.
        """
        del texts
        opened, roles, added = self._complete(ctx)
        fast = opened.fast
        wanted = list(dict.fromkeys([*roles.values(), *self.specials()]))
        new = [token for token in wanted if fast.token_to_id(token) is None]
        fast.add_special_tokens(wanted)
        for role, token in added.items():
            ctx.log(f"{ctx.step}: {token} is {'added as' if token in new else 'taken for'} {role}")
        if new:
            ctx.log(f"{ctx.step}: {len(new)} new ids behind the {fast.get_vocab_size() - len(new):,} it came with")
        return fast

    def configuration(self, trained: tokenizers.Tokenizer, ctx: Context) -> dict[str, Any]:
        """Return roles, further special tokens and chat template, those of the files where the settings say nothing."""
        opened, roles, _ = self._complete(ctx)
        others = [
            token.content
            for _, token in sorted(trained.get_added_tokens_decoder().items())
            if token.special and token.content not in roles.values()
        ]
        template = super().configuration(trained, ctx).get("chat_template", opened.template)
        return {
            **roles,
            **({"extra_special_tokens": others} if others else {}),
            **({"chat_template": template} if template else {}),
        }

    def _complete(self, ctx: Context) -> tuple[Opened, dict[str, str], dict[str, str]]:
        """Return the tokenizer, role → token, and the part of it that the files did not say."""
        where = self.hub or self.path or ctx.step
        opened = open_tokenizer(self._folder(ctx), where)
        roles = {**opened.roles, **self.roles()}
        is_ended = "eos_token" in roles or "sep_token" in roles
        missing = [*([] if "pad_token" in roles else ["pad_token"]), *([] if is_ended else ["eos_token"])]
        if missing and not self.add_missing:
            special = [token.content for token in opened.fast.get_added_tokens_decoder().values() if token.special]
            raise StepError(
                f"the tokenizer has no {' and no '.join(missing)}",
                where=where,
                expected=f"tokens: {{{missing[0]}: …}}, for instance one of {', '.join(special[:8]) or '<pad>, <eos>'}",
                advice="or set add_missing: true",
            )
        added = {role: _usual(opened.fast, role) for role in missing}
        return opened, {**roles, **added}, added

    def _folder(self, ctx: Context) -> Path:
        if self.hub is None:
            return self._place(ctx.base)
        folder = HubFolder(
            self.hub, commit_of(self.hub, self.revision, self.component_id, "model"), self.component_id, "model"
        )
        there = set(folder.names())
        files = [folder.fetch(name) for name in NAMES if name in there]
        if not files:
            raise StepError(f"{self.hub} holds no tokenizer", where=self.component_id, expected=f"one of {NAMES[0]}, …")
        return files[0].parent

    def _place(self, base: Path) -> Path:
        assert self.path is not None
        given = Path(self.path).expanduser()
        place = given if given.is_absolute() else base / given
        if not place.exists():
            raise EnvironmentProblem(
                f"nothing at {self.path!r}",
                where=self.component_id,
                expected=f"a folder or file below {base}; a model of the Hub is named by `hub`",
            )
        return place


def _usual(fast: tokenizers.Tokenizer, role: str) -> str:
    """Return the token that usually has a role, one the tokenizer knows if there is one."""
    return next((token for token in USUAL[role] if fast.token_to_id(token) is not None), USUAL[role][0])
