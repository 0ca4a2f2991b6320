"""A JSON array is cut into the items that stand in it, wherever the pieces end."""

import json

import pytest
from workbench_plugins.sources import json_array
from workbench_plugins.sources.json_array import _Cutter, is_array, read_items

from workbench.files.bad_record import BadRecord

ITEMS = [{"text": 'a "quoted" [b], {c}, \\'}, {"text": "中文", "x": [1, [2, {"y": "]"}]]}, {}, {"text": "\\\\"}]
ARRAY = ("\n" + json.dumps(ITEMS, indent=1, ensure_ascii=False) + "\n").encode()


def cut(content, size=1 << 20):
    cutter = _Cutter("a.json")
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    return [item for piece in pieces for item in cutter.add(piece)] + list(cutter.finish())


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_items_are_those_of_a_parser(size):
    """With their numbers, and the byte behind the bracket or comma before them."""
    found = cut(ARRAY, size)
    assert [json.loads(item.content) for item in found] == ITEMS
    assert [item.number for item in found] == [1, 2, 3, 4]
    assert all(ARRAY[item.offset :].lstrip().startswith(item.content) for item in found)


@pytest.mark.parametrize("content", [b"[]", b" [ ] ", b"[\n]\n"])
def test_an_empty_array_holds_nothing(content):
    """And is whole."""
    assert cut(content) == []


@pytest.mark.parametrize(
    "content, reason, good",
    [
        (b'[{"a": 1}', "truncated-json", 0),
        (b'[{"a": 1}, {"a": 2', "truncated-json", 1),
        (b'[{"a": 1}, {"a": "2}]', "truncated-json", 1),
        (b'[{"a": 1}] [', "trailing-garbage", 1),
        (b'[{"a": 1}]x', "trailing-garbage", 1),
        (b'[{"a": 1}}', "truncated-json", 1),
    ],
)
def test_what_is_not_whole_is_damaged(content, reason, good):
    """Behind the good items."""
    *items, last = cut(content)
    assert (last.reason, last.fatal, len(items)) == (reason, True, good)


def test_a_long_item_costs_itself(monkeypatch):
    """It is passed over, never held."""
    monkeypatch.setattr(json_array, "MAX_ITEM_BYTES", 100)
    content = b'[{"a": 1}, {"a": "' + b"x" * 1000 + b'"}, {"a": 3}]'
    first, long, last = cut(content, 64)
    assert (long.reason, long.place, long.fatal) == ("item-too-long", "item 2 (byte 10)", False)
    assert (json.loads(first.content), json.loads(last.content), last.number) == ({"a": 1}, {"a": 3}, 3)


def test_deep_brackets_are_counted_and_not_followed():
    """100,000 of them are one item."""
    (item,) = cut(b"[" + b"[" * 100_000 + b"]" * 100_000 + b"]")
    assert len(item.content) == 200_000


def test_damaged_containers_come_behind_the_good_items(tmp_path):
    """A file that is neither array nor lines is told by its first sign."""
    import gzip

    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(ARRAY)[:-4])
    assert is_array(path)
    assert [item.reason for item in read_items(path, "a") if isinstance(item, BadRecord)] == ["truncated-gzip"]
    path.write_bytes(b'{"text": "[]"}\n')
    assert not is_array(path)
