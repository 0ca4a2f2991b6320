"""Word2vec: the gradient of the paper's loss, words of a built corpus beside their like, the same bits again."""

import numpy as np
import pytest
from workbench_plugins.architectures.word2vec import Word2Vec, pieces
from workbench_plugins.architectures.word2vec_kernel import Drawing, Space, alias_table, predict, sigmoid_table
from workbench_plugins.objectives.word_windows import Cbow, SkipGram

from workbench.contracts.static import Lesson, TokenStream
from workbench.contracts.tokenizer import Vocab
from workbench.errors import StepError
from workbench.testing.artifacts import small_component, small_tokens
from workbench.testing.trials import trial
from workbench.training.static import load_static

END, NUM_GROUPS, GROUP = 0, 6, 5
OBJECTIVES = [SkipGram(window=2, negative=5), Cbow(window=2, negative=5)]


class Listener:
    """A context with a seed that remembers what was told."""

    step = "vectors"

    def __init__(self, seed=1):
        self.seed, self.told = seed, []

    def rng_for(self, purpose):
        return np.random.default_rng([self.seed, len(purpose)])

    def progress(self, done, total, unit):
        self.told.append((done, total, unit))


def built():
    """Return documents in which groups of words follow each other in a fixed round; words of a group can be swapped."""
    random = np.random.default_rng(7)
    documents = []
    for _ in range(800):
        start = random.integers(NUM_GROUPS)
        groups = (start + np.arange(12)) % NUM_GROUPS
        documents.append([*(1 + groups * GROUP + random.integers(GROUP, size=12)).tolist(), END])
    return documents


def fitted(documents, objective, size=1 + NUM_GROUPS * GROUP + 1, seed=1, **settings):
    lengths = [len(document) for document in documents]
    stream = TokenStream(np.concatenate(documents).astype(np.uint16), np.concatenate([[0], np.cumsum(lengths)]))
    lesson = Lesson(stream, vocab=Vocab(size, 32, pad=size - 1, eos=END), objective=objective)
    return Word2Vec(**{"width": 16, "epochs": 8, "subsample": 0, **settings}).fit(lesson, Listener(seed))


