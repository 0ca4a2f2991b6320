"""MinHash finds pairs by their true Jaccard similarity, in every script and in any order."""

import itertools
import random

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError
from workbench_plugins.filters.minhash_dedup import MinHashDedup, signatures_of
from workbench_plugins.filters.minhash_kernel import CLASSES, permutations
from workbench_plugins.filters.text_buffers import text_buffers
from workbench_plugins.filters.word_count import WordCount

from workbench.errors import DataError

WORDS = [f"{a}{b}" for a in ("ba", "de", "gi", "ko", "lu", "ma", "ne", "po") for b in range(400)]
HAN = [chr(point) for point in range(0x4E00, 0x4E00 + 2500)]


def shingles(words):
    return {tuple(words[place : place + 5]) for place in range(len(words) - 4)}


def known_pairs(vocabulary, number, seed):
    """Return pairs of word lists by bucket of their true Jaccard similarity: 7, 8 and 9 tenths."""
    rng = random.Random(seed)
    buckets = {7: [], 8: [], 9: []}
    while min(map(len, buckets.values())) < number:
        one = [rng.choice(vocabulary) for _ in range(rng.randint(60, 300))]
        other = list(one)
        for _ in range(rng.randint(1, max(1, len(one) // 25))):
            other[rng.randrange(len(other))] = rng.choice(vocabulary)
        similarity = len(shingles(one) & shingles(other)) / len(shingles(one) | shingles(other))
        bucket = buckets.get(int(similarity * 10), [None] * number)
        if len(bucket) < number and similarity < 1:
            bucket.append((one, other))
    return buckets


def frame_of(pairs, joint):
    rows = [
        (f"{place:04}-{side}", joint.join(words))
        for place, pair in enumerate(pairs)
        for side, words in zip("ab", pair, strict=True)
    ]
    return pl.DataFrame(rows, schema={"id": pl.String, "text": pl.String}, orient="row")


def drops(component, texts):
    batch = pl.DataFrame(
        {"id": list("abcdefgh")[: len(texts)], "text": texts}, schema={"id": pl.String, "text": pl.String}
    )
    found = component.resolve(component.sketch(batch).lazy())
    return dict(found.select("id", "duplicate_of").iter_rows())


@pytest.mark.parametrize("vocabulary, joint", [(WORDS, " "), (HAN, "")], ids=["words", "Chinese"])
def test_recall_at_known_similarity_and_no_strangers_joined(vocabulary, joint):
    """Default settings: at least .80, .97 and .99 of the pairs at Jaccard .7-.8, .8-.9 and .9 up; no false ones."""
    component = MinHashDedup()
    buckets = known_pairs(vocabulary, 120, seed=1)
    for bucket, least in {7: 0.8, 8: 0.97, 9: 0.99}.items():
        pairs = buckets[bucket]
        found = component.resolve(component.sketch(frame_of(pairs, joint)).lazy())
        assert len(found) / len(pairs) >= least
        assert all(one[:4] == other[:4] for one, other in found.select("id", "duplicate_of").iter_rows())


@pytest.mark.parametrize("vocabulary, joint", [(WORDS, " "), (HAN, "")], ids=["words", "Chinese"])
def test_every_exact_duplicate_is_found(vocabulary, joint):
    """Copies share every bucket: all of 500 go, each in favour of its own like, at similarity 1."""
    rng = random.Random(2)
    texts = [joint.join(rng.choices(vocabulary, k=rng.randint(1, 80))) for _ in range(500)]
    rows = [(f"{side}{place:04}", text) for side in "ab" for place, text in enumerate(texts)]
    batch = pl.DataFrame(rows, schema=["id", "text"], orient="row")
    found = MinHashDedup(threshold=1.0).resolve(MinHashDedup(threshold=1.0).sketch(batch).lazy())
    assert found["id"].to_list() == [f"b{place:04}" for place in range(500)]
    assert found["duplicate_of"].to_list() == [f"a{place:04}" for place in range(500)]
    assert found["similarity"].to_list() == [1.0] * 500


def test_the_similarity_that_is_stored_is_that_to_the_document_that_stays():
    """It stands for the true Jaccard similarity: unbiased over many pairs, and no further off than five errors."""
    pairs = [pair for bucket in known_pairs(WORDS, 60, seed=4).values() for pair in bucket]
    component = MinHashDedup(threshold=0.6, num_permutations=128)
    found = component.resolve(component.sketch(frame_of(pairs, " ")).lazy())
    truth = {
        f"{place:04}": len(shingles(a) & shingles(b)) / len(shingles(a) | shingles(b))
        for place, (a, b) in enumerate(pairs)
    }
    errors = [similarity - truth[name[:4]] for name, similarity in found.select("id", "similarity").iter_rows()]
    assert len(errors) > 170
    assert abs(np.mean(errors)) < 3 * np.sqrt(0.85 * 0.15 / 128 / len(errors))
    assert max(map(abs, errors)) < 5 * np.sqrt(0.85 * 0.15 / 128)


def test_the_estimate_is_unbiased():
    """The share of equal minima is the Jaccard similarity, to three standard errors of the mean."""
    pairs = known_pairs(WORDS, 80, seed=3)[8]
    signatures, _ = signatures_of(frame_of(pairs, " ")["text"], 5, 112)
    estimates = (signatures[::2] == signatures[1::2]).mean(axis=1)
    truth = [len(shingles(a) & shingles(b)) / len(shingles(a) | shingles(b)) for a, b in pairs]
    assert abs(np.mean(estimates - truth)) < 3 * np.sqrt(0.85 * 0.15 / 112 / len(pairs))


def test_one_shingle_by_hand():
    """The minima of a text of one word are its permuted hash: FNV-1a over the folded letters, then splitmix64."""
    mask = 2**64 - 1
    word = ((0xCBF29CE484222325 ^ ord("a")) * 0x100000001B3) & mask
    value = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & mask
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & mask
    shingle = (value ^ (value >> 31)) >> 32
    multipliers, offsets = permutations(8)
    expected = [(shingle * int(a) + int(b)) % 2**32 for a, b in zip(multipliers, offsets, strict=True)]
    signatures, num_words = signatures_of(pl.Series(["A!"]), 5, 8)
    assert signatures[0].tolist() == expected
    assert num_words.tolist() == [1]


def test_the_first_draw_is_splitmix64_of_seed_zero():
    """0xE220A8397B1DCDAF is the published first output of splitmix64 seeded with 0."""
    multipliers, offsets = permutations(1)
    assert (int(multipliers[0]), int(offsets[0])) == (0xE220A839 | 1, 0x7B1DCDAF)


@pytest.mark.parametrize(
    "text, words",
    [
        ("one, two — three!", 3),
        ("naïve Ærøskøbing", 2),
        ("你好，世界。", 4),
        ("ｈｅｌｌｏ world", 2),
        ("使用Python写代码", 6),
        ("こんにちは", 5),
        ("สวัสดี", 6),
        ("안녕 하세요", 2),
        ("हिन्दी भाषा", 2),
        ("Привет, мир", 2),
        ("😀 🎉", 0),
        ("𠀀𠀁", 2),
        ("...", 0),
    ],
)
def test_words_follow_unicode(text, words):
    """Scripts without spaces count each character; marks belong to their word; symbols are none."""
    assert signatures_of(pl.Series([text]), 5, 8)[1].tolist() == [words]


@pytest.mark.parametrize(
    "one, other",
    [
        ("Hello, World", "hello world"),
        ("ÉCOLE", "école"),
        ("ПРИВЕТ", "привет"),
        ("１２３ＡＢ", "123ab"),
        ("ΑΒΓ", "αβγ"),
    ],
)
def test_case_width_and_punctuation_do_not_count(one, other):
    signatures, _ = signatures_of(pl.Series([one, other]), 5, 16)
    assert (signatures[0] == signatures[1]).all()


def test_texts_longer_than_a_block_see_every_shingle():
    """The same set of shingles in one block or in many gives the same signature."""
    words = [WORDS[place % 1000] for place in range(4000)]
    once, again = " ".join(words[:1004]), " ".join(words)
    signatures, num_words = signatures_of(pl.Series([once, again]), 5, 112)
    assert num_words.tolist() == [1004, 4000]
    assert (signatures[0] == signatures[1]).all()


def test_short_texts_are_one_shingle_and_empty_ones_resemble_nothing():
    assert drops(MinHashDedup(), ["thank you", "Thank you!", "", "", "...", "thank me"]) == {"a": "b"}


def test_the_longest_stays_or_the_first_id():
    text = " ".join(WORDS[:100])
    assert drops(MinHashDedup(), [text, text + "!!", text + "!"]) == {"a": "b", "c": "b"}
    assert drops(MinHashDedup(keep="first"), [text, text + "!!", text + "!"]) == {"b": "a", "c": "a"}


def test_the_best_by_a_column_stays():
    """Highest or lowest value of a column or of a number in meta; without a value never, and ties go by id."""
    text = " ".join(WORDS[:100])
    rows = {"id": ["a", "b", "c", "d"], "text": [text] * 4, "score": [1.5, None, 3.0, 3.0]}
    batch = pl.DataFrame(rows).with_columns(
        meta=pl.Series(['{"rank": 2}', '{"rank": -1}', "{}", '{"rank": "x"}']),
    )
    best = {}
    for keep, by in (("highest", "score"), ("lowest", "score"), ("highest", "meta.rank"), ("lowest", "meta.rank")):
        component = MinHashDedup(keep=keep, by=by)
        best[keep, by] = component.resolve(component.sketch(batch).lazy())["duplicate_of"].unique().to_list()
    assert best == {
        ("highest", "score"): ["c"],
        ("lowest", "score"): ["a"],
        ("highest", "meta.rank"): ["a"],
        ("lowest", "meta.rank"): ["b"],
    }


def test_the_best_by_a_signal_of_another_filter_stays():
    text = " ".join(WORDS[:100])
    batch = pl.DataFrame({"id": ["a", "b"], "text": [text, text + " and a few"]})
    for keep, kept in (("highest", "b"), ("lowest", "a")):
        component = MinHashDedup(keep=keep, by="num_words", measure=WordCount())
        assert component.resolve(component.sketch(batch).lazy())["duplicate_of"].to_list() == [kept]


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"keep": "highest"}, "keep: highest needs `by`"),
        ({"by": "score"}, "`by` and `measure` are read with keep: highest or lowest only, not with longest"),
        ({"keep": "lowest", "by": "x", "measure": WordCount()}, "has no signal 'x'; it has num_words"),
    ],
)
def test_settings_that_choose_by_nothing_are_refused(settings, said):
    with pytest.raises(ValueError, match=r"`by`|no signal") as error:
        MinHashDedup(**settings)
    assert said in str(error.value)


