"""Tokenizers of others: the same ids as before, what is missing is named or added, and no code is run."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import sentencepiece
from pydantic import ValidationError
from tokenizers import Tokenizer as Fast
from tokenizers import models
from transformers import AutoTokenizer
from workbench_plugins.tokenizers.bpe import Bpe
from workbench_plugins.tokenizers.byte_bpe import ByteBpe
from workbench_plugins.tokenizers.pretrained import Pretrained

from workbench.api import Context, EnvironmentProblem, StepError
from workbench.artifacts import Tokenizer
from workbench.engine.tokens import learn

TEXTS = ["The river was high.", "春天来了，河水涨得很高。", "🙂 1984\n\n  x"]


@pytest.fixture
def given(learned, tmp_path) -> Path:
    """A folder with a byte-level tokenizer that names no special token."""
    folder = tmp_path / "given"
    folder.mkdir()
    learned(ByteBpe(vocab_size=300)).save(str(folder / "tokenizer.json"))
    return folder


def taken(tmp_path, **settings) -> tuple[Tokenizer, list[str]]:
    """Run the component; return the result and what it said."""
    output, said = tmp_path / "output", []
    output.mkdir()
    component = Pretrained(**settings)
    ctx = Context("tok", "tokenizer/pretrained", 1, tmp_path, output, tmp_path, tmp_path)
    ctx.emit = lambda event, fields: said.append(fields["message"]) if event == "step-log" else None
    learn.run(component, ctx)
    return Tokenizer(output), said


def config(folder: Path, **content) -> None:
    (folder / "tokenizer_config.json").write_text(json.dumps(content), "utf-8")


def test_ids_stay_and_transformers_agrees(given, tmp_path):
    before = Tokenizer(given).fast
    result, _ = taken(tmp_path, path="given")
    loaded = AutoTokenizer.from_pretrained(result.path)
    for text in TEXTS:
        assert loaded(text)["input_ids"] == result.fast.encode(text).ids == before.encode(text).ids


def test_roles_come_from_the_configuration(given, tmp_path):
    """As text, or with its options; they are no new tokens."""
    config(given, pad_token={"content": "<pad>", "lstrip": False}, eos_token="<eos>", chat_template="{{ messages }}")
    result, said = taken(tmp_path, path="given")
    assert (result.vocab(8).pad, result.vocab(8).eos, result.vocab(8).size) == (0, 1, 300)
    assert said == []
    assert result.load().chat_template == "{{ messages }}"


def test_known_tokens_are_taken_for_what_is_missing(given, tmp_path):
    result, said = taken(tmp_path, path="given")
    assert (result.vocab(8).pad, result.vocab(8).eos, result.vocab(8).size) == (0, 1, 300)
    assert said == ["tok: <pad> is taken for pad_token", "tok: <eos> is taken for eos_token"]


def test_what_is_missing_is_added_behind_the_rest(given, tmp_path):
    content = json.loads((given / "tokenizer.json").read_text("utf-8"))
    content["added_tokens"] = []
    for place, token in enumerate(("<pad>", "<eos>")):
        content["model"]["vocab"][f"x{place}x"] = content["model"]["vocab"].pop(token)
    (given / "tokenizer.json").write_text(json.dumps(content), "utf-8")
    result, said = taken(tmp_path, path="given/tokenizer.json")
    assert (result.vocab(8).pad, result.vocab(8).eos, result.vocab(8).size) == (300, 301, 302)
    assert said[-1] == "tok: 2 new ids behind the 300 it came with"
    assert said[0] == "tok: <pad> is added as pad_token"


def test_or_what_is_missing_is_said(given, tmp_path):
    with pytest.raises(StepError, match="no pad_token and no eos_token") as caught:
        taken(tmp_path, path="given", add_missing=False)
    assert "for instance one of <pad>, <eos>" in str(caught.value)


def test_settings_come_before_the_files(given, tmp_path):
    config(given, pad_token="<pad>", eos_token="<eos>")
    result, _ = taken(
        tmp_path, path="given", tokens={"pad_token": "<eos>", "mask_token": "<mask>"}, chat_template="chatml"
    )
    vocab = result.vocab(8)
    assert (vocab.pad, vocab.eos, vocab.mask, vocab.size) == (1, 1, 300, 303)
    assert "<|im_start|>" in result.load().all_special_tokens


def test_truncation_and_padding_of_the_file_are_switched_off(given, tmp_path):
    tokenizer = Tokenizer(given).fast
    tokenizer.enable_truncation(1)
    tokenizer.enable_padding(length=9)
    tokenizer.save(str(given / "tokenizer.json"))
    result, _ = taken(tmp_path, path="given")
    assert 1 < len(result.fast.encode("river").ids) < 9


def test_a_sentencepiece_model_is_read(tmp_path):
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS * 9), model_writer=written, vocab_size=60, hard_vocab_limit=False, minloglevel=2
    )
    (tmp_path / "x.model").write_bytes(written.getvalue())
    result, said = taken(tmp_path, path="x.model")
    peer = sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())
    assert [result.load()(text)["input_ids"] for text in TEXTS] == [peer.encode(text) for text in TEXTS]
    assert (result.vocab(8).eos, result.vocab(8).bos, result.vocab(8).pad) == (2, 1, peer.get_piece_size())
    assert said[0] == "tok: <pad> is added as pad_token"


def test_vocabulary_and_merges_are_read(learned, tmp_path):
    """The files of GPT-2, which has no token for padding."""
    folder = tmp_path / "gpt2"
    folder.mkdir()
    trained = learned(ByteBpe(vocab_size=300))
    trained.model.save(str(folder))
    vocab = json.loads((folder / "vocab.json").read_text("utf-8"))
    vocab["<|endoftext|>"] = vocab.pop("<eos>")
    (folder / "vocab.json").write_text(json.dumps(vocab), "utf-8")
    config(folder, tokenizer_class="GPT2Tokenizer", eos_token="<|endoftext|>", bos_token="<|endoftext|>")
    result, said = taken(tmp_path, path="gpt2")
    assert result.fast.decode(result.fast.encode("the river 春天").ids) == "the river 春天"
    assert result.vocab(8).eos == 1
    assert result.vocab(8).pad == 0
    assert said == ["tok: <pad> is taken for pad_token"]


@pytest.mark.parametrize("file", ["tokenizer_config.json", "config.json"])
def test_code_of_its_own_is_refused(given, tmp_path, file):
    (given / file).write_text(json.dumps({"auto_map": {"AutoTokenizer": ["evil.Tok", None]}}), "utf-8")
    (given / "evil.py").write_text("raise SystemExit", "utf-8")
    with pytest.raises(StepError, match="auto_map"):
        taken(tmp_path, path="given")


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("tokenizer.json", "{", "tokenizer.json cannot be read"),
        ("tokenizer.json", '{"model": {"type": "Evil"}}', "tokenizer.json cannot be read"),
        ("tokenizer_config.json", "[1]", "tokenizer_config.json holds a JSON list"),
        ("tokenizer_config.json", "[" * 100_000, "tokenizer_config.json is no JSON"),
    ],
)
def test_damaged_files_are_said(given, tmp_path, name, content, message):
    (given / name).write_text(content, "utf-8")
    with pytest.raises(StepError, match=message):
        taken(tmp_path, path="given")


def test_a_folder_without_a_tokenizer_is_said(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(StepError, match="no tokenizer in this folder"):
        taken(tmp_path, path="empty")


def test_a_missing_path_is_said_and_never_taken_for_a_name_of_the_hub(tmp_path):
    with pytest.raises(EnvironmentProblem, match="nothing at 'owner/name'"):
        Pretrained(path="owner/name").digests(tmp_path, str)


def test_the_key_follows_the_files(given, tmp_path):
    config(given, pad_token="<pad>")
    found = Pretrained(path="given").digests(tmp_path, lambda path: path.read_text("utf-8"))
    assert sorted(found) == ["tokenizer.json", "tokenizer_config.json"]


@pytest.mark.parametrize("settings", [{}, {"path": "x", "hub": "a/b"}, {"hub": "a/../b"}, {"hub": "http://x"}])
def test_one_origin_is_asked_for(settings):
    with pytest.raises(ValidationError):
        Pretrained(**settings)


# The Hub, played by a function in the place of the library's connection.
COMMIT = "0123456789abcdef0123456789abcdef01234567"
HUB = """
import json, sys
import httpx2, huggingface_hub
from pathlib import Path
from workbench.registry import shared_registry
from workbench.testing.trials import trial
from workbench_plugins.tokenizers.pretrained import Pretrained
folder, commit, asked = Path(sys.argv[1]), sys.argv[2], []
files = {path.name: path.read_bytes() for path in (folder / "given").iterdir()} if len(sys.argv) == 3 else None

