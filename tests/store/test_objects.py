"""Rules of the store: whole or not there, and damage is found, set aside and can be made good."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.store.conftest import put
from workbench.artifacts import Export
from workbench.errors import DamagedObject, StepError
from workbench.store.objects import Damage, Store


def overwrite(path: Path, content: bytes) -> None:
    """Change a file in place and give it back its times, as damage on a disk would."""
    status = path.stat()
    path.chmod(0o644)
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def flip(data: Path) -> None:
    """Change one bit."""
    content = bytearray((data / "text").read_bytes())
    content[2] ^= 1
    overwrite(data / "text", bytes(content))


def truncate(data: Path) -> None:
    """Cut a file short."""
    overwrite(data / "text", b"hel")


def empty(data: Path) -> None:
    """Leave a file empty."""
    overwrite(data / "text", b"")


def delete(data: Path) -> None:
    """Remove a file."""
    (data / "text").unlink()


def link(data: Path) -> None:
    """Put a link with the right content where a file was."""
    outside = data.parents[3] / "outside"
    outside.write_bytes((data / "text").read_bytes())
    (data / "text").unlink()
    (data / "text").symlink_to(outside)


def link_folder(data: Path) -> None:
    """Put a link where the data folder was."""
    moved = data.parents[3] / "moved"
    data.rename(moved)
    data.symlink_to(moved)


def add(data: Path) -> None:
    """Add a file that nobody wrote."""
    (data / "more").write_text("x")


def delete_manifest(data: Path) -> None:
    """Remove the manifest."""
    (data.parent / "manifest.json").unlink()


def edit_manifest(data: Path) -> None:
    """Change the key in the manifest."""
    path = data.parent / "manifest.json"
    overwrite(path, path.read_bytes().replace(b'"a": 1', b'"a": 2'))


def garble_manifest(data: Path) -> None:
    """Leave half a manifest."""
    path = data.parent / "manifest.json"
    overwrite(path, path.read_bytes()[:40])


DAMAGES = [flip, truncate, empty, delete, link, link_folder, add, delete_manifest, edit_manifest, garble_manifest]


def test_an_object(store, fingerprint):
    """A manifest names every file with size and digest, and holds the key and its own digest."""
    manifest = store.manifest(fingerprint)
    assert manifest["files"]["text"] == {"size": 5, "sha256": hashlib.sha256(b"hello").hexdigest()}
    assert list(manifest["files"]) == ["sub/manifest.json", "text"]
    assert (manifest["fingerprint"], manifest["key"], manifest["type"]) == (fingerprint, {"a": 1}, "export")
    assert store.has(fingerprint)
    assert store.artifact(fingerprint, step="s") == Export(store.data(fingerprint), fingerprint, None, "s")
    assert list(store.objects()) == [fingerprint]
    assert not store.data(fingerprint).joinpath("text").stat().st_mode & 0o222


def test_what_is_not_there(store):
    """An unknown fingerprint is not there; reading it is an error that says so."""
    assert not store.has("cd" * 32)
    with pytest.raises(DamagedObject, match="it is not in the store"):
        store.data("cd" * 32)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("fresh", [True, False], ids=["another-process", "same-process"])
def test_damage_is_found_set_aside_and_made_good(store, fingerprint, damage, fresh):
    """Every kind of damage is seen by `has`, refused by `data`, moved aside once, and a new commit makes it whole."""
    before = store.manifest(fingerprint)
    damage(store.folder(fingerprint) / "data")
    looking = Store(store.root) if fresh else store
    assert not looking.has(fingerprint)
    with pytest.raises(DamagedObject):
        looking.data(fingerprint)
    assert len(list((store.root / "damaged").iterdir())) == 1
    assert not store.folder(fingerprint).exists()
    put(looking)
    assert store.has(fingerprint)
    assert store.manifest(fingerprint) == before


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_committing_over_damage(store, fingerprint, damage):
    """A damaged object never survives a commit of the same fingerprint."""
    damage(store.folder(fingerprint) / "data")
    put(store)
    assert Store(store.root).verify() == []
    assert len(list((store.root / "damaged").iterdir())) == 1


def test_damage_that_leaves_no_trace_in_the_file_system(store, fingerprint):
    """A bit that flips on the disk itself is found by whoever reads the object first, and by `verify`."""
    (store.root / "seen" / fingerprint).unlink()
    flip(store.folder(fingerprint) / "data")
    other = Store(store.root)
    _, marks = other._look(fingerprint)
    other._remember(fingerprint, marks)
    time.sleep(0.03)
    other._remember(fingerprint, marks)
    assert other.has(fingerprint)
    assert Store(store.root).verify() == [Damage(fingerprint, "text is not what was written")]
    assert not other.has(fingerprint)


def test_has_does_not_read_an_untouched_object(store, fingerprint, monkeypatch):
    """For a cached object `has` looks at names, sizes and times only, also in another process."""
    time.sleep(0.03)
    assert Store(store.root).has(fingerprint)
    monkeypatch.setattr("workbench.store.damage.digest_file", lambda path: pytest.fail(f"{path} was read"))
    assert Store(store.root).has(fingerprint)


def test_marks_are_derived(store, fingerprint):
    """Deleting the marks costs time and nothing else."""
    (store.root / "seen" / fingerprint).unlink()
    assert Store(store.root).has(fingerprint)
    assert (store.root / "seen" / fingerprint).exists()


def test_a_failed_step_leaves_nothing(store):
    """What is not committed is deleted; a link in it is refused."""
    with store.staging("cd" * 32) as staging:
        (staging / "data" / "link").symlink_to("/etc/passwd")
        with pytest.raises(StepError, match="not a plain file"):
            store.commit("cd" * 32, staging, {"type": "export"})
    with pytest.raises(ValueError), store.scratch() as scratch:
        raise ValueError(scratch)
    assert list((store.root / "tmp").iterdir()) == []
    assert not store.has("cd" * 32)


def test_partial_outlives_and_goes_with_the_commit(store):
    """The partial folder keeps its content until the result is committed."""
    partial = store.partial("cd" * 32)
    (partial / "checkpoint").write_text("1")
    assert (Store(store.root).partial("cd" * 32) / "checkpoint").read_text() == "1"
    put(store, "cd" * 32)
    assert not partial.exists()


def test_sweep(store):
    """What a dead process left in `tmp/` goes; what a living one, or this one, has there stays."""
    script = (
        "import sys, time; from pathlib import Path; from workbench.store.objects import Store\n"
        "with Store(Path(sys.argv[1])).scratch() as folder:\n"
        "    (folder / 'x').write_text('x'); print(folder, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(store.root)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    left = Path(process.stdout.readline().strip())
    with store.scratch() as mine:
        Store(store.root).sweep()
        assert (left / "x").exists()
        process.kill()
        process.communicate()
        store.sweep()
        assert not left.exists()
        assert mine.exists()
    assert len(list((store.root / "locks").glob("owner-*"))) == 1


def test_json_is_stable(store, fingerprint, tmp_path):
    """The same content gives the same manifest, byte for byte."""
    other = Store(tmp_path / "other")
    put(other)
    names = [s.folder(fingerprint) / "manifest.json" for s in (store, other)]
    assert names[0].read_bytes() == names[1].read_bytes()
    assert json.loads(names[0].read_text())["digest"]
