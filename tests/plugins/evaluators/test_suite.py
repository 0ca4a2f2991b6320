"""The suite: what fits the head, names that do not collide."""

import pytest
from workbench_plugins.evaluators.classification import ClassificationScores
from workbench_plugins.evaluators.generation import Generation
from workbench_plugins.evaluators.perplexity import Perplexity
from workbench_plugins.evaluators.probe import Probe
from workbench_plugins.evaluators.suite import Suite
from workbench_plugins.evaluators.tokenizers import Tokenizers

from workbench.api import Drawn, Evaluator, Scores, StepError


class Draws(Evaluator):
    """Draws a picture."""

    def evaluate(self, model, data, ctx):
        return Scores(pictures=[Drawn("dots", b"<svg/>", alt="dots", caption="Dots.")])


def test_the_head_chooses():
    """By default a causal model gets perplexity and a classifier gets classification."""
    assert [type(one) for one in Suite().fitting("causal-lm", "s")] == [Perplexity]
    assert [type(one) for one in Suite().fitting("sequence-classification", "s")] == [ClassificationScores]


def test_what_does_not_fit_is_refused():
    """An evaluator for another head is refused, and so is a head nobody judges."""
    with pytest.raises(StepError, match="cannot judge a model with a causal-lm head"):
        Suite(evaluators=(ClassificationScores(),)).fitting("causal-lm", "s")
    with pytest.raises(StepError, match="no evaluator is known for a strange head"):
        Suite().fitting("strange", "s")


def test_several_keep_their_names_apart(saved_model, corpus, context):
    """Scores, tables and notes carry the evaluator's name, a second one of a kind its number."""
    suite = Suite(evaluators=(Perplexity(context=8), Perplexity(), Generation(max_tokens=4)))
    merged = suite.evaluate(saved_model(), corpus(["some text", "more text"]), context())
    names = [score.name for score in merged.scores]
    assert len(set(names)) == len(names) == 4
    assert [name.endswith("perplexity") for name in names] == [True, False, True, False]
    assert len(merged.tables) == 3
    assert len(merged.notes) >= 3
    told = merged.by_document["score"].unique(maintain_order=True).to_list()
    assert told == ["perplexity: bits per byte", "perplexity-2: bits per byte"]


def test_one_alone_is_as_it_is_by_itself(saved_model, corpus, context):
    """With a single evaluator the names are its own."""
    merged = Suite().evaluate(saved_model(), corpus(["some text", "more text"]), context())
    assert [score.name for score in merged.scores] == ["perplexity", "bits per byte"]


def test_pictures_are_kept(saved_model, corpus, context):
    """What an evaluator draws stands in the suite's report, under its name where there are several."""
    model, held = saved_model(), corpus(["some text"])
    found = [Suite(evaluators=given).evaluate(model, held, context()).pictures for given in ([Draws()], [Draws()] * 2)]
    assert [[drawn.name for drawn in pictures] for pictures in found] == [["dots"], ["draws-dots", "draws-2-dots"]]


@pytest.mark.parametrize(
    "evaluator, message",
    [(Probe(), "probe needs the input 'train'"), (Tokenizers(), "tokenizers needs the input 'tokenizers'")],
)
def test_an_input_that_is_not_there_is_said(saved_model, corpus, context, evaluator, message):
    """A probe without training documents, and an evaluator of something else than a model, are refused by name."""
    model, held = saved_model(), corpus(["some text"])
    with pytest.raises(StepError, match=message):
        Suite(evaluators=[evaluator]).evaluate(model, held, context())
