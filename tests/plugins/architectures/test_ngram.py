"""N-grams: additive smoothing by hand, Kneser-Ney beside a reference of its own, documents apart, tables kept safe."""

import json
import math
from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest
from workbench_plugins.architectures.ngram import Ngram, mean_nats

from workbench.artifacts import Model
from workbench.contracts.static import Lesson, TokenStream
from workbench.contracts.tokenizer import Vocab
from workbench.errors import StepError
from workbench.testing.artifacts import small_component, small_tokens
from workbench.testing.trials import digest_of, trial
from workbench.training.static import load_static

TEXT = (
    "the cat sat on the mat and the dog sat on the cat . a dog and a cat ran . the cat ran on . on the mat sat a dog . "
    "天 气 很 好 我 们 去 公 园 . 天 气 不 好 我 们 不 去 . the dog ran and ran . a mat sat on a mat . 我 们 很 好 ."
)


class Listener:
    """A context that remembers what was said."""

    step = "base"

    def __init__(self):
        self.said = []

    def log(self, message):
        self.said.append(message)


def stream(documents):
    lengths = [len(document) for document in documents]
    return TokenStream(
        np.concatenate([np.array(document, dtype=np.uint16) for document in documents]),
        np.concatenate([[0], np.cumsum(lengths)]),
    )


def fitted(documents, size, **settings):
    return Ngram(**settings).fit(Lesson(stream(documents), vocab=Vocab(size, 32, 0)), Listener()).model


def words():
    """Return the documents of TEXT as numbers, each with an end, and the size of the vocabulary; 0 ends, 1 is unseen."""
    rows = [row.split() for row in TEXT.split(" . ")]
    names = {name: number for number, name in enumerate(sorted({name for row in rows for name in row}), 2)}
    return [[names[name] for name in row] + [0] for row in rows], len(names) + 2


def test_additive_smoothing_by_hand():
    """One document, 0 1 0 2 3: P(0) = (2 + .5/4) / (5 + .5); P(1 | 0) = (1 + .25 P(1)) / (2 + .25)."""
    model = fitted([[0, 1, 0, 2, 3]], 4, order=3, smoothing="additive", epsilon=(0.5, 0.25, 2.0))
    one = {0: (2 + 0.5 / 4) / 5.5, 1: (1 + 0.5 / 4) / 5.5, 2: (1 + 0.5 / 4) / 5.5, 3: (1 + 0.5 / 4) / 5.5}
    one_after_0 = (1 + 0.25 * one[1]) / 2.25
    zero_after_1 = (1 + 0.25 * one[0]) / 1.25
    zero_after_01 = (1 + 2.0 * zero_after_1) / 3.0
    assert np.exp(model.score([0, 1, 0])) == pytest.approx([one[0], one_after_0, zero_after_01], rel=1e-12)
    # 2 was never seen after 1 (which was seen once): all of it is the mass that 1 leaves to the unigrams
    assert np.exp(model.score([1, 2])[1]) == pytest.approx(0.25 * one[2] / 1.25, rel=1e-12)
    # after 1 0 came only 2; 3 has to be asked of 0 alone, after which came 1 and 2
    three_after_0 = 0.25 * one[3] / 2.25
    assert np.exp(model.score([1, 0, 3])[2]) == pytest.approx(2.0 * three_after_0 / 3.0, rel=1e-12)


class Reference:
    """Interpolated Kneser-Ney from dictionaries of strings, as Chen and Goodman 1999 write it."""

    def __init__(self, documents, order, size, *, modified):
        self.order, self.size = order, size
        raw = Counter()
        for row in documents:
            for length in range(1, order + 1):
                raw.update(tuple(row[place : place + length]) for place in range(len(row) - length + 1))
        self.counts = {gram: number for gram, number in raw.items() if len(gram) == order}
        for length in range(1, order):
            lefts = defaultdict(set)
            for gram in raw:
                if len(gram) == length + 1:
                    lefts[gram[1:]].add(gram[0])
            self.counts |= {gram: len(found) for gram, found in lefts.items()}
        self.discounts = {length: self.estimate(length, modified=modified) for length in range(1, order + 1)}
        self.after = defaultdict(dict)
        for gram, number in self.counts.items():
            self.after[gram[:-1]][gram[-1]] = number

    def estimate(self, length, *, modified):
        n = Counter(number for gram, number in self.counts.items() if len(gram) == length)
        single = n[1] / (n[1] + 2 * n[2]) if n[1] and n[2] else 0
        if not modified:
            return [single if 0 < single < 1 else 0.5] * 3
        levels = [level - (level + 1) * single * n[level + 1] / n[level] if n[level] else 0 for level in (1, 2, 3)]
        good = all(0 < discount < level for level, discount in enumerate(levels, 1))
        return levels if good else [0.5, 1.0, 1.5]

    def probability(self, token, context):
        context = tuple(context[-(self.order - 1) :]) if self.order > 1 else ()
        shorter = self.probability(token, context[1:]) if context else 1 / self.size
        found = self.after.get(context)
        if not found:
            return shorter
        discounts = [0, *self.discounts[len(context) + 1]]
        total = sum(found.values())
        taken = sum(discounts[min(number, 3)] for number in found.values())
        number = found.get(token, 0)
        return (number - discounts[min(number, 3)]) / total + taken / total * shorter

    def nats(self, row):
        return [-math.log(self.probability(token, row[:place])) for place, token in enumerate(row)]


