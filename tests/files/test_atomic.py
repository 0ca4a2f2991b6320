"""Atomic writes: what goes wrong is one line."""

import errno
from pathlib import Path

import pytest

from workbench.artifacts.corpus import write_scratch, write_shard
from workbench.errors import EnvironmentProblem
from workbench.files.atomic import is_disk_full, write_json


@pytest.mark.parametrize("write", [write_json, write_shard, write_scratch])
@pytest.mark.parametrize(
    "number, said", [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "not allowed to write here")]
)
def test_a_folder_that_cannot_be_made(tmp_path, monkeypatch, write, number, said):
    """A full disk or a missing permission may first show when the folder of a file is made."""

    def refuse(*_, **__):
        raise OSError(number, "refused")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(EnvironmentProblem, match=said):
        write(tmp_path / "folder" / "file", {})


def test_an_error_names_the_file_that_was_asked_for(tmp_path):
    """Neither the temporary file beside it nor a folder above it."""
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file" / "a.json", tmp_path / "file" / "deeper" / "a.json"):
        with pytest.raises(NotADirectoryError) as caught:
            write_json(path, {})
        assert caught.value.filename == str(path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        write_json(tmp_path / "folder", {})
    assert caught.value.filename == str(tmp_path / "folder")


def test_what_a_full_disk_is():
    """No space, or no more of it for this user; not any other error."""
    assert [is_disk_full(OSError(number, "")) for number in (errno.ENOSPC, errno.EDQUOT, errno.EIO)] == [
        True,
        True,
        False,
    ]
    assert not is_disk_full(ValueError("disk"))
