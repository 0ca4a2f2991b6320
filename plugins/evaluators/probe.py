"""A linear probe: how well labels of texts can be read off the vectors that a frozen model makes of them.

Source: Alain and Bengio 2017; the layer is chosen as in Tenney et al. 2019, on documents that are not judged.

Special here: whatever is chosen (the layer, the regularisation) is chosen on a part of the training documents, never on
those that are judged. Everything is done over for several seeds. A seed decides which of the training documents are
learned from and which of these are held back for choosing; it does not train the model again, so the interval says how
the score varies with documents on both sides, and not how it varies with the seed of the pretraining.

Shape suffixes: N documents that are judged, L labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl
from workbench_plugins.evaluators.classification import Answers, majority
from workbench_plugins.evaluators.confusion import confusion_table, label_table, macro_f1
from workbench_plugins.evaluators.frozen_features import text_vectors
from workbench_plugins.evaluators.intervals import bootstrap
from workbench_plugins.evaluators.linear_probe import choose, deal, solver
from workbench_plugins.evaluators.sampling import sample_documents

from workbench.api import Evaluator, Field, Port, Score, Scores, StepError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from workbench_plugins.evaluators.linear_probe import Choice

    from workbench.api import Context, Corpus, Model

Numbers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Repeat:
    """What came out for one seed."""

    answers: Answers
    choice: Choice
    learned: int


class Probe(Evaluator):
    """Learn labels by logistic regression on the vectors of a frozen model, for several seeds."""

    version: ClassVar[int] = 1
    stochastic: ClassVar[bool] = True
    inputs: ClassVar[Mapping[str, Port]] = {
        "model": Port("model", about="any network; of the static ones those with vectors of texts or tokens"),
        "heldout": Port("corpus", about="labelled documents that are judged"),
        "train": Port("corpus", about="labelled documents that the probe learns from"),
    }

    label: str = Field("label", min_length=1, description="the column that holds the label")
    documents: int = Field(2000, ge=2, description="documents that are judged; more are sampled")
    train_documents: int = Field(5000, ge=4, description="documents that seeds draw from; more are sampled")
    seeds: int = Field(3, ge=1, le=100, description="how often everything is done over")
    drawn: float = Field(0.8, gt=0, le=1, description="share of each label's training documents that a seed draws")
    held_back: float = Field(0.2, gt=0, lt=1, description="share of these that only chooses layer and strength")
    layer: int | None = Field(
        None, ge=0, description="whose states are read, 0: the embeddings; default: chosen for each seed"
    )
    strengths: tuple[float, ...] = Field(
        (0.001, 0.01, 0.1, 1.0, 10.0, 100.0),
        min_length=1,
        description="inverses of the regularisation to choose from (scikit-learn's C)",
    )
    max_length: int | None = Field(
        None, ge=2, description="tokens read of each; default: what the model was trained on"
    )

    def evaluate(self, model: Model, data: Corpus, ctx: Context) -> Scores:
        """Return accuracy and macro-F1, the mean over seeds, with intervals, what each seed chose, and the confusion."""
        judged = self.labelled(data, self.documents, ctx.rng_for("documents"))
        given = self.labelled(ctx.inputs["train"], self.train_documents, ctx.rng_for("train"))
        if given["label"].n_unique() < 2:  # noqa: PLR2004  # nothing to tell apart
            raise StepError(
                f"every training document has the label {given['label'][0]!r}",
                where=ctx.step,
                expected="at least two labels to tell apart",
            )
        found = text_vectors(model, [*given["text"], *judged["text"]], self.max_length, ctx)
        layers = dict(enumerate(found.layers))
        if self.layer is not None:
            if self.layer not in layers:
                raise StepError(
                    f"there is no layer {self.layer}", where=f"{ctx.step}.layer", expected=f"0 to {max(layers)}"
                )
            layers = {self.layer: layers[self.layer]}
        labels = sorted({*given["label"], *judged["label"]})
        repeats = [self.once(layers, given, judged, labels, ctx, seed) for seed in range(1, self.seeds + 1)]
        return self.report(repeats, given, judged, found.read, ctx)

    def labelled(self, corpus: Corpus, number: int, rng: np.random.Generator) -> pl.DataFrame:
        """Return `text` and `label` of a sample; documents without a label are left out.

        Raises `StepError` when none has one.
        """
        frame = sample_documents(corpus, number, rng, ["text", self.label])
        frame = frame.select("text", pl.col(self.label).cast(pl.String).alias("label")).drop_nulls("label")
        if frame.is_empty():
            raise StepError(f"no document has a value in column {self.label!r}", where=corpus.step)
        return frame

    def once(
        self,
        layers: Mapping[int, Any],
        given: pl.DataFrame,
        judged: pl.DataFrame,
        labels: list[str],
        ctx: Context,
        seed: int,
    ) -> Repeat:
        """Return the answers of one seed; rows of the layers are the given documents and behind them the judged ones."""
        names = given["label"].to_numpy()
        learned, held = deal(names, self.drawn, self.held_back, ctx.rng_for(f"seed {seed}"))
        if not len(held):
            raise StepError(
                "no label has two documents to choose the regularisation by", where=ctx.step, expected="more of them"
            )
        choice = choose(layers, names, learned, held, self.strengths)
        vectors, every = layers[choice.layer], np.concatenate([learned, held])
        classifier, _ = solver(vectors[every], names[every], choice.strength)
        predicted = [str(name) for name in classifier.predict(vectors[len(given) :])]
        return Repeat(Answers.from_names(labels, judged["label"].to_list(), predicted), choice, len(every))

    def report(
        self, repeats: Sequence[Repeat], given: pl.DataFrame, judged: pl.DataFrame, read: str, ctx: Context
    ) -> Scores:
        """Return the scores of all seeds together, and what each of them found."""
        answers = [repeat.answers for repeat in repeats]
        labels, rng = answers[0].labels, ctx.rng_for("bootstrap")
        guess = labels.index(majority(given["label"].to_list()))
        floor = Answers(labels, answers[0].true_n, np.full_like(answers[0].true_n, guess))
        result = Scores(notes=self.notes(repeats, given, judged, read))
        columns: dict[str, list[Any]] = {
            "seed": list(range(1, len(repeats) + 1)),
            "documents learned from": [repeat.learned for repeat in repeats],
            "layer": [repeat.choice.layer for repeat in repeats],
            "strength (C)": [repeat.choice.strength for repeat in repeats],
        }
        for name, statistic in (("accuracy", accuracy), ("macro-F1", macro_f1)):
            values = [statistic(one.counts()) for one in answers]
            mean = float(np.mean(values))
            low, high = bootstrap(over_resamples(answers, statistic, rng), judged.height, rng, mean)
            base = "majority class of the training text"
            result.scores.append(Score(name, mean, judged.height, low, high, statistic(floor.counts()), base))
            columns[name] = values
        together = np.sum([one.counts() for one in answers], axis=0)
        result.tables["seeds"] = pl.DataFrame(columns)
        result.tables["labels"] = label_table(together, labels)
        result.tables["confusion"] = confusion_table(together, labels)
        return result

    def notes(self, repeats: Sequence[Repeat], given: pl.DataFrame, judged: pl.DataFrame, read: str) -> list[str]:
        """Return what a reader has to know to judge the scores."""
        deviation = np.std([accuracy(repeat.answers.counts()) for repeat in repeats], ddof=int(len(repeats) > 1))
        notes = [
            f"the model is frozen; a linear classifier learned from the mean of its vectors over {read} of a document",
            (
                f"scores are means over {len(repeats)} seeds; a seed draws {self.drawn:.0%} of the {given.height} training "
                f"documents and holds {self.held_back:.0%} of these back to choose layer and strength; it does not train "
                "the model again"
            ),
            (
                f"standard deviation of the accuracy over seeds: {deviation:.4f}; the intervals are over the "
                f"{judged.height} judged documents and over seeds"
            ),
            "the tables of labels and of the confusion count every document once for each seed",
        ]
        unfinished = sum(not repeat.choice.converged for repeat in repeats)
        if unfinished:
            notes.append(f"for {unfinished} seeds the solver of the chosen strength stopped before it had converged")
        strange = int((~judged["label"].is_in(given["label"].unique().to_list())).sum())
        if strange:
            notes.append(
                f"{strange} judged documents have a label that no training document has, and count as mistakes"
            )
        return notes


def accuracy(counts_ll: Numbers) -> float:
    """Return the share of hits in a confusion matrix."""
    return float(np.trace(counts_ll) / counts_ll.sum())


def over_resamples(
    answers: Sequence[Answers], statistic: Callable[[Numbers], float], rng: np.random.Generator
) -> Callable[[Numbers], float]:
    """Return the mean over resampled seeds as a function of the chosen documents."""

    def resampled(chosen_n: Numbers) -> float:
        seeds = rng.integers(0, len(answers), len(answers))
        return float(np.mean([statistic(answers[seed].counts(chosen_n)) for seed in seeds]))

    return resampled
