"""Unwanted text is found by labelled examples and by lists of words, whole words in scripts with spaces."""

import polars as pl
import pytest
from workbench_plugins.filters.adult import Adult
from workbench_plugins.filters.toxicity import Toxicity
from workbench_plugins.filters.word_lists import ListedWords, write_automaton

from workbench.api import EnvironmentProblem, StepError
from workbench.testing import small_corpus, trial
from workbench.testing.artifacts import small_component
from workbench.testing.trials import digest_of

RUDE = ["you are a stupid {} idiot", "你这个{}号笨蛋真讨厌"]
KIND = ["you are a lovely {} friend", "你这个{}号朋友真可爱"]


def listed(folder, entries, texts, shortest=1):
    (folder / "list.txt").write_text("\n".join(entries), "utf-8")
    write_automaton(folder, ["list.txt"], folder / "automaton", shortest)
    return ListedWords(folder / "automaton").compute(pl.DataFrame({"text": texts}))


@pytest.mark.parametrize(
    "entry, text, expected",
    [
        ("darn", "Darn it, DARN! darned undarn", 2),
        ("darn", "ｄａｒｎ da\u200brn 中darn文 darn_ 7darn", 4),
        ("two birds", "two\n  birds, two-birds", 1),
        ("笨蛋", "你这个笨蛋，大笨蛋们", 2),
        ("13点", "他是13点。213点了", 1),
        ("\U0001f595", "\U0001f595\U0001f595", 2),
        ("Ärger", "ärger ÄRGERLICH", 1),
        ("f*ck", "F*CK f*cker", 1),
        ("дурак", "Дурак!", 1),
        ("ばか", "おまえはばかだ", 1),
    ],
)
def test_entries_stand_as_words_or_anywhere(tmp_path, entry, text, expected):
    """By hand: case and width do not count, neighbours do where a script has spaces."""
    assert listed(tmp_path, [entry], [text])["listed_words"].to_list() == [expected]


def test_shares_first_entries_and_overlaps(tmp_path):
    """Of entries that overlap the first counts, of those that start together the longest."""
    texts = ["a b c", "x a b c", "ab 一二三四五", "", "c, b c"]
    found = listed(tmp_path, ["a b", "a b c", "b c", "一二", "二三四", "# no entry", ""], texts)
    assert found["listed_words"].to_list() == [1, 1, 1, 0, 1]
    assert found["listed_first"].to_list() == ["a b c", "a b c", "一二", None, "b c"]
    assert found["listed_share"].to_list() == [1.0, 0.75, pytest.approx(2 / 6), 0.0, pytest.approx(2 / 3)]


def test_short_entries_without_spaces_can_be_left_out(tmp_path):
    assert listed(tmp_path, ["性", "笨蛋", "x"], ["性能", "笨蛋", "x"], shortest=2)["listed_words"].to_list() == [
        0,
        1,
        1,
    ]


def test_many_entries_are_found_as_python_finds_them(tmp_path):
    """Against a search by hand over random strings of three Chinese characters, where entries overlap a lot."""
    import random

    chance = random.Random(3)
    entries = sorted({"".join(chance.choices("一二三", k=chance.randint(1, 5))) for _ in range(40)})
    texts = ["".join(chance.choices("一二三四", k=60)) for _ in range(200)]
    expected = []
    for text in texts:
        place, number = 0, 0
        while place < len(text):
            longest = max((len(entry) for entry in entries if text.startswith(entry, place)), default=0)
            number += longest > 0
            place += max(1, longest)
        expected.append(number)
    assert listed(tmp_path, entries, texts)["listed_words"].to_list() == expected


def run(folder, component, documents, labelled=None, workers=1):
    inputs = {"corpus": small_corpus(folder / "corpus", documents)}
    if labelled is not None:
        inputs["data"] = small_corpus(
            folder / "data", [text for text, _ in labelled], label=[one for _, one in labelled]
        )
    (folder / "run").mkdir(parents=True)
    (folder / "run" / "words.txt").write_text("darn\n笨蛋\n蛋\n", "utf-8")
    return trial(component, inputs, folder / "run", workers=workers)


