"""Repeated lines, paragraphs and sentences are cut out of all documents but the first, in English and Chinese."""

import random
from collections import Counter

import polars as pl
import pytest
from workbench_plugins.filters import spans
from workbench_plugins.filters.line_dedup import LineDedup
from workbench_plugins.filters.paragraph_dedup import ParagraphDedup
from workbench_plugins.filters.sentence_dedup import SentenceDedup
from workbench_plugins.filters.spans import units_of

from workbench.engine.corpus.cutting import cut_spans
from workbench.testing import small_corpus, trial
from workbench.testing.trials import digest_of


def frame(texts):
    ids = [f"{number:04}" for number in range(len(texts))]
    return pl.DataFrame({"id": ids, "text": texts}, schema={"id": pl.String, "text": pl.String})


def cut(component, texts):
    batch = frame(texts)
    found = component.resolve(component.sketch(batch).lazy())
    return cut_spans(batch, found)[0]["text"].to_list()


def pieces(text, unit):
    found = units_of(pl.Series([text]), unit, loose=False)
    content = text.encode()
    return [content[start:end].decode() for start, end in found.select("start", "end").rows()]


def test_lines_end_as_unicode_ends_them():
    assert pieces("a\nb\r\nc\rd\u2028e\u2029f\x85\n", "line") == [
        "a\n", "b\r\n", "c\r", "d\u2028", "e\u2029", "f\x85", "\n"
    ]  # fmt: skip
    assert pieces("", "line") == []


def test_paragraphs_end_at_blank_lines():
    assert pieces("one\ntwo\n \t\n\nthree\u3000\n\u3000\n四", "paragraph") == [
        "one\ntwo\n \t\n\n", "three\u3000\n\u3000\n", "四"
    ]  # fmt: skip


def test_sentences_end_at_full_stops_of_both_kinds():
    text = '他说：“好！”然后走了。真的？Yes. It costs 3.14 (dollars?) "Right!" Done...\nTitle\nएक। दो'
    assert pieces(text, "sentence") == [
        "他说：“好！”", "然后走了。", "真的？", "Yes. ", "It costs 3.14 (dollars?) ", '"Right!" ', "Done...\n", "Title\n",
        "एक। ", "दो"
    ]  # fmt: skip


def test_units_are_the_whole_text_whatever_it_holds():
    chance = random.Random(5)
    for _ in range(300):
        text = "".join(chance.choices("ab. \n\r\u3000。！\u2029”)中😀\x85.", k=chance.randrange(25)))
        for unit in ("line", "paragraph", "sentence"):
            assert "".join(pieces(text, unit)) == text


def test_the_first_line_by_id_stays_and_short_ones_are_left_alone():
    texts = [
        "Read more about this!\nown line one\nYes.\n",
        "READ  more about THIS\nYes.\nown line two",
        "阅读更多，关于这件事情的报道\n其他的一行文字内容在这里",
    ]
    texts.append("这里有一行新的文字没有重复过\n阅读更多关于这件事情的报道。\n")
    assert cut(LineDedup(), texts) == [
        texts[0], "Yes.\nown line two", texts[2], "这里有一行新的文字没有重复过\n"
    ]  # fmt: skip
    assert cut(LineDedup(normalisation="white-space"), texts) == texts
    assert cut(LineDedup(min_characters=3), texts)[1] == "own line two"


def test_a_line_may_stand_a_stated_number_of_times():
    texts = ["a line that stands twice\n", "a line that stands twice\na line that stands thrice"] + [
        "a line that stands thrice\n"
    ] * 2
    assert cut(LineDedup(min_occurrences=3), texts) == [texts[0], texts[1], "", ""]
    assert cut(LineDedup(), texts) == [texts[0], texts[1].split("\n")[1], "", ""]


def test_a_repeat_within_a_document_is_cut_and_names_its_own_document():
    batch = frame(["one line of text here\nother text stands here\none line of text here\n"])
    found = LineDedup().resolve(LineDedup().sketch(batch).lazy())
    assert found.select("id", "start", "end", "duplicate_of", "reason").rows() == [
        ("0000", 45, 67, "0000", "repeated-line")
    ]


def test_paragraphs_and_runs_of_sentences():
    shared = "A paragraph of several words.\nIt has two lines.\n\n"
    assert cut(ParagraphDedup(), [shared + "one", "two\n\n" + shared, "It has two lines.\n\n" * 2]) == [
        shared + "one", "two\n\n", "It has two lines.\n\n" * 2
    ]  # fmt: skip
    run = "天气很好。我们去公园散步。大家都很高兴。"
    texts = [f"一句话。{run}再见。", f"另外的话。{run}后来下雨了。", "天气很好。我们去公园散步。"]
    assert cut(SentenceDedup(), texts) == [texts[0], "另外的话。后来下雨了。", texts[2]]
    assert cut(SentenceDedup(sentences=1, min_characters=3), texts)[2] == ""
    assert cut(SentenceDedup(min_characters=3), ["Ha ha. " * 7])[0] == "Ha ha. " * 3


def test_random_lines_against_the_plain_way(monkeypatch):
    """The same as one dictionary over all lines, also when the hashes are read in many ranges."""
    monkeypatch.setattr(spans, "PART_ROWS", 50)
    chance = random.Random(1)
    lines = [f"line number {chance.randrange(10**9)}, 第{chance.randrange(10**6)}行\n" for _ in range(80)]
    texts = ["".join(chance.choices(lines, k=chance.randrange(12))) for _ in range(60)]
    component = LineDedup(normalisation="white-space", min_occurrences=3)
    counts = Counter(line for text in texts for line in text.splitlines(keepends=True))
    seen, expected = set(), []
    for text in texts:
        kept = ""
        for line in text.splitlines(keepends=True):
            kept += line if line not in seen or counts[line] < 3 else ""
            seen.add(line)
        expected.append(kept)
    assert any(one != other for one, other in zip(texts, expected, strict=True))
    assert cut(component, texts) == expected


@pytest.mark.parametrize("component", [LineDedup(), ParagraphDedup(), SentenceDedup()])
def test_the_order_of_shards_does_not_matter(component):
    chance = random.Random(2)
    sentences = [f"sentence number {number} stands here. 这是第{number}个句子。" for number in range(30)]
    batch = frame(["\n\n".join(chance.choices(sentences, k=5)) for _ in range(100)])
    sketches = [component.sketch(batch[start : start + 30]) for start in range(0, 100, 30)]
    one = component.resolve(pl.concat(sketches).lazy()).sort("id", "start")
    other = component.resolve(pl.concat(sketches[::-1]).lazy()).sort("id", "start")
    assert len(one) > 50
    assert one.equals(other)


def test_a_step_rejects_what_is_left_too_short_and_balances(tmp_path):
    line = "the same notice in every document\n"
    texts = [line + "a document with more to say than that", line + "short", line, "春天来了，河水涨得很高。"]
    corpus = small_corpus(tmp_path / "corpus", texts)
    component = LineDedup(min_characters_left=10)
    result = trial(component, {"corpus": corpus}, tmp_path / "one")
    assert result.ledger.read == 4
    assert result.ledger.edited["line-dedup"]["repeated-line"] == 2
    assert sum(result.ledger.rejected.values()) + result.ledger.kept == 4
    assert set(result.ledger.rejected) <= {"nothing-left", "too-little-left"}
    assert "\n".join(result.scan().collect()["text"]).count("the same notice") == 1
    again = trial(component, {"corpus": corpus}, tmp_path / "four", workers=4)
    assert digest_of(result.path) == digest_of(again.path)
