"""What README.md shows is true."""

import re
from pathlib import Path

import pytest
import zstandard

from workbench.session import Session

README = Path(__file__).parents[1] / "README.md"


def block(language: str) -> str:
    """Return the one example in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    return found


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the data that the examples read."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.jsonl.zst").write_bytes(zstandard.compress(b'{"text": "one"}\n'))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_both_forms_are_one_pipeline(folder):
    """The YAML has no mistake, and the Python up to the first thing that runs makes the same steps."""
    session = Session(folder / "store")
    (folder / "tiny.yaml").write_text(block("yaml"), "utf-8")
    written = session.identify(session.read(folder / "tiny.yaml"))
    names: dict = {}
    exec(block("python").partition("clean.head()")[0], names)
    called = session.identify(names["p"].graph)
    assert sorted(one.fingerprint for one in called.values()) == sorted(one.fingerprint for one in written.values())


def test_what_it_points_to_is_there():
    """Every file, folder and notebook that is named exists, and every target of make."""
    text, root = README.read_text("utf-8"), README.parent
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    notebooks = re.findall(r"\d\d_\w+\.ipynb", text)
    folders = re.findall(r"^\| `(\w+/)`", text, re.MULTILINE)
    assert links
    assert sorted(notebooks) == sorted(f"{file.stem}.ipynb" for file in (root / "notebooks").glob("[0-9]*.py"))
    assert len(folders) > 4
    missing = [name for name in (*links, *folders) if not (root / name).exists()]
    missing += [name for name in notebooks if not (root / "notebooks" / name).with_suffix(".py").exists()]
    targets = re.findall(r"^make (\w+)", text, re.MULTILINE)
    makefile = (root / "Makefile").read_text("utf-8")
    assert [*missing, *(name for name in targets if f"\n{name}:" not in makefile)] == []
