"""Tokenizers side by side on text they have not seen.

Special here: every figure is a ratio of sums over documents, so its interval comes from drawing documents again; and the
baseline is the tokenizer that knows nothing, one token for each byte. Nothing is timed.

Sources: fertility as in Rust et al. 2021, section 3; the jackknife as in Efron and Stein 1981.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl
from workbench_plugins.evaluators.intervals import Z, bootstrap, wilson
from workbench_plugins.evaluators.sampling import beginning, sample_documents
from workbench_plugins.evaluators.scripts import scripts
from workbench_plugins.evaluators.token_counts import (
    Ints,
    TextCounts,
    TokenCounts,
    count_text,
    count_tokens,
    shown_pieces,
    special_ids,
)
from workbench_plugins.evaluators.tokenizers_picture import Dot, compare

from workbench.api import Drawn, Evaluator, Field, Port, Score, Scores, StepError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from workbench.api import Context, Corpus

Draws = Callable[[], np.random.Generator]
BASELINE = "one token per byte"
NOTES = (
    "A word is a run of letters and digits, in Chinese and Japanese a single character.",
    "Characters covered are those, white space aside, that a known token stands for; unknown tokens are a share of all.",
    "What is unknown counts as one token for each byte, so that a tokenizer gains nothing by knowing little.",
    "An interval without width says that the sample holds no case of it, not that there is none.",
    "In `the same text`, ⟨ and ⟩ hold what is unknown, and · is one more token of the character before.",
    "Tokens that a tokenizer puts around a text are not counted.",
    "A larger vocabulary needs fewer tokens for the same text, and a larger model: compare those of one size.",
)
FIGURES = ("bytes per token", "tokens per word", "characters covered")
LOSSES = 3  # documents shown for each tokenizer that does not give them back
PIECES_CHARACTERS = 60


@dataclass(frozen=True)
class Measured:
    """One tokenizer: its step, how many tokens it could use, and its counts."""

    name: str
    fast: Any
    unknown: int | None
    size: int
    specials: int
    counts: TokenCounts


class Tokenizers(Evaluator):
    """Compare tokenizers on held-out text: how many tokens it takes, what is unknown, what is lost, by language.

    A language is a column or a key of meta (`filter/language-tag` writes one); where no document has it, the script.
    """

    version: ClassVar[int] = 1
    stochastic: ClassVar[bool] = True
    inputs: ClassVar[Mapping[str, Port]] = {
        "tokenizers": Port("tokenizer", many=True, about="those to compare"),
        "heldout": Port("corpus", about="text they have not seen"),
    }

    documents: int = Field(2000, ge=1, description="documents that are read; more are sampled")
    characters: int = Field(20_000, ge=100, description="of each of them, from its beginning")
    by: str = Field("language", min_length=1, description="column or meta key that tells documents apart")
    groups: int = Field(6, ge=1, le=50, description="languages shown, the largest")

    def evaluate(self, model: None, data: Corpus, ctx: Context) -> Scores:
        """Return the figures of every tokenizer with their intervals, tables by language, and a picture."""
        del model
        frame, by = self._documents(data, ctx)
        texts = frame["text"].to_list()
        text = count_text(texts)
        if not text.words_d.sum():
            raise StepError("there is no word in the text to evaluate on", where=data.step or ctx.step)
        measured = list(self._measured(texts, ctx))

        def draws() -> np.random.Generator:  # the same draws for every figure, so that intervals can be compared
            return ctx.rng_for("bootstrap")

        table = self._by_group(frame["group"].to_list(), text, measured, draws)
        scores = list(_scores(text, measured, draws))
        tables = {
            **{f"{figure.replace(' ', '-')}-by-language": _side_by_side(table, figure) for figure in FIGURES},
            "tokenizers": _facts(measured),
            "the-same-text": _same_text(frame, table["language"].unique(maintain_order=True).to_list(), measured),
            "what-is-lost": _lost(frame["id"].to_list(), measured),
            "by-language": table.drop(column for figure in FIGURES for column in _columns(figure)[1:]),
        }
        notes = [
            f"{len(texts)} of {data.num_rows} documents read, at most {self.characters:,} characters of each.",
            f"Documents are told apart by {by}. Intervals are over documents, and n counts them; for the vocabulary tokens.",
            *NOTES,
        ]
        return Scores(scores, tables, notes, [_picture(table)])

    def _documents(self, data: Corpus, ctx: Context) -> tuple[pl.DataFrame, str]:
        """Return `id, text, group` of the sampled documents, and in words what the group is."""
        own = [self.by] if self.by in data.columns else []
        columns = list(dict.fromkeys(["id", "text", *(own or ["meta"])]))
        frame = sample_documents(data, self.documents, ctx.rng_for("documents"), columns)
        text = frame["text"].str.slice(0, self.characters)
        values = frame[self.by].cast(pl.String).to_list() if own else [_value(meta, self.by) for meta in frame["meta"]]
        by = f"their {self.by!r}"
        if not any(value is not None for value in values):
            values, by = scripts(text), f"script, since none has {self.by!r}"
        groups = pl.Series("group", ["(none)" if value is None else value for value in values], dtype=pl.String)
        return pl.DataFrame([frame["id"], text.alias("text"), groups]), by

    def _measured(self, texts: Sequence[str], ctx: Context) -> Iterator[Measured]:
        given = ctx.inputs["tokenizers"]
        for name, tokenizer in zip(_names([tokenizer.step for tokenizer in given]), given, strict=True):
            fast, unknown = tokenizer.fast, tokenizer.vocab(1).unk
            counts = count_tokens(fast, unknown, texts, LOSSES, ctx.progress)
            yield Measured(name, fast, unknown, fast.get_vocab_size(), len(special_ids(fast)), counts)

    def _by_group(
        self, groups: Sequence[str], text: TextCounts, measured: Sequence[Measured], draws: Draws
    ) -> pl.DataFrame:
        """Return a row for each of the largest groups and each tokenizer, and one for bytes."""
        largest = sorted(Counter(groups).items(), key=lambda item: (-item[1], item[0]))[: self.groups]
        chosen = np.array(groups, dtype=object)
        rows = []
        for group, _ in largest:
            places = np.flatnonzero(chosen == group)
            rows.append(_row(group, "(bytes)", places, text, None, draws))
            rows += [_row(group, one.name, places, text, one.counts, draws) for one in measured]
        return pl.DataFrame(rows, infer_schema_length=None)


def _row(
    group: str, name: str, places: Ints, text: TextCounts, counts: TokenCounts | None, draws: Draws
) -> dict[str, Any]:
    """Return the figures of one tokenizer, or of bytes, in one group: for those of `FIGURES` value, low and high."""
    tokens_d = (text.bytes_d if counts is None else counts.tokens_d)[places]
    covered_d = (text.visible_d if counts is None else counts.covered_d)[places]
    figures = {
        "bytes per token": _ratio(text.bytes_d[places], tokens_d, draws),
        "tokens per word": _ratio(tokens_d, text.words_d[places], draws),
        "characters covered": _ratio(covered_d, text.visible_d[places], draws),
    }
    unknown = (0, 1) if counts is None else (counts.unknown_d[places].sum(), max(1, counts.made_d[places].sum()))
    return {
        "language": group,
        "tokenizer": name,
        "documents": len(places),
        **{key: value for figure, found in figures.items() for key, value in zip(_columns(figure), found, strict=True)},
        "tokens per character": _ratio(tokens_d, text.characters_d[places], None)[0],
        "unknown tokens": float(unknown[0] / unknown[1]),
        "documents changed": 0 if counts is None else int(counts.changed_d[places].sum()),
    }


def _columns(figure: str) -> tuple[str, str, str]:
    return figure, f"{figure}, low", f"{figure}, high"


def _side_by_side(table: pl.DataFrame, figure: str) -> pl.DataFrame:
    """Return one figure with its intervals: a row for each tokenizer, a column for each language and its documents."""
    columns: dict[str, list[str]] = {"tokenizer": table["tokenizer"].unique(maintain_order=True).to_list()}
    for (language,), rows in table.group_by("language", maintain_order=True):
        documents = rows["documents"][0]
        cells = [_cell(*row) for row in rows.select(_columns(figure)).iter_rows()]
        columns[f"{language} ({documents} {'document' if documents == 1 else 'documents'})"] = cells
    return pl.DataFrame(columns)


def _cell(value: float, low: float, high: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f} ({low:.3f} to {high:.3f})"


def _scores(text: TextCounts, measured: Sequence[Measured], draws: Draws) -> Iterator[Score]:
    """Yield every figure over all documents, figure by figure, so that tokenizers stand beside each other."""
    n = len(text.bytes_d)
    for title, over, under, is_better in (
        ("bytes per token", text.bytes_d, None, True),
        ("tokens per word", None, text.words_d, False),
        ("tokens per character", None, text.characters_d, False),
    ):
        for one in measured:
            tokens_d = one.counts.tokens_d
            value, low, high = _ratio(tokens_d if over is None else over, tokens_d if under is None else under, draws)
            baseline = 1.0 if under is None else float(text.bytes_d.sum() / under.sum())
            yield Score(f"{title}: {one.name}", value, n, low, high, baseline, BASELINE, higher_is_better=is_better)
    for one in measured:
        value, low, high = _ratio(one.counts.unknown_d, one.counts.made_d, draws)
        yield Score(f"unknown tokens: {one.name}", value, n, low, high, 0.0, BASELINE, higher_is_better=False)
    for one in measured:
        value, low, high = _ratio(one.counts.covered_d, text.visible_d, draws)
        yield Score(f"characters covered: {one.name}", value, n, low, high, 1.0, BASELINE)
    for one in measured:
        changed = int(one.counts.changed_d.sum())
        low, high = wilson(changed, n)
        yield Score(f"documents changed: {one.name}", changed / n, n, low, high, 0.0, BASELINE, higher_is_better=False)
    for one in measured:
        size = one.size - one.specials
        if size:
            value, low, high = vocabulary_used(one.counts, size)
            name = "none: it depends on the size of both"
            yield Score(f"vocabulary used: {one.name}", value, size, low, high, None, name)


def vocabulary_used(counts: TokenCounts, size: int) -> tuple[float, float, float]:
    """Return which share of `size` tokens stands in the documents, and its interval by the jackknife over them.

    Leaving out document d leaves out the tokens that stand in it alone, a_d: the variance is (D - 1) / D times the sum of
    (a_d - mean a)². Drawing documents with repetition would see fewer tokens each time, and be wrong.
    """
    used = int((counts.documents_v > 0).sum())
    alone_d = counts.alone_d
    variance = (len(alone_d) - 1) / len(alone_d) * float(((alone_d - alone_d.mean()) ** 2).sum())
    half = Z * math.sqrt(variance)
    return used / size, max(0.0, used - half) / size, min(float(size), used + half) / size


def _ratio(over_d: Ints, under_d: Ints, draws: Draws | None) -> tuple[float, float, float]:
    """Return sum / sum and its interval over documents; nan where there is nothing to divide by."""
    total = int(under_d.sum())
    if not total:
        return math.nan, math.nan, math.nan
    value = float(over_d.sum() / total)
    if draws is None:
        return value, value, value

    def ratio(chosen: Ints) -> float:
        below = under_d[chosen].sum()
        return float(over_d[chosen].sum() / below) if below else value

    return (value, *bootstrap(ratio, len(over_d), draws(), value))


def _names(steps: Sequence[str]) -> list[str]:
    """Return a name for each tokenizer: its step, with a number where that names several."""
    counts = Counter(steps)
    seen: Counter[str] = Counter()
    names = []
    for step in steps:
        seen[step] += 1
        name = step or "tokenizer"
        names.append(name if counts[step] == 1 else f"{name} {seen[step]}")
    return names


def _value(meta: str, key: str) -> str | None:
    value = json.loads(meta).get(key)
    return None if value is None else str(value)


def _facts(measured: Sequence[Measured]) -> pl.DataFrame:
    rows = []
    for one in measured:
        sizes = [len(token) for token in one.fast.get_vocab(with_added_tokens=False)]
        kind = type(one.fast.model).__name__
        rows.append(
            {
                "tokenizer": one.name,
                "model": kind,
                "tokens": one.size,
                "special tokens": one.specials,
                "longest token": max(sizes, default=0),
                "tokens of the sample": int(one.counts.made_d.sum()),
            }
        )
    return pl.DataFrame(rows)


def _same_text(frame: pl.DataFrame, groups: Sequence[str], measured: Sequence[Measured]) -> pl.DataFrame:
    """Return how each tokenizer cuts the beginning of the first document of each language."""
    rows = []
    for group in groups:
        text = " ".join(frame.filter(pl.col("group") == group)["text"][0].split())[:PIECES_CHARACTERS]
        for one in measured:
            number, pieces = shown_pieces(one.fast, one.unknown, text)
            rows.append({"language": group, "tokenizer": one.name, "tokens": number, "pieces": pieces})
    return pl.DataFrame(rows)


def _lost(ids: Sequence[str], measured: Sequence[Measured]) -> pl.DataFrame:
    """Return, for tokenizers that lose something, where the first documents differ from what comes back."""
    rows = [
        {"tokenizer": one.name, "document": ids[place], "text": beginning(was), "comes back as": beginning(again)}
        for one in measured
        for place, (was, again) in one.counts.losses.items()
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(("tokenizer", "document", "text", "comes back as"), pl.String))


def _picture(table: pl.DataFrame) -> Drawn:
    shown = table.filter((pl.col("tokenizer") != "(bytes)") & pl.col("bytes per token").is_not_nan())
    columns = ("language", "tokenizer", *_columns("bytes per token"))
    dots = [Dot(*row) for row in shown.select(columns).iter_rows()]
    spoken = "; ".join(f"{dot.language}, {dot.tokenizer}: {dot.value:.2f}" for dot in dots)
    return Drawn(
        "bytes-per-token",
        compare(dots),
        alt=f"Bytes per token by language and tokenizer. {spoken}.",
        caption="Bytes per token, with 95 % intervals: further right, fewer tokens for the same text. The line is one "
        "token per byte. A Chinese character has three bytes, an English letter one.",
    )
