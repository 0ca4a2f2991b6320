"""A SentencePiece model as a tokenizer of `tokenizers`, with the same pieces for the same text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from workbench_plugins.tokenizers.sentencepiece_model import Kind, SentencePieceModel
from workbench_plugins.tokenizers.spaces import SPACE

from workbench.api import StepError

if TYPE_CHECKING:
    import tokenizers
    from tokenizers import normalizers, pre_tokenizers

BY_NAME = {"<mask>": "mask", "[MASK]": "mask", "[CLS]": "cls", "<cls>": "cls", "[SEP]": "sep", "<sep>": "sep"}


def converted(model: SentencePieceModel, where: str) -> tokenizers.Tokenizer:
    """Return the tokenizer. Raises `StepError` for what `tokenizers` cannot express."""
    from tokenizers import Tokenizer, decoders

    if model.algorithm not in ("unigram", "bpe") or not model.is_prefix_space or not model.escapes:
        odd = model.algorithm if model.algorithm in ("word", "char") else "unescaped, or with spaces after words"
        raise StepError(
            f"a SentencePiece model of this kind cannot be converted: {odd}",
            where=where,
            expected="unigram or bpe, with ▁ before words",
        )
    tokenizer = Tokenizer(_unigram(model, where) if model.algorithm == "unigram" else _bpe(model))
    tokenizer.normalizer = _normalizer(model, where)
    pre_tokenizer = _pre_tokenizer(model)
    if pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizer
    strip = [decoders.Strip(" ", 1, 0)] if model.prefix else []
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse(), *strip]
    )
    tokenizer.add_special_tokens([piece.text for piece in model.pieces if piece.kind in (Kind.CONTROL, Kind.UNKNOWN)])
    return tokenizer


def roles(model: SentencePieceModel) -> dict[str, str]:
    """Return role → special token (`eos_token` → `</s>`), by the ids the file names, then by usual names."""
    found: dict[str, str] = {}
    for role, number in model.ids.items():
        if 0 <= number < len(model.pieces) and model.pieces[number].kind in (Kind.CONTROL, Kind.UNKNOWN):
            found[f"{role}_token"] = model.pieces[number].text
    for piece in model.pieces:
        if piece.kind in (Kind.CONTROL, Kind.USER_DEFINED) and piece.text in BY_NAME:
            found.setdefault(f"{BY_NAME[piece.text]}_token", piece.text)
    return found


def _unigram(model: SentencePieceModel, where: str) -> Any:
    from tokenizers import models

    unknown = next((number for number, piece in enumerate(model.pieces) if piece.kind == Kind.UNKNOWN), None)
    if unknown is None:
        raise StepError("the model has no unknown piece", where=where, expected="one piece of type UNKNOWN")
    best = max((piece.score for piece in model.pieces if piece.kind == Kind.NORMAL), default=0.0)
    vocab = [
        # a user's own piece beats any others of its length, as in SentencePiece's lattice
        (piece.text, len(piece.text) * best - 0.1 if piece.kind == Kind.USER_DEFINED else piece.score)
        for piece in model.pieces
    ]
    return models.Unigram(vocab, unk_id=unknown, byte_fallback=model.byte_fallback)


def _bpe(model: SentencePieceModel) -> Any:
    from tokenizers import models

    ids = {piece.text: number for number, piece in enumerate(model.pieces)}
    usable = {piece.text for piece in model.pieces if piece.kind in (Kind.NORMAL, Kind.USER_DEFINED)}
    unknown = next((piece.text for piece in model.pieces if piece.kind == Kind.UNKNOWN), None)
    merges = [
        (-piece.score, ids[piece.text], left, right)
        for piece in model.pieces
        if piece.kind == Kind.NORMAL
        for left, right in ((piece.text[:place], piece.text[place:]) for place in range(1, len(piece.text)))
        if left in usable and right in usable
    ]
    merges.sort(key=lambda merge: (merge[0], merge[1], ids[merge[2]], ids[merge[3]]))
    return models.BPE(
        vocab=ids,
        merges=[(left, right) for _, _, left, right in merges],
        unk_token=unknown,
        fuse_unk=True,
        byte_fallback=model.byte_fallback,
        ignore_merges=bool(_own_pieces(model)),  # they are cut out and looked up, no merge leads to them
    )


def _own_pieces(model: SentencePieceModel) -> list[str]:
    """Return the pieces a user named, the longest first."""
    own = [piece.text for piece in model.pieces if piece.kind == Kind.USER_DEFINED]
    return sorted(own, key=lambda text: (-len(text), text))


def _normalizer(model: SentencePieceModel, where: str) -> normalizers.Normalizer:
    from tokenizers import Regex, normalizers

    steps: list[Any] = []
    if model.charsmap:
        try:
            steps.append(normalizers.Precompiled(model.charsmap))
        except Exception as fault:
            raise StepError("the table of its normaliser is damaged", where=where) from fault
    if model.one_space:
        steps += [normalizers.Replace(Regex(r"\A +| +\z"), ""), normalizers.Replace(Regex(" {2,}"), " ")]
    if model.prefix:
        steps.append(normalizers.Prepend(SPACE))
    return normalizers.Sequence([*steps, normalizers.Replace(" ", SPACE)])


def _pre_tokenizer(model: SentencePieceModel) -> pre_tokenizers.PreTokenizer | None:
    """Return the cuts: before spaces, where no piece goes across one, and inside what spells out a special token.

    `tokenizers` looks for every entry of a unigram vocabulary in the text, SentencePiece not for control and byte
    pieces; so `<s>` or `<0x0A>` written in a text is cut behind its first sign.
    """
    from tokenizers import Regex, pre_tokenizers

    steps: list[Any] = []
    closed = [piece.text for piece in model.pieces if piece.kind in (Kind.CONTROL, Kind.UNKNOWN, Kind.BYTE)]
    longer = sorted(text for text in closed if len(text) > 1)
    if longer:
        pattern = "|".join(f"{re.escape(text[0])}(?={re.escape(text[1:])})" for text in longer)
        steps.append(pre_tokenizers.Split(Regex(pattern), behavior="isolated"))
    own = _own_pieces(model) if model.algorithm == "bpe" else []
    if own:
        steps.append(pre_tokenizers.Split(Regex("|".join(map(re.escape, own))), behavior="isolated"))
    if not any(SPACE in piece.text[1:] for piece in model.pieces):
        steps.append(pre_tokenizers.Split(SPACE, behavior="merged_with_next"))
    return pre_tokenizers.Sequence(steps) if steps else None