def test_a_column_that_is_not_there_is_named_with_what_there_is():
    batch = pl.DataFrame({"id": ["a"], "text": ["b"], "meta": ["{}"], "label": ["x"]})
    with pytest.raises(DataError, match="the corpus has no column 'score'") as error:
        MinHashDedup(keep="highest", by="score").sketch(batch)
    assert error.value.expected == "one of meta, label, or meta.KEY"
    with pytest.raises(DataError, match="'label' is String, which has no highest"):
        MinHashDedup(keep="highest", by="label").sketch(batch)


def test_a_chain_of_alike_documents_is_one_group_in_any_order():
    """Each is like the next, the ends are not alike: all are connected, whatever the order of documents."""
    chain = []
    words = [WORDS[place] for place in range(400)]
    for step in range(6):
        words[step * 60 : step * 60 + 12] = [f"x{step}{place}" for place in range(12)]
        chain.append(" ".join(words))
    component = MinHashDedup(keep="first")
    for seed in range(4):
        order = random.Random(seed).sample(range(6), 6)
        batch = pl.DataFrame({"id": [f"{place}" for place in order], "text": [chain[place] for place in order]})
        found = component.resolve(component.sketch(batch).lazy())
        assert found["duplicate_of"].to_list() == ["0"] * 5


def test_a_bucket_of_many_copies_is_linear_and_keeps_one():
    component = MinHashDedup()
    text = " ".join(WORDS[:60])
    batch = pl.DataFrame({"id": [f"{place:05}" for place in range(20_000)], "text": [text] * 20_000})
    assert len(component.resolve(component.sketch(batch).lazy())) == 19_999


