import base64
import hashlib
import json
import sys

import polars as pl
import pytest
from workbench_plugins.sources import distributions
from workbench_plugins.sources.installed_docs import InstalledDocs

from workbench.errors import EnvironmentProblem
from workbench.testing.trials import digest_of, trial

MODULE = '''"""Module documentation, long enough."""
raise SystemExit("a module that must not be imported")
class Shape:
    """Class documentation, long enough."""
    def area(self):
        """Method documentation, long enough."""
        def inner():
            """Inner documentation, which nobody can reach."""
    def short(self):
        """Short."""
if True:
    async def later():
        """Documentation under a condition."""
'''
FILES = {
    "pack/__init__.py": MODULE,
    "pack/bad.py": '"""Documentation of what is no Python, alas."""\ndef (:\n',
    "pack/guide.md": "A guide to shapes, long enough.",
    "pack/data.csv": "1,2,3",
    "pack-1.0.dist-info/METADATA": "Name: pack\nVersion: 1.0\n\nThe readme of pack, long enough.\n",
    "pack-1.0.dist-info/licenses/LICENSE": "Permission is hereby granted.",
    "pack-1.0.dist-info/entry_points.txt": "[console_scripts] and more text",
}
SETTINGS = {"packages": ("pack",), "stdlib": False, "min_characters": 15}


def install(site, files, **changed):
    record = []
    for name, content in files.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(changed.get(name, content))
        digest = base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).decode().rstrip("=")
        record.append(f"{name},sha256={digest},{len(content)}")
    script = f"../../bin/pack.py,sha256={base64.urlsafe_b64encode(site.name.encode()).decode().rstrip('=')},99"
    record += ["pack-1.0.dist-info/RECORD,,", script, "pack/__pycache__/a.pyc,,"]
    (site / "pack-1.0.dist-info/RECORD").write_text("\n".join(record))


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder of installed packages with one in it."""
    folder = tmp_path / "site"
    install(folder, FILES)
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    return folder


def test_every_kind_of_documentation_is_found(site, tmp_path):
    """With package, version, kind and qualified name; nothing is imported, what is no Python is quarantined."""
    corpus = trial(InstalledDocs(**SETTINGS), {}, tmp_path)
    rows = corpus.scan().collect().to_dicts()
    found = {(json.loads(row["meta"])["kind"], json.loads(row["meta"])["name"]): row for row in rows}
    assert {key: row["source"] for key, row in found.items()} == {
        ("docstring", "pack"): "pack/__init__.py:1",
        ("docstring", "pack.Shape"): "pack/__init__.py:3",
        ("docstring", "pack.Shape.area"): "pack/__init__.py:5",
        ("docstring", "pack.later"): "pack/__init__.py:12",
        ("document", "guide.md"): "pack/guide.md",
        ("license", "LICENSE"): "pack-1.0.dist-info/licenses/LICENSE",
        ("readme", "pack"): "pack-1.0.dist-info/METADATA",
    }
    assert found["docstring", "pack.Shape.area"]["text"] == "Method documentation, long enough."
    assert {json.loads(row["meta"])["version"] for row in rows} == {"1.0"}
    (bad,) = corpus.quarantine().collect().to_dicts()
    assert (bad["file"], bad["reason"]) == ("pack/bad.py", "invalid-python")


def test_a_file_that_was_changed_by_hand_is_quarantined(site, tmp_path):
    """The digest in RECORD is what the result is known by."""
    (site / "pack/guide.md").write_text("Changed after it was installed.")
    corpus = trial(InstalledDocs(**SETTINGS, kinds=("document",)), {}, tmp_path)
    assert corpus.ledger.kept == 0
    assert corpus.quarantine().collect()["reason"].to_list() == ["differs-from-record"]


def test_the_digest_knows_the_content_and_not_the_place(site, tmp_path, monkeypatch):
    """Another folder, another order and another script line give the same; another file another digest."""
    digest = InstalledDocs(**SETTINGS).digests(tmp_path, hash)
    assert list(digest) == ["pack 1.0"]
    for folder, files, same in (
        ("moved", dict(reversed(FILES.items())), True),
        ("edited", FILES | {"pack/guide.md": "Another guide to shapes."}, False),
    ):
        install(tmp_path / folder, files)
        monkeypatch.setattr(sys, "path", [str(tmp_path / folder), *sys.path])
        assert (InstalledDocs(**SETTINGS).digests(tmp_path, hash) == digest) is same


def test_limits_draw_by_hash(site, tmp_path):
    """The package's own description comes first; the draw is the same every time."""
    for number in (1, 2):
        (tmp_path / f"{number}").mkdir()
    one = trial(InstalledDocs(**SETTINGS, max_per_package=1), {}, tmp_path / "1").scan().collect()
    assert one["source"].to_list() == ["pack-1.0.dist-info/METADATA"]
    two = trial(InstalledDocs(**SETTINGS, max_documents=2), {}, tmp_path / "2").scan().collect()
    assert two.height == 2


def test_workers_change_nothing(tmp_path):
    """Two real distributions, in one process and in two: the same bytes, sorted by name."""
    settings = {"packages": ("pluggy", "click"), "stdlib": False}
    digests = set()
    for workers in (1, 2):
        (tmp_path / f"{workers}").mkdir()
        corpus = trial(InstalledDocs(**settings), {}, tmp_path / f"{workers}", workers=workers)
        digests.add(digest_of(corpus.path))
        names = corpus.scan().select(pl.col("meta").str.json_path_match("$.package")).collect()["meta"]
        assert names.unique(maintain_order=True).to_list() == ["click", "pluggy"]
    assert len(digests) == 1


def test_what_is_not_installed_is_named(tmp_path):
    """With the command that installs it."""
    with pytest.raises(EnvironmentProblem, match="pip install no-such-package"):
        InstalledDocs(packages=("No_Such.Package",)).digests(tmp_path, hash)


def test_editable_installs_are_left_out():
    """Their files change without a new RECORD; this project is one."""
    assert "workbench" not in {package.name for package in distributions.installed_packages((), ())}


def test_the_standard_library_comes_without_its_tests():
    """And with its licence."""
    files = {file.path: file.kind for file in distributions.standard_library().files}
    assert files["json/decoder.py"] == "docstring"
    assert not any(path.startswith(("test/", "site-packages/")) for path in files)


def test_a_file_that_is_not_there_is_quarantined(site, tmp_path):
    """Small images of systems leave out what RECORD names."""
    (site / "pack/guide.md").unlink()
    corpus = trial(InstalledDocs(**SETTINGS, kinds=("document",)), {}, tmp_path)
    assert corpus.quarantine().collect()["reason"].to_list() == ["unreadable"]


def test_a_file_of_two_distributions_is_read_once(site, tmp_path):
    """Parts of one namespace bring the same `__init__.py`."""
    other = site / "twin-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Name: twin\nVersion: 1.0\n")
    line = next(line for line in (site / "pack-1.0.dist-info/RECORD").read_text().split("\n") if "guide.md" in line)
    (other / "RECORD").write_text(f"{line}\n\n")
    corpus = trial(InstalledDocs(**{**SETTINGS, "packages": ("pack", "twin")}, kinds=("document",)), {}, tmp_path)
    assert corpus.scan().collect()["source"].to_list() == ["pack/guide.md"]
