"""Tokenizers that others trained, from the files they come in: nothing is fetched here, and nothing in them is run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench_plugins.tokenizers.sentencepiece_files import converted, roles
from workbench_plugins.tokenizers.sentencepiece_model import read_model

from workbench.api import StepError

if TYPE_CHECKING:
    import tokenizers

ROLES = ("pad", "unk", "bos", "eos", "mask", "cls", "sep")
FAST, CONFIG, TEMPLATE = "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"
SENTENCEPIECE = ("tokenizer.model", "spiece.model", "sentencepiece.bpe.model")
PARTS = ("vocab.json", "merges.txt", "vocab.txt", "config.json", "special_tokens_map.json", "added_tokens.json")
NAMES = (FAST, CONFIG, TEMPLATE, *SENTENCEPIECE, *PARTS)
MOST_BYTES = 256 << 20  # the largest known, of 262,144 tokens, has 33 MB


@dataclass(frozen=True)
class Opened:
    """A tokenizer and what its files say of it.

    Attributes:
        fast: The tokenizer.
        roles: `pad_token` → `<pad>`, for those there are.
        template: The chat template, if any.
    """

    fast: tokenizers.Tokenizer
    roles: dict[str, str]
    template: str | None


def open_tokenizer(path: Path, where: str) -> Opened:
    """Return the tokenizer in a folder, or in one `.model` or `tokenizer.json` file. Raises `StepError`."""
    if path.is_file():
        return _of_file(path, where)
    config = _json(path / CONFIG, where)
    _refuse_code(config, where)
    _refuse_code(_json(path / "config.json", where), where)
    if (path / FAST).is_file():
        said = {**_json(path / "special_tokens_map.json", where), **config}
        return Opened(_fast(path / FAST, where), _roles(said), _template(path, config))
    if config or (path / "config.json").is_file():
        return _through_transformers(path, config, where)
    models = [path / name for name in SENTENCEPIECE if (path / name).is_file()]
    if len(models) == 1:
        return _of_file(models[0], where)
    raise StepError(
        "there is no tokenizer in this folder",
        where=where,
        expected=f"{FAST}; or a .model file of SentencePiece; or vocab.json, merges.txt or vocab.txt with {CONFIG}",
    )


def _of_file(path: Path, where: str) -> Opened:
    if path.suffix == ".json":
        return Opened(_fast(path, where), {}, None)
    model = read_model(_content(path, where), where)
    return Opened(converted(model, where), roles(model), None)


def _fast(path: Path, where: str) -> tokenizers.Tokenizer:
    from tokenizers import Tokenizer

    try:
        fast = Tokenizer.from_str(_content(path, where).decode("utf-8"))
    except Exception as fault:  # the library raises nothing narrower
        raise StepError(
            f"{path.name} cannot be read: {str(fault)[:100]}", where=where, expected="a file of `tokenizers`"
        ) from fault
    fast.no_truncation()
    fast.no_padding()
    return fast


def _through_transformers(path: Path, config: dict[str, Any], where: str) -> Opened:
    """Return what transformers makes of the files of a known class, such as vocab.json and merges.txt of GPT-2."""
    from transformers import AutoTokenizer

    try:
        loaded = AutoTokenizer.from_pretrained(path, trust_remote_code=False, local_files_only=True)
        fast = loaded.backend_tokenizer
    except Exception as fault:  # whatever its converters raise
        raise StepError(
            f"transformers cannot make a tokenizer of this folder: {str(fault).splitlines()[0][:100]}",
            where=where,
            expected=f"{FAST}, or the files of a class that transformers has",
        ) from fault
    fast.no_truncation()
    fast.no_padding()
    found = {f"{role}_token": str(token) for role in ROLES if (token := getattr(loaded, f"{role}_token", None))}
    return Opened(fast, found, _template(path, config))


def _roles(said: dict[str, Any]) -> dict[str, str]:
    found = {}
    for role in ROLES:
        token = said.get(f"{role}_token")
        text = token.get("content") if isinstance(token, dict) else token
        if isinstance(text, str) and text:
            found[f"{role}_token"] = text
    return found


def _template(path: Path, config: dict[str, Any]) -> str | None:
    file = path / TEMPLATE
    if file.is_file():
        return file.read_text("utf-8")
    given = config.get("chat_template")
    if isinstance(given, list):
        named = {item.get("name"): item.get("template") for item in given if isinstance(item, dict)}
        given = named.get("default")
    return given if isinstance(given, str) and given else None


def _refuse_code(config: dict[str, Any], where: str) -> None:
    if config.get("auto_map"):
        raise StepError(
            "it wants Python code of its own to be run (auto_map)",
            where=where,
            expected=f"a tokenizer of transformers, with {FAST}",
        )


def _json(path: Path, where: str) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = json.loads(_content(path, where))
    except (ValueError, RecursionError) as fault:
        raise StepError(f"{path.name} is no JSON: {str(fault)[:80]}", where=where) from fault
    if not isinstance(found, dict):
        raise StepError(f"{path.name} holds a JSON {type(found).__name__}", where=where, expected="an object")
    return found


def _content(path: Path, where: str) -> bytes:
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise StepError(f"{path.name} has {size:,} bytes", where=where, expected=f"at most {MOST_BYTES:,}")
    return path.read_bytes()
