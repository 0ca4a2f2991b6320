"""Language models on one footing: windows, known answers of a neural and of a static one, how texts go on."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from workbench.artifacts import Model
from workbench.artifacts.tokenizer import encode_text
from workbench.contracts.static import StaticLanguageModel
from workbench.errors import StepError
from workbench.testing.artifacts import small_model, small_tokenizer
from workbench.training.language import NeuralLanguage, StaticLanguage, windows
from workbench.training.models import load_model
from workbench.training.writers import open_language_model
from workbench.training.writing import Writing, draw, write_static

END = 3


class Chain(StaticLanguageModel):
    """A Markov chain over four tokens, the last of which ends a text: its answers can be worked out by hand."""

    vocab_size = 4
    first = np.array([0.6, 0.3, 0.1, 0.0])
    after = np.array([[0.1, 0.5, 0.4, 0.0], [0.1, 0.1, 0.1, 0.7], [0.0, 0.05, 0.05, 0.9], [0.25] * 4])

    def tables(self):
        return {"after": self.after}

    def next_log_probabilities(self, ids):
        with np.errstate(divide="ignore"):
            return np.log(self.after[ids[-1]] if len(ids) else self.first)

    def score(self, ids):
        return np.array([self.next_log_probabilities(ids[:place])[token] for place, token in enumerate(ids)])


def test_windows_score_every_token_but_the_first_once():
    """Whatever the length of the document, with at least half a window before each token of a later window."""
    for length in range(1, 40):
        for size in (2, 3, 8, 9):
            cuts = windows(0, range(length), size)
            scored = [token for cut in cuts for token in cut.ids[cut.first :]]
            assert scored == list(range(1, length))
            assert all(list(cut.ids) == list(range(cut.start, cut.start + len(cut.ids))) for cut in cuts)
            assert all(len(cut.ids) <= size for cut in cuts)
            assert all(cut.first >= size // 2 for cut in cuts[1:])


def test_a_document_is_read_as_it_was_packed(tmp_path):
    """With a tokenizer that marks beginnings, too, nothing stands before the text: packed rows have nothing there."""
    fast = small_tokenizer(tmp_path, use="tokenizer/wordpiece").load()
    config = SimpleNamespace(vocab_size=400, max_position_embeddings=8)
    ids = NeuralLanguage(SimpleNamespace(config=config), fast, torch.device("cpu")).documents(["some text"])[0]
    assert ids[-1] == fast.sep_token_id
    assert fast.cls_token_id not in ids
    assert ids[:-1] == fast("some text", add_special_tokens=False)["input_ids"]


def test_documents_are_encoded_like_single_texts(tmp_path):
    """In one call or one by one, Chinese, empty or with a special token spelled out; and no text gives none."""
    tokenizer = small_tokenizer(tmp_path).load()
    language = StaticLanguage(Chain(), tokenizer)
    texts = ["the river", "春天来了", "", "an <eos> in it"]
    assert language.documents(texts) == [encode_text(tokenizer, text) for text in texts]
    assert language.documents([]) == []


def test_a_network_scores_as_transformers_does(tmp_path):
    """Each token after the first has the log-probability of the model itself; the first is one out of the vocabulary."""
    model = small_model(tmp_path)
    network = load_model(model)
    rows = [list(range(6, 20)), [7, 8, 9]]
    with open_language_model(model, "cpu") as language:
        scores = language.score(rows)
        for row, scores_t in zip(rows, scores, strict=True):
            logits = network(input_ids=torch.tensor([row]), use_cache=False).logits.log_softmax(-1)
            expected = logits[0, torch.arange(len(row) - 1), row[1:]].detach().numpy()
            assert scores_t[0] == pytest.approx(-np.log(language.vocab_size))
            assert scores_t[1:] == pytest.approx(expected, abs=1e-5)


def test_the_likeliest_tokens_and_the_likeliest_text_differ():
    """Greedy takes 0 then 1; the mean log-probability of the beam `1 end` is higher, so two beams find it."""
    chain = Chain()
    rng = np.random.default_rng(0)
    assert write_static(chain, [], Writing(max_tokens=5), END, rng) == [0, 1]
    # 0 1 end: log(.6 · .5 · .7) / 3 = -0.520; 0 2 end: log(.6 · .4 · .9) / 3 = -0.511; 1 end: log(.3 · .7) / 2 = -0.780
    assert write_static(chain, [], Writing(max_tokens=5, beams=3), END, rng) == [0, 2]
    assert write_static(chain, [2], Writing(max_tokens=5), END, rng) == []
    assert write_static(chain, [3], Writing(max_tokens=0), END, rng) == []


def test_draws_follow_the_probabilities():
    """Shares of many draws are the probabilities, cut to the likeliest two by top-k, to the likeliest by top-p."""
    scores = np.log([0.1, 0.6, 0.3])
    rng = np.random.default_rng(1)
    shares = np.bincount([draw(scores, Writing(temperature=1), rng) for _ in range(4000)], minlength=3) / 4000
    assert shares == pytest.approx([0.1, 0.6, 0.3], abs=0.03)
    shares = np.bincount([draw(scores, Writing(temperature=1, top_k=2), rng) for _ in range(4000)], minlength=3) / 4000
    assert shares == pytest.approx([0, 2 / 3, 1 / 3], abs=0.03)
    shares = np.bincount([draw(scores, Writing(temperature=0.5), rng) for _ in range(4000)], minlength=3) / 4000
    assert shares == pytest.approx(np.array([1, 36, 9]) / 46, abs=0.03)
    assert {draw(scores, Writing(temperature=1, top_p=0.6), rng) for _ in range(100)} == {1}
    assert {draw(scores, Writing(temperature=1, top_p=0.61), rng) for _ in range(100)} == {1, 2}


def test_beams_do_not_draw():
    with pytest.raises(ValueError, match="set the temperature to 0"):
        Writing(temperature=1, beams=2)


def test_a_static_model_is_asked_in_the_same_way(tmp_path):
    """Scores are those of the model, row by row, and what it writes has no end token."""
    tokenizer = small_tokenizer(tmp_path).load()
    language = StaticLanguage(Chain(), tokenizer)
    (scores,) = language.score([[0, 1, END]])
    assert np.exp(scores.sum()) == pytest.approx(0.6 * 0.5 * 0.7)
    how = Writing(max_tokens=3)
    expected = [
        write_static(Chain(), [token], how, tokenizer.eos_token_id, np.random.default_rng(1)) for token in (0, 2)
    ]
    assert language.write([[0], [2]], how, np.random.default_rng(1)) == expected


def test_a_masked_model_is_no_language_model(tmp_path):
    """Its head is not replaced by a fresh one, which would know nothing."""
    model = small_model(tmp_path, architecture="architecture/bert", objective="objective/masked")
    with pytest.raises(StepError, match="masked-lm head predicts no next token"), open_language_model(model):
        pass


def test_a_model_without_a_causal_head_is_refused(tmp_path):
    """A folder that transformers cannot load with a causal head is said to be so."""
    model = small_model(tmp_path)
    shutil.copytree(model.path, tmp_path / "broken")
    (tmp_path / "broken" / "config.json").write_text('{"model_type": "no-such"}')
    with pytest.raises(StepError, match="transformers cannot load"), open_language_model(Model(tmp_path / "broken")):
        pass