def labelled(number=80):
    pairs = [
        (pattern.format(n), label) for n in range(number) for pattern, label in ((RUDE[n % 2], 1), (KIND[n % 2], 0))
    ]
    return [*pairs, ("no label", None)]


def test_labels_and_lists_together(tmp_path):
    component = Toxicity(positive=("1",), lists=("words.txt",), bucket_bits=16, max_score=0.7)
    documents = ["you are a stupid 900 idiot", "a lovely 901 friend", "darn", "你这个902号朋友真可爱", "讨厌的笨蛋"]
    result = run(tmp_path, component, documents, labelled())
    assert result.scan().collect()["text"].to_list() == [documents[1], documents[3]]
    reasons = dict(result.rejects().select("text", "reasons").collect().iter_rows())
    assert reasons[documents[0]] == '["toxicity: toxic"]'
    assert reasons["darn"] == '["toxicity: toxic-words"]'
    assert reasons["讨厌的笨蛋"] == '["toxicity: toxic", "toxicity: toxic-words"]'
    again = run(tmp_path / "two", component, documents, labelled(), workers=2)
    assert digest_of(again.path) == digest_of(result.path)


def test_lists_alone_leave_the_score_open(tmp_path):
    result = run(tmp_path, Adult(lists=("words.txt",)), ["darn", "fine", "蛋糕"])
    assert result.scan().collect()["text"].to_list() == ["fine", "蛋糕"]
    signals = pl.read_parquet(sorted((tmp_path / "run" / "signals" / "signals").glob("*.parquet")))
    assert signals["adult.score"].to_list() == [None] * 3
    assert signals["adult.listed_words"].to_list() == [1, 0, 0]


def test_lists_work_within_a_chain(tmp_path):
    """A filter whose further inputs may be left out stands in a chain, after what rewrites."""
    chain = small_component(
        "filter/chain",
        filters=[
            {"use": "filter/unicode"},
            {"use": "filter/adult", "with": {"lists": ["words.txt"]}},
            {"use": "filter/toxicity", "with": {"lists": ["words.txt"], "max_listed_words": 1}},
        ],
    )
    result = run(tmp_path, chain, ["darn", "fine", "darn darn"], workers=2)
    assert result.scan().collect()["text"].to_list() == ["fine"]
    assert result.rejects().select("filter").collect()["filter"].to_list() == ["adult", "adult"]
    assert set(chain.digests(tmp_path / "run", lambda path: path.name)) == {"1/words.txt", "2/words.txt"}


@pytest.mark.parametrize(
    "settings, data, error, message",
    [
        ({}, None, StepError, "nothing to tell unwanted documents by"),
        ({"positive": ("x",)}, labelled(), StepError, "no document is labelled 'x'"),
        ({}, labelled(), StepError, "no label is named"),
        ({"label": "mood", "positive": ("1",)}, labelled(), StepError, "no column 'mood'"),
        ({"lists": ("nowhere.txt",)}, None, EnvironmentProblem, "nothing at 'nowhere.txt'"),
    ],
)
def test_what_is_missing_is_named(tmp_path, settings, data, error, message):
    with pytest.raises(error, match=message):
        run(tmp_path, Toxicity(**settings), ["a"], data)


@pytest.mark.parametrize(
    "content, message",
    [(b"fine\n\xff\n", "list.txt, line 2"), (b"# nothing\n\n", "no entry"), (b"\xe2\x80\x8b\n", "nothing to look for")],
)
def test_bad_lists_are_refused_with_their_place(tmp_path, content, message):
    (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(StepError, match=message):
        write_automaton(tmp_path, ["list.txt"], tmp_path / "automaton")


def test_a_classifier_of_other_classes_is_refused(tmp_path):
    run(tmp_path / "one", Toxicity(positive=("1",), bucket_bits=12), ["a"], labelled())
    learned = str(tmp_path / "one" / "run" / "signals" / "learned")
    assert run(tmp_path / "two", Toxicity(classifier=learned), ["a lovely friend"]).num_rows == 1
    with pytest.raises(StepError, match="tells toxic from other"):
        run(tmp_path / "three", Adult(classifier=learned), ["a"])
