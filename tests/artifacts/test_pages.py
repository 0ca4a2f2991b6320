"""Pages: what is shown and how, one file, the same bytes."""

import re

import polars as pl

from workbench.artifacts.pages import Page, shown

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"></svg>'


def full_page() -> str:
    table = pl.DataFrame({"label": ["a", "体育"], "n": [1200, None], "text": ["x" * 80, "two\nlines"]})
    page = Page("Title", "Lead").section("One").heading("Part").text("Words").table("Numbers", table)
    page.section("Two").picture(SVG, alt="a bar", caption="Bars").quote("rest", source="file:1", given="start ")
    return page.points(["point"]).notes(["note"]).render()


def test_one_file_that_loads_nothing():
    """No scripts, no addresses outside the file, and a policy that forbids both."""
    page = full_page()
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="([^"#][^"]{0,24})', page) == ["data:image/svg+xml;base64"]
    assert "default-src 'none'" in page
    assert "url(" not in page


def test_the_same_content_gives_the_same_bytes():
    """Nothing on a page depends on the time or the process."""
    assert full_page() == full_page()


def test_a_page_can_be_read_by_a_machine_that_reads_aloud():
    """Language, one h1, headings in order, captions, header cells with a scope, words for pictures."""
    page = full_page()
    assert '<html lang="en">' in page
    assert [int(level) for level in re.findall(r"<h(\d)", page)] == [1, 2, 3, 2]
    assert page.count("<table>") == page.count("<caption>") == 1
    assert '<th scope="col"' in page
    assert '<th scope="row"' in page
    assert 'alt="a bar"' in page


def test_numbers_stand_to_the_right_and_long_text_gets_room():
    """The style of a column follows from what is in it; what is missing is a dash."""
    page = full_page()
    assert '<td class="number">1,200</td>' in page
    assert '<td class="number">–</td>' in page
    assert '<td class="long">two\nlines</td>' in page


def test_cells_as_text():
    """Whole numbers in groups, others with four digits, the rest as safe text."""
    cells = [7, 1234567, 0.5, 12345.678, 3e-7, float("nan"), True, "\x07"]
    assert [shown(cell) for cell in cells] == ["7", "1,234,567", "0.5", "12,346", "3e-07", "–", "yes", "\\x07"]
