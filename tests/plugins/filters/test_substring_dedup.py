"""Passages that stand word for word elsewhere are cut out: all of them, in English and Chinese, as a suffix array says."""

import random

import polars as pl
import pytest
from workbench_plugins.filters import spans
from workbench_plugins.filters.substring_dedup import SubstringDedup

from workbench.engine.corpus.cutting import cut_spans
from workbench.testing import small_corpus, trial
from workbench.testing.trials import digest_of

ENGLISH = [f"{head}{tail}" for head in ("ba", "de", "gi", "ko") for tail in range(500)]
CHINESE = [chr(point) for point in range(0x4E00, 0x4E00 + 2500)]


def frame(texts):
    ids = [f"{number:04}" for number in range(len(texts))]
    return pl.DataFrame({"id": ids, "text": texts}, schema={"id": pl.String, "text": pl.String})


def cut(component, texts):
    batch = frame(texts)
    found = component.resolve(component.sketch(batch).lazy())
    return cut_spans(batch, found)[0]["text"].to_list()


def by_suffix_array(documents, size):
    """Return the words that are left: repeats are neighbours in the sorted suffixes that share `size` words or more."""
    places = [(row, place) for row, words in enumerate(documents) for place in range(len(words) - size + 1)]
    places.sort(key=lambda at: documents[at[0]][at[1] :])
    left = [list(words) for words in documents]
    start = 0
    for number in range(1, len(places) + 1):
        heads = [documents[row][place : place + size] for row, place in places[number - 1 : number + 1]]
        if len(heads) == 2 and heads[0] == heads[1]:
            continue
        first, *others = sorted(places[start:number])
        for row, place in others:
            if row != first[0] or place >= first[1] + size:
                left[row][place : place + size] = [None] * size
        start = number
    return [[word for word in words if word is not None] for words in left]


@pytest.mark.parametrize("vocabulary", [["one", "two", "三", "é"], ENGLISH[:30], CHINESE[:5]])
@pytest.mark.parametrize("size", [2, 5, 12])
def test_the_answer_is_that_of_a_suffix_array(vocabulary, size, monkeypatch):
    """Random words from few, so that repeats overlap in every way; also when hashes are read in many ranges."""
    monkeypatch.setattr(spans, "PART_ROWS", 97)
    chance = random.Random(size)
    documents = [chance.choices(vocabulary, k=chance.randrange(60)) for _ in range(30)]
    documents[7:7] = [documents[3][5:40] + documents[20], documents[20][:-1]]
    expected = by_suffix_array(documents, size)
    assert expected != documents
    left = cut(SubstringDedup(min_words=size), [" ".join(words) for words in documents])
    assert [text.split() for text in left] == expected


@pytest.mark.parametrize("vocabulary, joint", [(ENGLISH, " "), (CHINESE, "")])
def test_every_planted_repeat_of_50_words_is_found(vocabulary, joint):
    """50 words are cut exactly; 49 are left; at the start, in the middle and at the end."""
    chance = random.Random(4)
    texts, expected = [], []
    for number in range(40):
        passage = chance.choices(vocabulary, k=50 if number % 4 else 49)
        own = chance.choices(vocabulary, k=80)
        at = (0, 40, 80)[number % 3]
        texts += [joint.join(chance.choices(vocabulary, k=30) + passage), joint.join(own[:at] + passage + own[at:])]
        expected.append(own if number % 4 else own[:at] + passage + own[at:])
    left = cut(SubstringDedup(), texts)
    assert left[::2] == texts[::2]
    assert [text.replace(" ", "") for text in left[1::2]] == ["".join(words) for words in expected]


def test_punctuation_goes_with_the_passage_and_quotes_stay_with_what_follows():
    passage = "the quick brown fox, as they say, jumps over the lazy dog"
    left = cut(SubstringDedup(min_words=8), [passage, f"Before. {passage.upper()}! (After) it."])
    assert left == [passage, "Before. (After) it."]
    left = cut(SubstringDedup(min_words=8), ["春天来了，河水涨得很高。", "他说：春天来了河水涨得很高。“好”"])
    assert left[1] == "他说：“好”"


def test_one_copy_of_a_text_that_repeats_itself_stays_whole():
    assert cut(SubstringDedup(min_words=5), ["la " * 17]) == ["la " * 5]
    assert cut(SubstringDedup(min_words=5), ["la " * 9]) == ["la " * 9]


def test_the_order_of_shards_and_workers_does_not_matter(tmp_path):
    chance = random.Random(2)
    passages = [" ".join(chance.choices(ENGLISH, k=12)) for _ in range(20)]
    texts = ["; ".join(chance.choices(passages, k=3)) for _ in range(60)]
    component = SubstringDedup(min_words=10)
    sketches = [component.sketch(frame(texts)[start : start + 13]) for start in range(0, 60, 13)]
    assert component.resolve(pl.concat(sketches).lazy()).equals(component.resolve(pl.concat(sketches[::-1]).lazy()))
    corpus = small_corpus(tmp_path / "corpus", texts, num_shards=4)
    one, four = (trial(component, {"corpus": corpus}, tmp_path / str(n), workers=n) for n in (1, 4))
    assert digest_of(one.path) == digest_of(four.path)
    assert one.ledger.edited["substring-dedup"]["repeated-passage"] > 30
