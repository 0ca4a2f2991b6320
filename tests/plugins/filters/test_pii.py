"""Personal data is found whole or not at all, in English and Chinese, and nothing else is touched.

`pii_positive.txt` marks personal data as ⟦entity:value⟧; `pii_negative.txt` only looks as if it had some. Both were
written for this repository: no person, address or number in them is real. Cards are the published test numbers of the
card networks, identity numbers were made with the weights of GB 11643-1999.
"""

import re
import time
from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError
from workbench_plugins.filters.pii import Pii
from workbench_plugins.filters.pii_accounts import has_mod_97
from workbench_plugins.filters.pii_entities import DEFAULT, MAY_HOLD, PRIORITY, pattern_of
from workbench_plugins.filters.pii_numbers import has_luhn_digit, is_cn_id
from workbench_plugins.filters.pii_spans import Span, without_overlaps

from workbench.api import EnvironmentProblem

HERE = Path(__file__).parent
MARK = re.compile("⟦(\\w+):(.*?)⟧")
ENTITIES = ("email", "phone", "ip", "card", "cn_id")
FIVE = Pii(entities=ENTITIES)


def marked(line):
    """Return the text of a line without its marks, and the spans that they marked."""
    text, spans, place = "", [], 0
    for mark in MARK.finditer(line):
        text += line[place : mark.start()]
        spans.append(Span(len(text), len(text) + len(mark[2]), mark[1]))
        text += mark[2]
        place = mark.end()
    return text + line[place:], spans


GOLD = [marked(line) for line in (HERE / "pii_positive.txt").read_text("utf-8").splitlines()]
PLAIN = (HERE / "pii_negative.txt").read_text("utf-8").splitlines()


def rewrite(texts, **options):
    batch = pl.DataFrame({"id": [str(place) for place in range(len(texts))], "text": texts})
    return Pii(**options).rewrite(batch)


def test_recall_and_precision_by_span():
    """At least 100 spans and 60 hard negatives; for each entity recall ≥ .98 and precision ≥ .95, exact spans."""
    assert sum(len(spans) for _, spans in GOLD) >= 100
    assert len(PLAIN) >= 60
    found = {(text, span) for text in [*(text for text, _ in GOLD), *PLAIN] for span in FIVE.find(text)}
    expected = {(text, span) for text, spans in GOLD for span in spans}
    for entity in ENTITIES:
        ours = {item for item in found if item[1].entity == entity}
        true = {item for item in expected if item[1].entity == entity}
        assert len(ours & true) / len(true) >= 0.98, (entity, true - ours)
        assert len(ours & true) / len(ours) >= 0.95, (entity, ours - true)


def test_no_part_of_an_entity_leaks():
    """No span found covers an entity only in part."""
    for text, spans in GOLD:
        for span in Pii().find(text):
            overlapping = [gold for gold in spans if gold.start < span.end and span.start < gold.end]
            assert all(span.start <= gold.start and gold.end <= span.end for gold in overlapping), text


def test_the_batch_finds_what_the_document_holds():
    """The vectorised patterns that choose documents miss none: a batch counts what `find` finds."""
    texts = [text for text, _ in GOLD] + PLAIN
    edits = rewrite(texts, entities=ENTITIES).edits
    assert set(edits.dtypes) == {pl.UInt32}
    for text, row in zip(texts, edits.iter_rows(named=True), strict=True):
        spans = FIVE.find(text)
        assert row == {entity: sum(span.entity == entity for span in spans) for entity in ENTITIES}, text


def test_tag_mask_and_drop():
    text = "邮箱zhang.wei@example.com，手机138-1234-5678。"
    assert rewrite([text]).batch["text"][0] == "邮箱<EMAIL>，手机<PHONE>。"
    assert rewrite([text], action="mask").batch["text"][0] == "邮箱*****.***@*******.***，手机***-****-****。"
    dropped = rewrite([text], action="drop")
    assert dropped.batch["text"][0] == "邮箱<EMAIL>，手机<PHONE>。"
    rules = Pii(action="drop").rules()
    assert [reason for reason, rule in rules.items() if dropped.edits.select(rule).item()] == [
        "contains-email",
        "contains-phone",
    ]
    assert Pii().rules() == {}
    assert Pii(action="drop").measures
    assert not Pii().measures


def test_hash_is_keyed_and_equal_values_stay_equal(monkeypatch):
    texts = ["a Jane@Example.com", "b jane@example.com", "c ｊａｎｅ＠ｅｘａｍｐｌｅ．ｃｏｍ", "d joan@example.com"]
    options = {"action": "hash", "salt": "${env:PII_KEY}", "entities": ["email"]}
    monkeypatch.setenv("PII_KEY", "one")
    tokens = [text[2:] for text in rewrite(texts, **options).batch["text"]]
    assert re.fullmatch("<EMAIL:[0-9a-f]{16}>", tokens[0])
    assert tokens[0] == tokens[1] == tokens[2] != tokens[3]
    digest = Pii(**options).digests(None, None)
    monkeypatch.setenv("PII_KEY", "two")
    assert rewrite(texts, **options).batch["text"][0][2:] != tokens[0]
    assert Pii(**options).digests(None, None) != digest
    assert "one" not in str(digest)