@pytest.mark.parametrize("objective", OBJECTIVES, ids=["skip-gram", "cbow"])
def test_the_nearest_words_are_of_the_same_group(objective):
    """The four nearest of each word are the other four that stand in the same places; the loss falls."""
    result = fitted(built(), objective)
    for token in range(1, 1 + NUM_GROUPS * GROUP):
        nearest = {(other - 1) // GROUP for other, _ in result.model.neighbours(token, GROUP - 1)}
        assert nearest == {(token - 1) // GROUP}
    losses = [row["loss"] for row in result.curve]
    assert len(losses) == 8
    assert losses[-1] < 0.9 * losses[0]


def test_the_end_and_rare_tokens_have_no_vector():
    """The token that ends documents is no word, and what was seen too seldom has zeros; neither is a neighbour."""
    size = 1 + NUM_GROUPS * GROUP + 3
    documents = built()
    documents[0] = [size - 2, *documents[0]]
    model = fitted(documents, OBJECTIVES[0], size=size, epochs=1).model
    assert not model.vectors_vw[[END, size - 2, size - 1]].any()
    assert {token for token, _ in model.neighbours(1, size)} == set(range(2, 1 + NUM_GROUPS * GROUP))


@pytest.mark.parametrize("objective", OBJECTIVES, ids=["skip-gram", "cbow"])
def test_the_kernel_goes_down_the_gradient_of_the_loss(objective):
    """A step of the kernel is the rate times the numerical gradient, for what predicts and for both outputs."""
    random = np.random.default_rng(2)
    hidden, outputs = random.normal(size=8).astype(np.float32), random.normal(size=(2, 8)).astype(np.float32)
    always_one = (np.array([0, 1], dtype=np.float32), np.array([1, 1], dtype=np.uint32))
    rate, moved, error = np.float32(1e-3), outputs.copy(), np.empty(8, dtype=np.float32)
    space = Space(np.zeros_like(outputs), moved, hidden, error)
    drawing = Drawing(1, *always_one, np.array([5], dtype=np.uint64), sigmoid_table())
    loss = predict(hidden, 0, space, drawing, rate)
    asked = [array.astype(np.float64) for array in (hidden, outputs[0], outputs[1])]
    assert loss == pytest.approx(objective.loss(asked[0], asked[1], asked[2][None]), rel=5e-3)
    for place, step in enumerate((error, moved[0] - outputs[0], moved[1] - outputs[1])):
        gradient = np.empty(8)
        for column in range(8):
            ends = []
            for change in (1e-5, -1e-5):
                given = [array.copy() for array in asked]
                given[place][column] += change
                ends.append(objective.loss(given[0], given[1], given[2][None]))
            gradient[column] = (ends[0] - ends[1]) / 2e-5
        assert step / -1e-3 == pytest.approx(gradient, rel=2e-2, abs=5e-3)


def test_draws_have_the_shares_of_their_weights():
    """What the two tables give for each token adds up to its share."""
    weights = np.array([1.0, 0.0, 5.0, 2.0, 0.5, 8.0])
    share, other = alias_table(weights)
    mass = np.zeros(6)
    for token in range(6):
        mass[token] += share[token] / 6
        mass[other[token]] += (1 - share[token]) / 6
    assert mass == pytest.approx(weights / weights.sum(), abs=1e-6)


def test_frequent_tokens_are_thinned_out():
    """A token of share f stays with (√(f / t) + 1) t / f: of half the text, with t = 0.01, 0.1614; rare ones always."""
    keep = Word2Vec(subsample=0.01).keep(np.array([0, 5, 490, 499, 6])) / 2**32
    assert keep[[0, 1, 4]] == pytest.approx([0, 1, 1])
    assert keep[3] == pytest.approx((np.sqrt(0.499 / 0.01) + 1) * 0.01 / 0.499, rel=1e-6)


def test_documents_are_taken_in_runs():
    """Every document once, in order; one that is longer than a run alone."""
    lengths = [150_000, 40_000, 30_000, 900_000, 0, 10]
    stream = TokenStream(np.zeros(sum(lengths), dtype=np.uint8), np.concatenate([[0], np.cumsum(lengths)]))
    runs = [bounds.tolist() for bounds in pieces(stream)]
    assert [run[0] for run in runs] + [runs[-1][-1]] == [0, *(run[-1] for run in runs)]
    assert sorted({edge for run in runs for edge in run}) == sorted(set(stream.bounds.tolist()))


def test_the_seed_decides():
    """The same seed gives the same bits, another seed others."""
    first, again, other = (fitted(built()[:50], OBJECTIVES[0], seed=seed).model.vectors_vw for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_a_text_without_words_is_refused():
    with pytest.raises(StepError, match="fewer than two tokens were seen 99999 times"):
        fitted(built(), OBJECTIVES[0], min_count=99_999)


def test_as_a_step(tmp_path):
    """The model folder holds the vectors, the curve of its epochs, and the tokenizer to look words up with."""
    step = small_component(
        "train/pretrain",
        architecture={"use": "architecture/word2vec", "with": {"width": 8, "epochs": 3}},
        objective={"use": "objective/cbow", "with": {}},
    )
    model = trial(step, {"tokens": small_tokens(tmp_path)}, tmp_path / "model")
    loaded = load_static(model)
    assert loaded.vectors_vw.shape == (model.tokenizer.vocab(1).size, 8)
    assert model.metrics()["number"].to_list() == [1, 2, 3]
    card = model.card
    assert (card["head"], card["objective"], card["steps"]) == ("embedding", "objective/cbow", 3)
    assert card["first_loss"] == model.metrics()["loss"][0]
