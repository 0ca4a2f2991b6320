"""The Hub: fetched at one commit, the wanted files only, and one clear error without a network."""

import json
import os
import subprocess
import sys

import pytest

CONFIGS = "---\nconfigs:\n- config_name: en\n  data_files: en.jsonl\n- config_name: zh\n  data_files: zh.jsonl\n---\n"

# The Hub, played by a function in the place of the library's connection.
COMMIT = "0123456789abcdef0123456789abcdef01234567"
HUB = """
import json, sys
import httpx2, huggingface_hub
from pathlib import Path
from workbench.registry import shared_registry
from workbench.testing.trials import trial
from workbench_plugins.sources.huggingface import HuggingFace
files, settings, folder = json.loads(sys.argv[1]), json.loads(sys.argv[2]), Path(sys.argv[3])
COMMIT, asked = sys.argv[4], []

def answer(request):
    asked.append(f"{request.method} {request.url.path}")
    if files is None:
        raise httpx2.ConnectError("no route to host", request=request)
    path = request.url.path
    if path.startswith("/api/datasets/owner/name"):
        listed = [{"type": "file", "path": name, "rfilename": name, "size": len(text), "oid": "0" * 40} for name, text in files.items()]
        if "/tree/" in path:
            return httpx2.Response(200, json=listed, request=request)
        return httpx2.Response(200, json={"id": "owner/name", "sha": COMMIT, "siblings": listed}, request=request)
    name = path.partition(f"/resolve/{COMMIT}/")[2]
    if name not in files:
        return httpx2.Response(404, headers={"X-Error-Code": "RepoNotFound"}, request=request)
    body = b"" if request.method == "HEAD" else files[name].encode()
    headers = {"ETag": f'"{name}"', "X-Repo-Commit": COMMIT, "Content-Length": str(len(files[name].encode()))}
    return httpx2.Response(200, headers=headers, content=body, request=request)

huggingface_hub.set_client_factory(lambda: httpx2.Client(transport=httpx2.MockTransport(answer), follow_redirects=True))
shared_registry().load("source/huggingface")
source = HuggingFace(hub="owner/name", **settings)
try:
    digests = source.digests(folder, None)
    frame = trial(source, {}, folder).scan().collect()
    print(json.dumps({"digests": digests, "rows": frame.select("text", "source", "meta").rows(), "asked": asked}))
except Exception as error:
    print(json.dumps({"error": f"{type(error).__name__}: {error}", "asked": asked}))
"""


def ask_hub(folder, files, environment=(), **settings):
    (folder / "trial").mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", HUB, json.dumps(files), json.dumps(settings), str(folder / "trial"), COMMIT],
        env={**os.environ, "HF_HOME": str(folder / "cache"), "HF_HUB_DISABLE_XET": "1", **dict(environment)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


ON_HUB = {
    "README.md": CONFIGS,
    "zh.jsonl": '{"text": "中文"}\n',
    "en.jsonl": '{"text": "English"}\n',
    "run_me.py": "1/0",
}


def test_a_data_set_of_the_hub_is_fetched_and_read(tmp_path):
    """At the commit that the branch stands for; only the files of the configuration are fetched, no script ever."""
    found = ask_hub(tmp_path, ON_HUB, config="zh")
    assert found["digests"] == {"owner/name": COMMIT}
    assert found["rows"] == [["中文", "owner/name/zh.jsonl:1", '{"split":"train"}']]
    fetched = {line.rpartition("/")[2] for line in found["asked"] if "/resolve/" in line}
    assert fetched == {"README.md", "zh.jsonl"}
    # Once there, the commit is read without a network, and a branch whose commit the cache knows.
    cache = tmp_path / "cache" / "hub" / "datasets--owner--name"
    for settings in ({"revision": COMMIT}, {}):
        again = tmp_path / f"again {settings}"
        again.mkdir()
        offline = ask_hub(again, None, {"HF_HOME": str(tmp_path / "cache")}, config="zh", **settings)
        assert offline["rows"] == found["rows"]
        (cache / "refs").mkdir(exist_ok=True)
        (cache / "refs" / "main").write_text(COMMIT)


@pytest.mark.parametrize("environment", [{}, {"HF_HUB_OFFLINE": "1"}])
@pytest.mark.parametrize("revision", ["main", COMMIT])
def test_without_a_network_there_is_one_clear_error(tmp_path, environment, revision):
    """It says that there is no way, and what to do; a commit is not even looked up."""
    error = ask_hub(tmp_path, None, environment, revision=revision)["error"]
    assert error.startswith("EnvironmentProblem: source/huggingface: the Hub cannot be reached for owner/name")
    assert "`paths`" in error
    assert len(error.splitlines()) <= 5


def test_a_name_that_is_not_there_is_said(tmp_path):
    """And a file that is listed and lost."""
    error = ask_hub(tmp_path, {"a.py": "1/0"})["error"]
    assert "holds no data files" in error
    assert "refs/convert/parquet" in error
