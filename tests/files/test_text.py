import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from workbench.files.text import escape_bytes, safe_cell, safe_html, safe_line, safe_markup, safe_text

ACTING = "\x00\x07\x08\x1b\x7f\x9b\x9d\r\u200b\u200d\u200f\u2028\u202e\u2066\ufeff\ud800\udfff\U000e0041"


@pytest.mark.parametrize(
    "given_text, shown",
    [
        ("plain\n\ttext", "plain\n\ttext"),
        ("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"),
        ("a\u202eb\u2066c", "a<U+202E>b<U+2066>c"),
        ("zero\u200bwidth\ufeff", "zero<U+200B>width<U+FEFF>"),
        ("\ud800", "<U+D800>"),
        ("over\rwrite", "over\\rwrite"),
        ("\x9b31m", "\\x9b31m"),
        ("联系邮箱 é 👍🏽", "联系邮箱 é 👍🏽"),
    ],
)
def test_what_acts_or_hides_becomes_a_visible_escape(given_text, shown):
    """Controls are shown as \\x…, invisible and bidi characters as <U+…>; everything else stays."""
    assert safe_text(given_text) == shown


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from(ACTING))))
def test_nothing_that_acts_gets_through(text):
    """No character that acts is left, and what is left can be encoded."""
    shown = safe_text(text)
    assert not set(shown) & set(ACTING)
    shown.encode()
    assert "\n" not in safe_line(text)


@pytest.mark.parametrize("limit, shown", [(0, "…"), (1, "…"), (3, "ab…"), (4, "abcd"), (9, "abcd"), (None, "abcd")])
def test_a_limit_counts_characters_and_shows_the_cut(limit, shown):
    """At most `limit` characters come back (at least the sign that something was cut)."""
    assert safe_text("abcd", limit) == shown


def test_a_limit_holds_for_escapes_too():
    """Ten escapes of four characters do not make a line of forty."""
    assert safe_text("\x1b" * 10, 6) == "\\x1b\\…"


def test_html_is_text():
    """Neither an element nor an attribute can be left."""
    assert safe_html("""<img src=x onerror="a()">'&""") == "&lt;img src=x onerror=&quot;a()&quot;&gt;&#x27;&amp;"


def test_markup_is_text():
    """Rich shows the brackets and gives them no meaning."""
    assert Text.from_markup(safe_markup("[bold red]x[/] [link=http://a]y")).plain == "[bold red]x[/] [link=http://a]y"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "  =", "\n=", "＝", "|", "%"])
def test_a_cell_never_begins_a_formula(start):
    """A spreadsheet that reads the file back shows an apostrophe first."""
    row = io.StringIO()
    csv.writer(row).writerow([safe_cell(f"{start}cmd|'/C calc'!A0")])
    assert next(csv.reader(io.StringIO(row.getvalue())))[0][0] == "'"


def test_bytes_are_shown_on_one_line():
    """UTF-8 stays readable, the rest is escaped."""
    assert escape_bytes("é\x1b\n".encode() + b"\xff\xfe") == "é\\x1b\\n\\xff\\xfe"