def test_the_key_never_stands_in_the_settings(monkeypatch):
    """A literal key is refused, a missing one named before anything runs."""
    with pytest.raises(ValidationError, match="env:NAME"):
        Pii(action="hash", salt="secret")
    with pytest.raises(ValidationError, match="needs salt"):
        Pii(action="hash")
    monkeypatch.delenv("PII_KEY", raising=False)
    with pytest.raises(EnvironmentProblem, match="PII_KEY"):
        Pii(action="hash", salt="${env:PII_KEY}").digests(None, None)


def test_only_the_chosen_entities_are_touched():
    result = rewrite(["a@b.io 8.8.8.8"], entities=["ip"])
    assert result.batch["text"][0] == "a@b.io <IP>"
    assert result.edits.columns == ["ip"]


def test_private_addresses_and_full_width_are_options():
    assert rewrite(["at 192.168.0.1 and fd00::1"], private_ips=True).batch["text"][0] == "at <IP> and <IP>"
    assert rewrite(["手机１３８１２３４５６７８"], full_width=False).edits["phone"][0] == 0


def test_regions_decide_which_national_numbers_are_read():
    assert Pii(regions=("FR",)).find("au 01 42 68 53 00 merci") == [Span(3, 17, "phone")]
    assert Pii(regions=("US",)).find("au 01 42 68 53 00 merci") == []


def test_null_and_empty_texts_pass():
    result = rewrite([None, "", "x"])
    assert result.batch["text"].to_list() == [None, "", "x"]
    assert result.edits.sum().row(0) == (0,) * len(DEFAULT)


def test_overlapping_spans_become_one_named_after_the_longest():
    spans = [Span(3, 9, "phone"), Span(0, 5, "ip"), Span(9, 12, "ip"), Span(20, 24, "ip"), Span(20, 24, "card")]
    merged = without_overlaps(spans, {"card": 0, "ip": 1, "phone": 2})
    assert merged == [Span(0, 9, "phone"), Span(9, 12, "ip"), Span(20, 24, "card")]


@pytest.mark.parametrize("number", ["79927398713", "4111111111111111", "378282246310005"])
def test_luhn_sees_every_single_wrong_digit(number):
    """79927398713 is the example of the standard; Luhn finds every single-digit error."""
    assert has_luhn_digit(number)
    for place, digit in enumerate(number):
        wrong = number[:place] + str((int(digit) + 1) % 10) + number[place + 1 :]
        assert not has_luhn_digit(wrong)


def test_the_identity_number_of_the_standard():
    """GB 11643-1999 prints 11010519491231002X; another check character or a date that never was is refused."""
    assert is_cn_id("11010519491231002X")
    assert sum(is_cn_id("11010519491231002" + check) for check in "0123456789X") == 1
    assert not any(is_cn_id("11010519490230002" + check) for check in "0123456789X")


def test_a_long_line_is_found_at_both_ends():
    text = "a@example.com " + "文字" * 1_000_000 + " 8.8.8.8"
    assert [span.entity for span in Pii().find(text)] == ["email", "ip"]


UNITS = ["a", "a@", "@a.", "a.", "1", "1 ", "1-", "1.", "1.1.", "(", "1 (", " 1(2)", "+1", "00", "f:", "::", "tel 1", "139 1234 ", "4111 1111 ", "１", "call "]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_time_is_linear(unit):
    """Four times the text takes less than ten times as long, and no unit costs more than 30 µs a character."""

    def seconds(length):
        start = time.process_time()
        rewrite([(unit * length)[:length]])
        return time.process_time() - start

    seconds(100)
    short, long = seconds(8_000), seconds(32_000)
    assert long < 10 * short + 0.05
    assert long < 32_000 * 30e-6


def test_every_entity_has_a_pattern_that_chooses_documents():
    assert set(MAY_HOLD) == set(PRIORITY) > set(DEFAULT)
    assert all(pl.Series([""]).str.contains(pattern_of(entity)).to_list() == [False] for entity in MAY_HOLD)


@pytest.mark.parametrize("wide", ["ＤＥ８９３７０４００４４０５３２０１３０００", "GB82 WEST 1234 5698 7654 32"])
def test_the_pseudonym_of_an_account_proves_itself(wide):
    """Full-width ones too."""
    frame = pl.DataFrame({"id": ["a"], "text": [f"账号{wide} 谢谢"]})
    written = Pii(action="pseudonym").rewrite(frame).batch["text"][0]
    account = written.removeprefix("账号").removesuffix(" 谢谢")
    assert account != wide
    assert has_mod_97(account)


@pytest.mark.parametrize("length", [64, 65, 200])
def test_nothing_stays_of_a_local_part_that_is_too_long(length):
    """No mail arrives there, but a name may stand in it."""
    frame = pl.DataFrame({"id": ["a"], "text": [f"邮箱{'zhang.wei-' * 20}"[: length + 2] + "@example.com。"]})
    assert Pii().rewrite(frame).batch["text"].to_list() == ["邮箱<EMAIL>。"]
