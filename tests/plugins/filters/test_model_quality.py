"""A classifier's score of every document is what transformers gives it alone, whatever stands beside it."""

import json
import shutil

import polars as pl
import pytest
from workbench_plugins.filters.model_quality import ModelQuality, batches, output_of, score_of

from workbench.api import StepError
from workbench.errors import PipelineError
from workbench.pipeline.check import read_pipeline
from workbench.registry import shared_registry
from workbench.testing import small_corpus, trial
from workbench.testing.artifacts import small_classifier, small_model

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "river", "old", "town", "##s", "河", "流", "很", "长"]
TEXTS = ["the old river", "towns", "", "河流很长", "the " * 100, "old old old 河", "unknown letters", "the town"]


def foreign(folder, *, labels=("bad", "good"), seed=3, **config):
    """Write a small BERT classifier as any user of transformers would."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    fast = Tokenizer(models.WordPiece({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    fast.normalizer = normalizers.BertNormalizer()
    fast.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    fast.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=fast, model_max_length=40, **names).save_pretrained(folder)
    torch.manual_seed(seed)
    settings = BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=40, id2label=dict(enumerate(labels)), initializer_range=0.5, **config,
    )  # fmt: skip
    BertForSequenceClassification(settings).save_pretrained(folder)
    return folder


def alone(folder, text):
    """Return the logits of one text by transformers itself."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.no_grad():
        return model(**tokenizer(text, truncation=True, return_tensors="pt")).logits[0].double()


def scored(place, texts, model=None, workers=1, num_shards=2, **settings):
    inputs = {"corpus": small_corpus(place / "corpus", texts, num_shards=num_shards)}
    if model is not None:
        inputs["model"] = model
    result = trial(ModelQuality(device="cpu", **settings), inputs, place / "run", workers=workers)
    signals = pl.read_parquet(sorted((place / "run" / "signals" / "signals").glob("*.parquet")))
    return result, signals["model-quality.score"].to_list()


def test_scores_are_those_of_transformers(tmp_path):
    folder = foreign(tmp_path / "model")
    result, scores = scored(tmp_path, TEXTS, folder=str(folder), label="good", min_score=0.5)
    expected = [float(alone(folder, text).softmax(-1)[1]) for text in TEXTS]
    assert scores == [pytest.approx(value, rel=1e-3) for value in expected]
    assert max(scores) - min(scores) > 0.05
    assert result.scan().collect()["text"].to_list() == [t for t, s in zip(TEXTS, scores, strict=True) if s >= 0.5]
    assert set(result.ledger.rejected) <= {"score-too-low"}
    kept = {file.name for file in (tmp_path / "run" / "signals" / "learned" / "model").iterdir()}
    assert kept == {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}


def test_neighbours_and_shards_do_not_matter(tmp_path):
    folder = str(foreign(tmp_path / "model"))
    texts = [f"{text} {'river ' * n}" for n in range(6) for text in TEXTS]
    _, scores = scored(tmp_path / "a", texts, folder=folder, label="good")
    _, other = scored(tmp_path / "b", texts[::-1], folder=folder, label="good", num_shards=5)
    assert other[::-1] == scores


def test_a_regression_gives_its_number(tmp_path):
    folder = foreign(tmp_path / "model", labels=("quality",))
    _, scores = scored(tmp_path, TEXTS[:3], folder=str(folder))
    assert scores == [pytest.approx(float(alone(folder, text)[0]), rel=1e-3) for text in TEXTS[:3]]


def test_independent_labels_have_probabilities_of_their_own(tmp_path):
    folder = foreign(tmp_path / "model", problem_type="multi_label_classification")
    _, scores = scored(tmp_path, TEXTS[:3], folder=str(folder), label="1")
    assert scores == [pytest.approx(float(alone(folder, text).sigmoid()[1]), rel=1e-3) for text in TEXTS[:3]]


def test_a_model_tuned_here_is_an_input(tmp_path):
    model = small_classifier(tmp_path / "made", steps=30)
    texts = ["the river was long and the old town stood beside it", "春天来了，河水慢慢地流过古老的城镇。"] * 4
    result, scores = scored(tmp_path, texts, model, label="zh")
    assert result.num_rows == 8
    assert all(0 <= score <= 1 for score in scores)
    assert scores == scores[:2] * 4
    _, others = scored(tmp_path / "en", texts, model, label="en")
    assert [one + other for one, other in zip(scores, others, strict=True)] == pytest.approx([1.0] * 8, abs=1e-3)