def answer(request):
    path = request.url.path
    asked.append(path)
    if files is None:
        raise httpx2.ConnectError("no route to host", request=request)
    if path.startswith("/api/models/owner/name"):
        listed = [{"rfilename": name} for name in files]
        return httpx2.Response(200, json={"id": "owner/name", "sha": commit, "siblings": listed}, request=request)
    content = files[path.partition(f"/owner/name/resolve/{commit}/")[2]]
    headers = {"ETag": '"x"', "X-Repo-Commit": commit, "Content-Length": str(len(content))}
    body = b"" if request.method == "HEAD" else content
    return httpx2.Response(200, headers=headers, content=body, request=request)

huggingface_hub.set_client_factory(lambda: httpx2.Client(transport=httpx2.MockTransport(answer), follow_redirects=True))
shared_registry().load("tokenizer/pretrained")
component = Pretrained(hub="owner/name")
try:
    print(json.dumps({
        "digests": component.digests(folder, None),
        "ids": trial(component, {}, folder / "trial").fast.encode("river").ids,
        "asked": [path for path in asked if "/resolve/" in path],
    }))
except Exception as error:
    print(json.dumps({"error": f"{type(error).__name__}: {error}"}))
"""


def ask_hub(folder: Path, *arguments: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-c", HUB, str(folder), COMMIT, *arguments],
        env={**os.environ, "HF_HOME": str(folder / "cache"), "HF_HUB_DISABLE_XET": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_a_model_of_the_hub(given, tmp_path):
    """Its tokenizer is fetched at one commit, and nothing else of it."""
    (given / "model.safetensors").write_bytes(b"x" * 100)
    expected = Tokenizer(given).fast.encode("river").ids
    found = ask_hub(tmp_path)
    assert found["digests"] == {"owner/name": COMMIT}
    assert found["ids"] == expected
    assert {path.rpartition("/")[2] for path in found["asked"]} == {"tokenizer.json"}


def test_without_a_network_it_is_said(given, tmp_path):
    error = ask_hub(tmp_path, "offline")["error"]
    assert "the Hub cannot be reached for owner/name" in error
    assert "name their folder in `path`" in error


def test_what_was_learned_here_is_taken_without_a_change(learned, tmp_path):
    """Character BPE with bytes and `▁`, to a folder and back."""
    (tmp_path / "own").mkdir()
    trained = learned(Bpe(vocab_size=400))
    trained.save(str(tmp_path / "own" / "tokenizer.json"))
    result, _ = taken(tmp_path, path="own")
    assert [result.fast.encode(text).ids for text in TEXTS] == [trained.encode(text).ids for text in TEXTS]


def test_ids_with_a_hole_have_room_in_the_model(tmp_path):
    """Five tokens up to id 9: a model has rows for ten, and marks come behind them."""
    words = {"<pad>": 0, "<eos>": 1, "<unk>": 2, "a": 3, "b": 9}
    Fast(models.WordLevel(words, unk_token="<unk>")).save(str(tmp_path / "tokenizer.json"))
    config(tmp_path, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>")
    vocab = Tokenizer(tmp_path).vocab(8, num_marks=1)
    assert (vocab.size, vocab.mark(0), vocab.pieces[9], vocab.pieces[5]) == (11, 10, "b", "")
