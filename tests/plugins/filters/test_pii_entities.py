"""Fourteen entities in eight languages by span, what is written instead, and what hides."""

import re
import time
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError
from stdnum import iban, luhn
from stdnum.cn import ric
from workbench_plugins.filters.pii import Pii
from workbench_plugins.filters.pii_national import NUMBERS
from workbench_plugins.filters.pii_numbers import has_luhn_digit, is_cn_id

MARK = re.compile("⟦(\\w+?):(.*?)⟧")
ROWS = [line.split("\t") for line in (Path(__file__).parent / "pii_languages.txt").read_text("utf-8").splitlines()]
EVERYTHING = Pii(countries=tuple(NUMBERS))


def marked(line):
    """Return the text of a line without its marks, and the spans that they marked."""
    text, spans, place = "", set(), 0
    for mark in MARK.finditer(line):
        text += line[place : mark.start()]
        spans.add((len(text), len(text) + len(mark[2]), mark[1]))
        text += mark[2]
        place = mark.end()
    return text + line[place:], spans


def test_recall_and_precision_by_span_in_eight_languages():
    gold, exact, other, wrong = Counter(), Counter(), Counter(), []
    for _, line in ROWS:
        text, spans = marked(line)
        found = {tuple(span) for span in EVERYTHING.find(text)}
        for start, end, entity in spans | found:
            gold[entity] += (start, end, entity) in spans
            exact[entity] += (start, end, entity) in spans & found
            other[entity] += (start, end, entity) in found - spans
        wrong += [(text[start:end], entity) for start, end, entity in spans ^ found]
    assert len({language for language, _ in ROWS}) >= 8
    assert all(exact[entity] >= 0.98 * gold[entity] for entity in gold), wrong
    assert all(exact[entity] >= 0.95 * (exact[entity] + other[entity]) for entity in gold), wrong


def test_the_batch_finds_what_the_document_holds():
    texts = [marked(line)[0] for _, line in ROWS]
    edits = rewrite(texts, countries=tuple(NUMBERS)).edits
    for text, row in zip(texts, edits.iter_rows(named=True), strict=True):
        found = Counter(span.entity for span in EVERYTHING.find(text))
        assert {entity: number for entity, number in row.items() if number} == found, text


def rewrite(texts, **options):
    return Pii(**options).rewrite(pl.DataFrame({"id": [str(place) for place in range(len(texts))], "text": texts}))


@pytest.mark.parametrize(
    "text",
    ["ann [at] example dot com", "ann(at)example(dot)com", "ann at example dot com", "a\u200bnn@exam\u200bple.com"],
)
def test_hidden_addresses(text):
    assert rewrite([f"写信给{text}。"], obfuscated=True).batch["text"][0] == "写信给<EMAIL>。"


def test_hidden_telephones_and_plain_sentences():
    assert rewrite(["打1 3 8 1 2 3 4 5 6 7 8吧"], obfuscated=True).batch["text"][0] == "打<PHONE>吧"
    plain = ["we met at example.com", "look at this. Then go", "at 10 dot"]
    assert rewrite(plain, obfuscated=True).batch["text"].to_list() == plain


def test_pseudonyms_are_consistent_valid_and_not_the_value():
    text = "4111 1111 1111 1111, GB82WEST12345698765432, 11010519491231002X, a@b.io, a@b.io, c@d.io"
    component = Pii(action="pseudonym")
    result = rewrite([text, text], action="pseudonym").batch["text"].to_list()
    card, account, resident, first, second, third = result[0].split(", ")
    assert luhn.is_valid(card.replace(" ", ""))
    assert iban.is_valid(account, check_country=False)
    assert ric.is_valid(resident)
    assert first == second != third
    assert result[0] != result[1]
    assert [span.entity for span in component.find(result[0])] == ["card", "iban", "cn_id", "email", "email", "email"]
    assert not {"4111 1111 1111 1111", "a@b.io"} & set(result[0].split(", "))


def test_actions_by_entity_and_counts_by_language():
    batch = pl.DataFrame({"id": ["a", "b"], "text": ["a@b.io 8.8.8.8", "a@b.io"], "meta": ['{"language": "zh"}', None]})
    component = Pii(entities=["email", "ip"], actions={"ip": "mask"}, languages=["zh"])
    result = component.rewrite(batch)
    assert result.batch["text"].to_list() == ["<EMAIL> *.*.*.*", "<EMAIL>"]
    assert result.edits.sum().row(0, named=True) == {"email:zh": 1, "email:other": 1, "ip:zh": 1, "ip:other": 0}
    with pytest.raises(ValidationError, match="not looked for"):
        Pii(entities=["email"], actions={"ip": "tag"})
    with pytest.raises(ValidationError, match="needs countries"):
        Pii(entities=["national_id"])


def test_handles_are_people_and_not_code():
    found = Pii(entities=["handle"])
    assert [span.start for span in found.find("thanks @jane_doe and 谢谢@li_lei")] == [7, 23]
    assert found.find("@property @app.route a@b.io @scope/package x@example") == []


@pytest.mark.parametrize("number", ["4111111111111111", "79927398713", "11010519491231002X", "310104198506120027"])
def test_own_check_digits_agree_with_a_reference(number):
    """python-stdnum says the same of the number and of every neighbour of it."""
    for check in "0123456789X":
        candidate = number[:-1] + check
        if len(number) == 18:
            assert is_cn_id(candidate) == ric.is_valid(candidate)
        elif check != "X":
            assert has_luhn_digit(candidate) == luhn.is_valid(candidate)


UNITS = ["a1", "DE89 ", "GB82", "00:", "00-", "aabb.", "536-", "536 90 ", "passport ", "passport a1234567 ", "://a:", "://a:b@", "@a", "@ab ", "1A1z", "bc1q", "0x52", "born ", "born 1990-", "1990-01-01 ", "May 4, ", "生日1990年1月", "390.", "54362315K ", "RCCMNL", "2 95 10 ", " at ", "a at ", "a dot ", "(at)a(dot)", "1 3 8 ", "\u200b", "1\u200b"]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_time_is_linear(unit):
    """Four times the text takes less than ten times as long, and no unit costs more than 60 µs a character."""

    def seconds(length):
        start = time.process_time()
        rewrite([(unit * length)[:length]], countries=tuple(NUMBERS), obfuscated=True)
        return time.process_time() - start

    seconds(100)
    short, long = seconds(8_000), seconds(32_000)
    assert long < 10 * short + 0.05
    assert long < 32_000 * 60e-6
