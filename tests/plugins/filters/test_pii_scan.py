"""The compiled scan loses nothing: a batch, looked at line by line, is rewritten as its whole texts are.

`Pii.find` reads the whole text and knows nothing of the scan, so it is the reference here.
"""

import random
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from workbench_plugins.filters.pii import Pii
from workbench_plugins.filters.pii_actions import Replacer
from workbench_plugins.filters.pii_entities import DEFAULT
from workbench_plugins.filters.pii_marks import BITS, Marked
from workbench_plugins.filters.pii_scan_words import WORDS
from workbench_plugins.filters.pii_splice import splice

MARK = re.compile("⟦(\\w+):(.*?)⟧")
MARKED = "".join(
    (Path(__file__).parent / name).read_text("utf-8")
    for name in ("pii_positive.txt", "pii_negative.txt", "pii_languages.txt")
)
LINES = MARK.sub(lambda mark: mark[2], MARKED).splitlines()
VALUES = [mark[2] for mark in MARK.finditer(MARKED)] + [
    "2001:db8::1", "::1", "10.0.0.1", "aabb.ccdd.eeff", "1990年\n5月\n3日", "May 4, 1990", "https://bob:s3cretpw@host.example.com/", "@jane_doe",
]  # fmt: skip
BETWEEN = [
    "phone", "tel:", "Call ", "fax\n", "date of birth: ", "born ", "passport ", "护照", "电话", "SSN ", "社安号", "office", " ext. 12",
    "version ", "生日：", "Phone:\n", "\r\n", "\n", "\n\n", " ", "  ", "，", "。", "-", ".", "/", ":", "@", "(", "+", "=", "1", "00", "é", "한",
    "\u200b", "＠", "．", "１２３", "n", "_", "ſ", "\u212a",
]  # fmt: skip
WIDE = str.maketrans({chr(point): chr(point + 0xFEE0) for point in range(0x21, 0x7F)})
EVERY = (*DEFAULT, "handle")


def made_up(chance):
    """Return a text of values, lines, digits and what may announce or spoil them, some full-width, some with one sign changed."""
    pieces = []
    for _ in range(chance.randrange(1, 14)):
        digits = "".join(chance.choices("0123456789 -.()+/:", k=chance.randrange(3, 24)))
        piece = chance.choice([chance.choice(VALUES), chance.choice(LINES), digits, *chance.choices(BETWEEN, k=4)])
        if chance.random() < 0.08:
            piece = piece.translate(WIDE)
        if chance.random() < 0.1:
            place = chance.randrange(len(piece))
            piece = piece[:place] + chance.choice("0123456789 aé中\n-.:@") + piece[place + 1 :]
        pieces.append(piece)
    return "".join(pieces)


def whole(component, texts):
    """Return the texts as the spans of the whole texts have them rewritten."""
    replacer = Replacer(component.action_of, None, "test")
    return [replacer.replaced(str(place), text, component.find(text)) for place, text in enumerate(texts)]


def batch_of(texts):
    return pl.DataFrame({"id": [str(place) for place in range(len(texts))], "text": texts})


@pytest.mark.parametrize(
    "options",
    [
        {"entities": EVERY},
        {"entities": EVERY, "private_ips": True, "full_width": False},
        {"entities": ("email", "ip")},
        {"entities": ("ip",), "private_ips": True},
        {"entities": ("birth_date", "phone"), "action": "pseudonym"},
        {"entities": EVERY, "obfuscated": True},
        {"entities": EVERY, "countries": ("DE", "KR")},
    ],
)
def test_lines_give_what_whole_texts_give(options):
    """2,000 made-up texts and every line of the files of this folder are rewritten alike; pseudonyms count by document."""
    chance = random.Random(7)
    number = 300 if {"obfuscated", "countries"} & options.keys() else 2000
    texts = [*LINES, "\n".join(LINES), *(made_up(chance) for _ in range(number))]
    component = Pii(**options)
    assert component.rewrite(batch_of(texts)).batch["text"].to_list() == whole(component, texts)


def test_what_announces_a_number_may_stand_on_the_line_before():
    texts = ["call me:\n5551234567", "发布版本\n1.2.3.4", "生于1990年\n5月\n3日。\n再见"]
    rewritten = Pii().rewrite(batch_of(texts)).batch["text"].to_list()
    assert rewritten == ["call me:\n<PHONE>", "发布版本\n1.2.3.4", "生于<BIRTH_DATE>。\n再见"]


@pytest.mark.parametrize("address", ["a@b.co", "8.8.4.4", "8::", "２００１：ｄｂ８：：１"])
@pytest.mark.parametrize("before", range(12))
def test_an_address_is_seen_at_every_place(address, before):
    """Eight bytes are looked at together: whichever of them it begins at, and at both ends of a text."""
    component = Pii(entities=("email", "ip"), private_ips=True)
    for text in (address, "中" * before + address, "x " * before + f" {address} " + "x" * before, f"é {address}"):
        expected = whole(component, [text])
        assert expected != [text]
        assert component.rewrite(batch_of([text])).batch["text"].to_list() == expected


def test_only_marked_lines_are_read():
    """Of three lines the one with an address is, with the 64 characters before it; its entities are marked as bits."""
    plain = "x" * 80
    marked = Marked(pl.Series([None, f"{plain}\na@example.com\n{plain}", plain]), sum(BITS.values()), narrow=True)
    (stretch,) = marked.stretches()
    assert (stretch.row, stretch.text[stretch.first :], stretch.first) == (1, "a@example.com", 64)
    assert stretch.entities & BITS["email"]
    assert not stretch.entities & BITS["phone"]


def test_nulls_empty_texts_and_slices_stay_in_place():
    texts = [None, "", "a@example.com", None, "é 8.8.8.8 é", ""]
    batch = batch_of(["b@example.com", *texts, "c@example.com"])[1:-1]
    rewritten = Pii().rewrite(batch)
    assert rewritten.batch["text"].to_list() == [None, "", "<EMAIL>", None, "é <IP> é", ""]
    assert rewritten.edits["email"].to_list() == [0, 0, 1, 0, 0, 0]


def test_more_marks_than_expected():
    """Room is made where more lines are marked than one in 128 bytes."""
    text = "\n\n".join(["a@b.co"] * 5000)
    assert Pii().rewrite(batch_of([text])).batch["text"][0] == "\n\n".join(["<EMAIL>"] * 5000)


def test_splice_by_hand():
    content = np.frombuffer(b"..abcdef", dtype=np.uint8)
    offsets, places = np.array([2, 5, 5, 8]), np.array([[2, 4, 6], [3, 5, 8]])
    bounds, instead = np.array([0, 2, 2, 3]), np.frombuffer(b"XYZ", dtype=np.uint8)
    new_offsets, output = np.empty(4, dtype=np.int64), np.empty(5, dtype=np.uint8)
    splice(offsets, content, places, bounds, instead, new_offsets, output)
    assert bytes(output) == b"XYbdZ"
    assert new_offsets.tolist() == [0, 3, 3, 5]


def test_words_are_looked_for_in_small_letters():
    """A capital in a list would never be found, since text is folded first."""
    assert all(words == words.lower() for words in WORDS.values())
