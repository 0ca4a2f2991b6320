import gc
import hashlib
import json
import os
import time

import pytest

from workbench.errors import EnvironmentProblem
from workbench.files import digest as digest_module
from workbench.files.digest import DigestCache, digest_file


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A file that the cache trusts: its times lie in the past, as far as the cache can tell."""
    monkeypatch.setattr(digest_module, "SETTLING_NS", -1)
    path = tmp_path / "data.txt"
    path.write_bytes(b"content")
    return path


@pytest.fixture
def hashed(monkeypatch):
    """The files that are really read."""
    read = []
    monkeypatch.setattr(digest_module, "digest_file", lambda path: read.append(path.name) or digest_file(path))
    return read


def test_digest_is_sha256_of_the_bytes(tmp_path):
    """The digest is that of hashlib over the whole content, more than one chunk long."""
    path = tmp_path / "a"
    content = os.urandom(3 << 20)
    path.write_bytes(content)
    assert digest_file(path) == hashlib.sha256(content).hexdigest()


def test_a_file_that_stays_is_read_once(file, hashed, tmp_path):
    """Also across caches over the same folder."""
    cache = DigestCache(tmp_path / "index")
    assert cache(file) == cache(file)
    cache.save()
    assert DigestCache(tmp_path / "index")(file) == digest_file(file)
    assert hashed == ["data.txt"]


def test_what_is_new_is_written_when_the_cache_goes_away(file, tmp_path):
    """Nobody has to call save."""
    cache = DigestCache(tmp_path / "index")
    cache(file)
    del cache
    gc.collect()
    assert len(json.loads((tmp_path / "index/digests.json").read_text())) == 1


def test_an_index_that_cannot_be_written_is_done_without(file, tmp_path, capsys):
    """It only saves time; nothing is said when the cache goes away."""
    (tmp_path / "no-folder").write_text("")
    cache = DigestCache(tmp_path / "no-folder" / "store")
    digest = cache(file)
    del cache
    gc.collect()
    assert capsys.readouterr().err == ""
    assert digest == digest_file(file)


def test_a_change_of_the_same_length_is_seen(file, hashed, tmp_path):
    """Even with the modification time put back: the time of change cannot be."""
    cache = DigestCache(tmp_path / "index")
    before = cache(file)
    status = file.stat()
    time.sleep(0.02)
    file.write_bytes(b"CONTENT")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert cache(file) != before


def test_a_file_that_has_just_changed_is_not_trusted(tmp_path, hashed):
    """A second change could fall into the same tick of the clock."""
    path = tmp_path / "fresh"
    path.write_bytes(b"x")
    cache = DigestCache(tmp_path / "index")
    cache(path)
    cache(path)
    assert hashed == ["fresh", "fresh"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 1}', '{"a": [1, 2]}'])
def test_a_damaged_index_is_an_empty_one(file, tmp_path, content):
    """The index only saves time."""
    (tmp_path / "index").mkdir()
    (tmp_path / "index/digests.json").write_text(content)
    assert DigestCache(tmp_path / "index")(file) == digest_file(file)


def test_a_folder_or_a_missing_file_is_a_clear_line(tmp_path):
    """Exit status 3, the path named."""
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(EnvironmentProblem, match="cannot be read") as problem:
            DigestCache(tmp_path / "index")(path)
        assert problem.value.where == str(path)
