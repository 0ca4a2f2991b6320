"""The linear part of a probe: how documents are dealt out, what is chosen, and that the fit is the optimum."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from workbench_plugins.evaluators.linear_probe import choose, deal, solver

NAMES = np.array(["体育"] * 20 + ["weather"] * 10 + ["rare"])


def test_every_label_has_its_share():
    """Of 20 documents 16 are drawn and 4 of these held back; of 10 it is 8 and 2; a single one is only learned from."""
    learned, held = deal(NAMES, 0.8, 0.25, np.random.default_rng(1))
    assert not {*learned} & {*held}
    counts = [{name: int((NAMES[places] == name).sum()) for name in np.unique(NAMES)} for places in (learned, held)]
    assert counts == [{"rare": 1, "weather": 6, "体育": 12}, {"rare": 0, "weather": 2, "体育": 4}]


def test_the_generator_decides_who_is_drawn():
    """The same generator deals the same, another one differently."""
    first, again, other = (deal(NAMES, 0.5, 0.2, np.random.default_rng(seed))[0].tolist() for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("strength", [0.1, 3.0])
def test_the_fit_is_where_the_gradient_is_zero(strength):
    """At the optimum of C · Σ cross-entropy + ½ |w|² the gradient, C · Σ (p - y) x + w, is zero, on scaled vectors."""
    rng = np.random.default_rng(3)
    names = np.array(["a", "b", "c"])[rng.integers(0, 3, 90)]
    vectors = rng.normal(size=(90, 4)) * [1, 10, 100, 1] + (names == "a")[:, None]
    classifier, converged = solver(vectors, names, strength)
    scaled = (vectors - vectors.mean(0)) / vectors.std(0)
    errors = classifier.predict_proba(vectors) - (names[:, None] == classifier.classes_)
    weights = classifier[-1].coef_
    assert converged
    assert np.abs(strength * errors.T @ scaled + weights).max() < 1e-2 * np.abs(weights).max()


def test_sparse_vectors_stay_sparse():
    """Rows are scaled to length one, so a text said twice gets the same answer."""
    rows = np.array([[1.0, 0, 0], [2, 0, 0], [0, 1, 1], [0, 3, 3]])
    classifier, _ = solver(csr_matrix(rows), np.array(["a", "a", "b", "b"]), 10.0)
    shares = classifier.predict_proba(csr_matrix(rows))
    assert np.allclose(shares[0], shares[1])
    assert np.allclose(shares[2], shares[3])
    assert list(classifier.predict(csr_matrix([[0, 9.0, 9.0]]))) == ["b"]


def test_the_layer_that_tells_the_labels_is_chosen():
    """Of a layer of noise and one with the label in it, the second is taken, whatever its number."""
    rng = np.random.default_rng(4)
    names = np.array(["a", "b"])[rng.integers(0, 2, 80)]
    noise, told = rng.normal(size=(80, 5)), rng.normal(size=(80, 5)) + 2 * (names == "a")[:, None]
    learned, held = deal(names, 1.0, 0.3, rng)
    for layers, expected in (({0: noise, 1: told}, 1), ({0: told, 1: noise}, 0)):
        assert choose(layers, names, learned, held, (0.01, 1.0)).layer == expected


def test_noise_asks_for_strong_regularisation():
    """Where there is nothing to learn the smallest C costs least on the documents held back; where all is clear the largest."""
    rng = np.random.default_rng(5)
    names = np.array(["a", "b"])[rng.integers(0, 2, 120)]
    learned, held = deal(names, 1.0, 0.3, rng)
    noise = rng.normal(size=(120, 30))
    clear = (names == "a")[:, None].astype(float)
    chosen = [choose({0: layer}, names, learned, held, (0.001, 1.0, 100.0)).strength for layer in (noise, clear)]
    assert chosen == [0.001, 100.0]


def test_only_the_documents_held_back_choose():
    """What stands in rows that were neither learned from nor held back changes nothing."""
    rng = np.random.default_rng(6)
    names = np.array(["a", "b"] * 30)
    layer = rng.normal(size=(60, 3))
    learned, held = np.arange(40), np.arange(40, 50)
    changed = layer.copy()
    changed[50:] = 1e6
    choices = [choose({0: vectors}, names, learned, held, (0.1, 1.0)) for vectors in (layer, changed)]
    assert choices[0] == choices[1]
