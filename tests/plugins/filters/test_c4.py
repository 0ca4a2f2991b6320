"""C4's rules, against the same written out in plain Python over `str.split()` words."""

import re

import polars as pl
import pytest
from workbench_plugins.filters.c4 import C4, EDITS, C4LineFilter

from workbench.engine.corpus.signals import measure, members_of
from workbench.engine.corpus.verdicts import judge

CITATION = re.compile(r"\[\d*]|\[edit]|\[citation needed]")
POLICIES = ["terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies"]
SENTENCE = "This is a plain sentence of seven words. "
TEXTS = [
    SENTENCE * 5,
    f"  {SENTENCE}\n\n{SENTENCE * 4}\r\nno end here\nToo short.\nPlease enable JavaScript to read this page.\n",
    f"{SENTENCE * 6}\nWe use Cookies on this site, and more.\nRead our Privacy Policy before you go.\n",
    f"{SENTENCE * 6}\nLorem Ipsum dolor sit amet.\n",
    f"{SENTENCE * 6}\nfunction call() {{ return one; }} is code.\n",
    f"{SENTENCE * 6}\nThis line of words ends with dots...\n",
    f"{SENTENCE * 6}\nIt was founded in 1920.[12]\nThe sea is deep.[citation needed][3]\nAn end with a gap.[4] [5]\n",
    f"{SENTENCE * 6}\nmade of {'x' * 1001} long words.\nmade of {'x' * 1000} fitting words.\n",
    f"{SENTENCE * 6}\nShe said \"so it is.\"\nand he said 'never again'\n",
    "één zin met ümlaute.\u2028noch één zin! ok? ja dat is goed.\x0bBrackets [a1] are no citations. Nor is [ 1] one.",
    "One. Two. Three. Four. Five.",
    "1.5 is no end. e.g. is two? Yes!! It is... so.",
    "",
    " \n ",
]


def sentences(line):
    return [part for part in re.split(r"(?<=[.!?])\s+|(?<=[。！？])", line) if part.strip()]


def reference(text):
    """The loop of the original: the text that is left, or why there is none."""
    kept, number = [], 0
    for raw in text.splitlines():
        line = raw.strip()
        words = line.split()
        if any(len(word) > 1000 for word in words):
            continue
        line = CITATION.sub("", line)
        if not line.endswith((".", "?", "!", '"', "'")) or line.endswith("...") or len(words) < 3:
            continue
        if "lorem ipsum" in line.lower():
            return "lorem-ipsum"
        if "javascript" in line.lower():
            continue
        if "{" in line:
            return "curly-bracket"
        if any(policy in line.lower() for policy in POLICIES):
            continue
        number += len(sentences(line))
        kept.append(line)
    return "too-few-sentences" if number < 5 else kept


def reasons(text, **settings):
    members = members_of(C4(**settings))
    batch = pl.DataFrame({"id": ["a"], "text": [text]})
    return [mask.reason for mask in judge(members, measure(members, batch, "x").signals, "x") if mask.holds[0]]


@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_documents_and_lines_are_those_of_the_original(number):
    """The same documents go, for the same reason, and the same lines are left of the others."""
    batch = pl.DataFrame({"id": ["a"], "text": [TEXTS[number]]})
    wanted = reference(TEXTS[number])
    if isinstance(wanted, str):
        assert wanted in reasons(TEXTS[number], words="spaces")
    else:
        assert reasons(TEXTS[number], words="spaces") == []
        assert C4LineFilter(words="spaces").rewrite(batch).batch["text"][0] == "\n".join(wanted)


def test_every_line_taken_out_is_counted_once():
    """Blank lines are not counted, and citation marks are edits of lines that stay."""
    text = (
        f"{SENTENCE}\n\nno end\nToo short.\nEnable JavaScript now please.\nOur cookie policy is this.\nSo it was.[1]\n"
    )
    edits = C4LineFilter().rewrite(pl.DataFrame({"id": ["a"], "text": [text]})).edits.row(0, named=True)
    assert edits == dict.fromkeys(EDITS, 1) | {"long_word": 0}


def test_texts_of_a_batch_do_not_touch_each_other():
    """What is left of each text is what is left of it alone."""
    alone = [C4LineFilter().rewrite(pl.DataFrame({"id": ["a"], "text": [text]})).batch["text"][0] for text in TEXTS]
    together = C4LineFilter().rewrite(pl.DataFrame({"id": [str(n) for n in range(len(TEXTS))], "text": TEXTS}))
    assert together.batch["text"].to_list() == alone


def test_chinese_sentences_are_sentences():
    """`。` ends a sentence, characters are words, and a page of Chinese prose stays."""
    text = "今天的天气很好。我们去公园散步了！你也想来吗？晚上有雨。记得带伞。\n点击这里\n"
    assert reasons(text) == []
    assert reasons(text, words="spaces") == ["too-few-sentences"]
    left = C4LineFilter().rewrite(pl.DataFrame({"id": ["a"], "text": [text]})).batch["text"][0]
    assert left == text.splitlines()[0]