def test_shuffled_shards_give_the_same_frame():
    pairs = known_pairs(WORDS, 40, seed=5)
    batch = frame_of(pairs[7] + pairs[8] + pairs[9], " ")
    component = MinHashDedup(keep="first")
    shards = [component.sketch(batch[start : start + 50]) for start in range(0, len(batch), 50)]
    random.Random(1).shuffle(shards)
    expected = component.resolve(component.sketch(batch).lazy())
    assert component.resolve(pl.concat(shards).lazy()).equals(expected)
    assert component.resolve(component.sketch(batch.reverse()).lazy()).equals(expected)


def test_an_empty_corpus_drops_nothing():
    assert drops(MinHashDedup(), []) == {}


def test_bands_find_pairs_at_the_threshold():
    """With the bands chosen, 99 pairs in 100 at the threshold share a bucket, and with one row more they would not."""
    for threshold in (0.5, 0.7, 0.8, 0.9):
        bands, rows = MinHashDedup(threshold=threshold).bands_and_rows()
        assert (1 - threshold**rows) ** bands <= 0.01 < (1 - threshold ** (rows + 1)) ** (112 // (rows + 1))
    assert MinHashDedup(rows=8).bands_and_rows() == (14, 8)


def test_arrow_slices_are_read_at_their_place():
    texts = pl.Series(["x" * 50, "文本", None, "tail"])[1:]
    offsets, content = text_buffers(texts)
    pieces = [bytes(content[start:end]).decode() for start, end in itertools.pairwise(offsets)]
    assert pieces == ["文本", "", "tail"]


def test_every_letter_of_the_basic_plane_is_in_a_word():
    """A code point that Unicode calls a letter or a decimal digit parts no words (the reverse holds for white space)."""
    import unicodedata

    points = [point for point in range(0x10000) if not 0xD800 <= point < 0xF900]
    letters = [point for point in points if unicodedata.category(chr(point)) in {"Lu", "Ll", "Lt", "Lo", "Nd"}]
    spaces = [point for point in points if unicodedata.category(chr(point)) in {"Zs", "Zl", "Zp", "Cc"}]
    assert [hex(point) for point in letters if CLASSES[point] == 0] == []
    assert [hex(point) for point in spaces if CLASSES[point] != 0] == []


def test_a_band_has_no_more_minima_than_a_signature():
    """Behind a signature lies other memory."""
    with pytest.raises(ValidationError, match="at most num_permutations, which is 8"):
        MinHashDedup(num_permutations=8, rows=9)
    assert MinHashDedup(num_permutations=8, rows=8).bands_and_rows() == (1, 8)