def broken(folder, change):
    if change == "no head":
        from safetensors.numpy import load_file, save_file

        weights = load_file(folder / "model.safetensors")
        save_file({k: v for k, v in weights.items() if "classifier" not in k}, folder / "model.safetensors")
    elif change == "another head":
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "architectures": ["BertForMaskedLM"]}))
    elif change == "code":
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModel": "x.Y"}}))
    else:
        (folder / change).unlink()


@pytest.mark.parametrize(
    "change, message",
    [
        ("no head", "weights of the classifier's head are missing"),
        ("another head", "this model is a BertForMaskedLM"),
        ("tokenizer.json", "there is no tokenizer.json"),
        ("model.safetensors", "no weights in safetensors"),
        ("config.json", "this is no model"),
        ("code", "Python code of its own"),
    ],
)
def test_folders_that_would_give_noise_are_refused(tmp_path, change, message):
    folder = foreign(tmp_path / "model")
    broken(folder, change)
    with pytest.raises(StepError, match=message):
        scored(tmp_path, ["a"], folder=str(folder), label="good")


def test_what_is_asked_for_must_be_there(tmp_path):
    folder = str(foreign(tmp_path / "model"))
    with pytest.raises(StepError, match="label names none\n  expected: one of: bad, good"):
        scored(tmp_path / "a", ["a"], folder=folder)
    with pytest.raises(StepError, match="no label 'fine'"):
        scored(tmp_path / "b", ["a"], folder=folder, label="fine")
    with pytest.raises(StepError, match="there is no model"):
        scored(tmp_path / "c", ["a"])
    model = small_model(tmp_path / "made")
    with pytest.raises(StepError, match="this model is a LlamaForCausalLM"):
        scored(tmp_path / "d", ["a"], model)
    with pytest.raises(StepError, match="there are two models"):
        scored(tmp_path / "e", ["a"], model, folder=folder)


def test_the_fingerprint_follows_the_folder(tmp_path):
    folder = foreign(tmp_path / "model")
    (folder / "notes.txt").write_text("not used")
    component = ModelQuality(folder="model")
    assert set(component.digests(tmp_path, lambda path: path.name).values()) == {
        "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"
    }  # fmt: skip
    shutil.rmtree(folder)


def test_batches_have_few_shapes():
    """Each row is in one batch, no longer than the length it is padded to, and of not more rows than fit."""
    lengths = [n * 37 % 600 for n in range(300)]
    found = list(batches(lengths, 2048))
    assert sorted(n for members, _, _ in found for n in members) == [n for n, length in enumerate(lengths) if length]
    assert all(max(lengths[n] for n in members) <= length for members, _, length in found)
    assert all(len(members) <= size == max(1, 2048 // length) for members, size, length in found)


def test_outputs_by_name_and_number():
    from types import SimpleNamespace

    import numpy as np

    config = SimpleNamespace(id2label={0: "a", 1: "b"}, problem_type=None)
    assert [output_of(config, name) for name in ("a", "b", "1")] == [0, 1, 1]
    assert score_of(config, "b", np.array([[0.0, np.log(3)]])).tolist() == [pytest.approx(0.75)]


PIPELINE = """workbench: 1
name: heads
steps:
  raw: {use: source/jsonl, with: {paths: [a.jsonl]}}
  bpe: {use: tokenizer/byte-bpe, inputs: raw}
  ids: {use: tokens/pack, inputs: {corpus: raw, tokenizer: bpe}}
  base:
    use: train/pretrain
    inputs: ids
    with: {architecture: {use: architecture/ARCHITECTURE}, objective: {use: objective/OBJECTIVE}, budget: {steps: 1}}
  out: {use: filter/FILTER, inputs: {corpus: raw, model: base}}
"""


@pytest.mark.parametrize(
    "architecture, objective, name, fitting",
    [("llama", "causal", "model-quality", "perplexity"), ("bert", "masked", "perplexity", "semantic-dedup")],
)
def test_a_model_with_another_head_is_refused_when_the_pipeline_is_checked(architecture, objective, name, fitting):
    """With what works with such a model; the filter it was given to is not among them."""
    text = PIPELINE.replace("ARCHITECTURE", architecture).replace("OBJECTIVE", objective).replace("FILTER", name)
    with pytest.raises(PipelineError) as caught:
        read_pipeline(None, text, shared_registry())
    (problem,) = caught.value.problems
    assert problem.line == 11
    said, _, fit = problem.message.partition("; filters that fit: ")
    assert f"filter/{name} works with " in said
    assert fitting in fit.split(", ")
    assert name not in fit.split(", ")
