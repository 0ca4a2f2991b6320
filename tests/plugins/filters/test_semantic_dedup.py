"""Documents whose embeddings point the same way: the embedding is the mean of the hidden states, decisions are exact."""

import numpy as np
import polars as pl
import pytest
from workbench_plugins.filters.embedding_groups import alike, assigned, greedily, k_means, nearest
from workbench_plugins.filters.semantic_dedup import SCALE, SemanticDedup, embed, open_encoder, whole_numbers

from workbench.api import StepError
from workbench.testing import small_corpus, trial
from workbench.testing.artifacts import small_model
from workbench.testing.trials import digest_of

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "river", "old", "town", "##s", "河", "流", "很", "长"]
TEXTS = ["the old river", "old the river the", "河流很长", "towns", "", "The OLD river", "长河流很", "the " * 100]


def encoder(folder):
    """Write a small BERT without a head as any user of transformers would."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    fast = Tokenizer(models.WordPiece({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    fast.normalizer = normalizers.BertNormalizer()
    fast.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    fast.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=fast, model_max_length=40, **names).save_pretrained(folder)
    torch.manual_seed(3)
    settings = BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=40, initializer_range=0.5,
    )  # fmt: skip
    BertModel(settings).save_pretrained(folder)
    return str(folder)


def mean_state(folder, text):
    """Return the mean of the last hidden states of one text by transformers itself."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokens = AutoTokenizer.from_pretrained(folder)(text, truncation=True, return_tensors="pt")
    with torch.no_grad():
        return AutoModel.from_pretrained(folder).eval()(**tokens).last_hidden_state[0].mean(dim=0).numpy()


def sketch_of(vectors, **columns):
    ids = [f"{place:04}" for place in range(len(vectors))]
    rows = [row.tobytes() for row in whole_numbers(np.asarray(vectors, dtype=np.float32)).astype("<i2")]
    return pl.DataFrame({"id": ids, **columns, "embedding": pl.Series(rows, dtype=pl.Binary)})