@pytest.mark.parametrize("modified", [False, True])
@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_kneser_ney_beside_the_reference(order, modified):
    """Perplexity on text that was and was not seen is that of the reference, token by token."""
    documents, size = words()
    train, test = documents[::2], documents
    reference = Reference(train, order, size, modified=modified)
    model = fitted(train, size, order=order, modified=modified)
    for row in test:
        assert -model.score(row) == pytest.approx(reference.nats(row), rel=1e-9)
    expected = np.mean([nats for row in test for nats in reference.nats(row)[1:]])
    assert mean_nats(model, stream(test)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("modified", [False, True])
def test_kneser_ney_with_estimated_discounts(modified):
    """The same on 4,000 tokens, where all counts of counts are there and discounts are estimated."""
    random = np.random.default_rng(3)
    rows = [(random.zipf(1.4, 40) % 60).tolist() for _ in range(100)]
    listener = Listener()
    settings = Ngram(order=3, modified=modified)
    model = settings.fit(Lesson(stream(rows), vocab=Vocab(60, 32, 0)), listener).model
    reference = Reference(rows, 3, 60, modified=modified)
    assert 3 not in {
        int(word)
        for said in listener.said
        for word in said.replace(",", " ").replace(";", " ").split()
        if word.isdigit()
    }
    for row in (rows[0], (random.integers(0, 60, 40)).tolist()):
        assert -model.score(row) == pytest.approx(reference.nats(row), rel=1e-9)


@pytest.mark.parametrize(
    "settings",
    [
        {"order": 1},
        {"order": 4},
        {"order": 4, "modified": True},
        {"order": 3, "smoothing": "additive", "epsilon": 0.1},
    ],
    ids=str,
)
def test_probabilities_sum_to_one_after_every_context(settings):
    """Seen, unseen and empty contexts; and what comes next has the probability that scoring gives it."""
    documents, size = words()
    model = fitted(documents, size, **settings)
    for context in ([], [1], documents[0][:2], documents[3][:3], [1, 1, documents[0][0]], documents[-1]):
        shares = np.exp(model.next_log_probabilities(context))
        assert shares.sum() == pytest.approx(1, abs=1e-12)
        scored = [np.exp(model.score([*context, token])[-1]) for token in range(size)]
        assert shares == pytest.approx(scored, rel=1e-12)


def test_nothing_is_counted_over_the_border_of_a_document():
    """Two documents and the same ones in the other order give equal tables; glued together they do not."""
    one, other = [2, 3, 4, 0], [3, 3, 2, 0]
    tables = fitted([one, other], 5, order=3).tables()
    swapped = fitted([other, one], 5, order=3).tables()
    assert all((tables[name] == swapped[name]).all() for name in tables)
    glued = fitted([one + other], 5, order=3)
    assert len(glued.tables()["tokens"]) > len(tables["tokens"])


def test_short_and_empty_documents_are_counted():
    """Documents shorter than the order, of one token and of none give no error and their own n-grams."""
    model = fitted([[1, 0], [], [0], [1, 1, 0]], 3, order=4)
    assert model.facts()["sizes"] == [3, 2, 1, 0]
    assert np.isfinite(model.score([1, 1, 1, 0])).all()
    assert len(model.score([])) == 0


def test_a_large_text_grows_the_hash_table():
    """More distinct n-grams than the first table holds: counts are those of a dictionary."""
    rows = np.random.default_rng(1).integers(0, 500, (300, 400))
    model = fitted(rows.tolist(), 500, order=2)
    counted = Counter((int(a), int(b)) for row in rows for a, b in pairwise(row))
    tree = model.tree
    pairs = zip(tree.parents[500:].tolist(), tree.tokens[500:].tolist(), tree.counts[500:].tolist(), strict=True)
    assert {(first, second): number for first, second, number in pairs} == dict(counted)
    assert len(counted) > 1 << 15


def test_settings_that_do_not_go_together():
    for settings, message in [
        ({"smoothing": "additive", "modified": True}, "modified is a kind of Kneser-Ney"),
        ({"order": 3, "smoothing": "additive", "epsilon": (1.0, 2.0)}, "2 values of epsilon for 3 orders"),
        ({"epsilon": 0.0}, "more than 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            Ngram(**settings)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """An n-gram model made by `train/pretrain`."""
    folder = tmp_path_factory.mktemp("ngram")
    step = small_component("train/pretrain", architecture={"use": "architecture/ngram", "with": {"order": 3}})
    return trial(step, {"tokens": small_tokens(folder)}, folder / "model")


def test_the_card(model):
    """The folder says what it is, and has a curve of one row with the loss on the valid part."""
    card = model.card
    assert (card["family"], card["head"], card["objective"]) == ("static", "causal-lm", None)
    assert card["architecture"] == "architecture/ngram"
    assert card["valid_loss"] == model.metrics()["valid_loss"][0] > 0
    assert card["parameters"] > 500
    config = json.loads((model.path / "config.json").read_text())
    assert config["architecture"]["with"]["order"] == 3
    assert sorted(path.suffix for path in model.path.iterdir()) == [".json"] * 4 + [".parquet", ".safetensors"]


def test_saved_and_loaded_it_is_the_same(model, tmp_path):
    """The loaded model gives the scores of the fitted one, and learns again to the same bytes."""
    tokens = small_tokens(tmp_path)
    step = small_component("train/pretrain", architecture={"use": "architecture/ngram", "with": {"order": 3}})
    again = trial(step, {"tokens": tokens}, tmp_path / "again")
    assert digest_of(again.path) == digest_of(model.path)
    ids = tokens.ids("valid")
    bounds = np.append(tokens.documents("valid")["start"].to_numpy(), len(ids))
    assert mean_nats(load_static(model), TokenStream(ids, bounds)) == pytest.approx(model.card["valid_loss"], rel=1e-12)


def change(model, folder, **changes):
    """Return a copy of a model with other tables."""
    import shutil

    from safetensors.numpy import load_file, save_file

    shutil.copytree(model.path, folder)
    tables = load_file(folder / "model.safetensors")
    save_file(
        {**tables, **{name: alter(tables[name].copy()) for name, alter in changes.items()}},
        folder / "model.safetensors",
    )
    return Model(folder)


def with_entry(place, value):
    def alter(table):
        table[place] = value
        return table

    return alter


@pytest.mark.parametrize(
    "changes",
    [
        {"children": with_entry(5, 4_000_000)},
        {"children": with_entry(-1, 0)},
        {"tokens": with_entry(-1, 4_000_000)},
        {"tokens": with_entry(0, 1)},
        {"tokens": with_entry(-1, 0)},
        {"counts": lambda table: table[:-1]},
    ],
    ids=["children far outside", "children cut", "token outside", "vocabulary", "missing parts", "lengths"],
)
def test_tables_that_are_no_tree_are_refused(model, tmp_path, changes):
    """Tables from elsewhere can never lead the compiled loops out of their arrays."""
    with pytest.raises(StepError, match="tables of this model cannot be used"):
        load_static(change(model, tmp_path / "changed", **changes))


def test_a_folder_names_only_what_is_installed(model, tmp_path):
    """Another kind of component, an unknown one and another version are refused."""
    import shutil

    for number, (alter, message) in enumerate(
        [
            ({"architecture": {"use": "os/system", "with": {}}}, "names no architecture"),
            ({"architecture": {"use": "architecture/no-such", "with": {}}}, "cannot be had"),
            ({"architecture": {"use": "architecture/llama", "with": {}}}, "no static architecture"),
            ({"architecture": {"use": "architecture/ngram", "with": {"code": "x"}}}, "cannot be had"),
            ({"version": 99}, "train it again"),
        ]
    ):
        folder = tmp_path / str(number)
        shutil.copytree(model.path, folder)
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, **alter}))
        with pytest.raises(StepError, match=message):
            load_static(Model(folder))