def clouds(number, each, seed=1, width=24):
    """Return `each` vectors around each of `number` directions, in mixed order, and the number of their direction."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(number, width))
    which = rng.permutation(np.repeat(np.arange(number), each))
    return (centres[which] + 0.02 * rng.normal(size=(len(which), width))).astype(np.float32), which


def test_an_embedding_is_the_mean_over_the_tokens_whatever_stands_beside_it(tmp_path):
    folder = encoder(tmp_path / "model")
    opened = open_encoder(tmp_path / "model", 256, "cpu")
    found = embed(opened, TEXTS)
    expected = np.stack([mean_state(folder, text) for text in TEXTS])
    assert np.abs(found - expected).max() < 1e-5
    assert opened.length == 40


def test_whole_numbers_multiply_exactly_in_float32_in_any_order():
    """Products of any two embeddings are whole numbers below 2²⁴, so that parts may be added in any order."""
    rng = np.random.default_rng(2)
    rows = whole_numbers(np.concatenate([rng.normal(size=(50, 384)), np.eye(384)[:3], np.ones((1, 384))]))
    exact = rows.astype(np.int64) @ rows.astype(np.int64).T
    assert np.abs(exact).max() < 2**24
    assert (rows.astype(np.float32) @ rows.astype(np.float32).T == exact).all()
    shuffled = rng.permutation(384)
    assert (rows[:, shuffled].astype(np.float32) @ rows[:, shuffled].astype(np.float32).T == exact).all()
    assert abs(np.linalg.norm(rows[0].astype(float)) / SCALE - 1) < 1e-3


@pytest.mark.parametrize("clusters", [1, 7])
def test_groups_of_like_directions_keep_one_each(clusters):
    """With one cluster all pairs are compared; with more, clouds that are far apart are not torn."""
    vectors, which = clouds(7, 40)
    sketches = sketch_of(vectors, length=np.arange(len(vectors))).lazy()
    labels = assigned(sketches, clusters, 1000, SCALE)
    assert len(set(labels)) == clusters
    drops = alike(sketches, labels, {"length": True}, 0.95)
    assert drops.height == 7 * 39
    last = {group: max(np.flatnonzero(which == group)) for group in range(7)}
    assert [int(kept) for kept in drops["duplicate_of"]] == [last[which[int(name)]] for name in drops["id"]]
    assert drops["similarity"].min() > 0.95


def test_greedy_choice_equals_going_through_one_by_one():
    """Across blocks: each row is kept unless alike to one kept before it, and then goes in favour of the first such."""
    vectors, _ = clouds(900, 2, seed=5, width=6)
    rows = whole_numbers(vectors).astype(np.float32)
    gone, favoured, cosines = greedily(rows, 0.93)
    units = rows.astype(np.float64) / np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    kept, expected = [], []
    for place, unit in enumerate(units):
        hits = [other for other in kept if units[other] @ unit >= 0.93]
        kept.append(place) if not hits else expected.append((place, hits[0]))
    assert list(zip(gone, favoured, strict=True)) == expected
    assert len(kept) > 600
    assert cosines == pytest.approx([units[one] @ units[other] for one, other in expected])


def test_k_means_finds_what_is_apart_and_keeps_empty_centres():
    vectors, which = clouds(5, 30, seed=9)
    rows = whole_numbers(vectors).astype(np.float32)
    labels = nearest(rows, k_means(rows, 5, SCALE))
    assert len({(int(one), int(other)) for one, other in zip(labels, which, strict=True)}) == 5
    assert len(k_means(rows[:1], 3, SCALE)) == 3


def test_the_order_of_shards_does_not_matter():
    vectors, _ = clouds(30, 20, seed=4)
    whole = sketch_of(vectors, length=np.full(len(vectors), 5))
    found = []
    for shards in ([whole], [whole[400:], whole[:400]], [whole[::-1]]):
        sketches = pl.concat(shards).lazy()
        found.append(alike(sketches, assigned(sketches, 6, 100, SCALE), {"length": True}, 0.9))
    assert found[0].equals(found[1])
    assert found[0].equals(found[2])
    assert found[0].height == 30 * 19


def test_the_same_bytes_for_any_number_of_workers(tmp_path):
    component = SemanticDedup(folder=encoder(tmp_path / "model"), threshold=0.9, device="cpu")
    corpus = small_corpus(tmp_path / "in", TEXTS * 3, num_shards=3)
    results = [trial(component, {"corpus": corpus}, tmp_path / str(w), workers=w) for w in (1, 2)]
    assert digest_of(results[0].path) == digest_of(results[1].path)
    kept = results[0].scan().collect()["text"].to_list()
    assert kept.count("") == 3  # what has no text has no meaning
    assert kept.count("河流很长") <= 1
    assert results[0].ledger.rejected["same-meaning"] >= 14
    assert results[0].clusters().collect().filter(~pl.col("kept"))["similarity"].min() >= 0.9


def test_a_model_trained_here_is_an_encoder_too(tmp_path):
    model = small_model(tmp_path, architecture="architecture/bert", objective="objective/masked")
    corpus = small_corpus(tmp_path / "in", ["one and the same text", "one and the same text", "春天来了"])
    result = trial(SemanticDedup(threshold=0.999, device="cpu"), {"corpus": corpus, "model": model}, tmp_path / "out")
    assert result.ledger.rejected == {"same-meaning": 1}


def test_a_missing_encoder_is_named(tmp_path):
    corpus = small_corpus(tmp_path / "in", ["a"])
    with pytest.raises(StepError, match="there is no model"):
        trial(SemanticDedup(), {"corpus": corpus}, tmp_path / "a")
    (tmp_path / "empty").mkdir()
    with pytest.raises(StepError, match=r"there is no tokenizer\.json"):
        trial(SemanticDedup(folder=str(tmp_path / "empty")), {"corpus": corpus}, tmp_path / "b")
