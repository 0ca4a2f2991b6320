"""Tokenizers beside SentencePiece: megabytes learned and encoded per CPU-second, and bytes per token.

    python -m benchmarks.tokenizers [MEGABYTES]

Both learn a vocabulary of 8,000 from the same documents of `benchmarks.corpora`, English and Chinese apart, and encode
others; one thread each, a process for each run, runs interleaved, the median of three is shown. SentencePiece reads
lines, as it must; each line end counts as a token there. `unigram` here is learned by SentencePiece too, from stretches of
text that were counted before; `byte-bpe` has no counterpart there.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.corpora import both
from benchmarks.peers import python_of

PEER = Path(__file__).parent / "peer" / "sentencepiece_train.py"
VOCAB_SIZE, RUNS = 8000, 3
KINDS = {"bpe": "bpe", "unigram": "unigram", "byte-bpe": None}
ONE = {"RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}


def ours(task: dict[str, Any], folder: Path) -> dict[str, float]:
    """Return CPU seconds and tokens of one of our tokenizers; what it imports is not measured, as for the peer."""
    import sentencepiece  # noqa: F401
    import tokenizers  # noqa: F401

    from workbench.contracts.context import Context
    from workbench.testing.artifacts import small_component

    component: Any = small_component(f"tokenizer/{task['kind']}", vocab_size=task["vocab_size"])
    ctx = Context("bench", component.component_id, 1, folder, folder, folder, folder)
    start = time.process_time()
    tokenizer = component.train(iter(task["train"]), ctx)
    trained = time.process_time()
    tokenizer.encode_special_tokens = True
    number = sum(len(encoding.ids) for encoding in tokenizer.encode_batch_fast(task["encode"]))
    return {"train": trained - start, "encode": time.process_time() - trained, "tokens": number}


def measured(command: list[Any], task: dict[str, Any], folder: Path) -> dict[str, float]:
    """Run one program on a task in a process of its own."""
    path = folder / "task.json"
    path.write_text(json.dumps(task), "utf-8")
    done = subprocess.run([*command, path], env={**os.environ, **ONE}, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def documents(texts: list[str], megabytes: float) -> tuple[list[str], list[str]]:
    """Return documents to learn from and others to encode, of about this size each."""
    parts: tuple[list[str], list[str]] = ([], [])
    for part in parts:
        size = 0.0
        while texts and size < megabytes * 1e6:
            part.append(texts.pop())
            size += len(part[-1].encode())
    return parts


def main() -> None:
    """Print a line for each language, kind and program."""
    megabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    programs: dict[str, list[Any]] = {
        "ours": [sys.executable, "-m", "benchmarks.tokenizers", "ours"],
        "sentencepiece 0.2.3": [python_of("sentencepiece"), PEER],
    }
    print(f"{'':26}{'':22}{'learned':>18}{'encoded':>18}   bytes per token")
    for language, frame in both().items():
        train, encode = documents(frame["text"].to_list(), megabytes)
        sizes = {"train": _size(train), "encode": _size(encode)}
        for kind, theirs in KINDS.items():
            runs: dict[str, list[dict[str, float]]] = {who: [] for who in programs if who == "ours" or theirs}
            task = {"kind": kind, "vocab_size": VOCAB_SIZE, "train": train, "encode": encode}
            with tempfile.TemporaryDirectory() as folder:
                for _ in range(RUNS):
                    for who, found in runs.items():
                        found.append(measured(programs[who], task, Path(folder)))
            for who, found in runs.items():
                speed = {part: size / statistics.median(run[part] for run in found) for part, size in sizes.items()}
                density = sizes["encode"] * 1e6 / found[0]["tokens"]
                print(
                    f"{language:26}{kind + ', ' + who:30}{speed['train']:8.2f} MB/CPU-s{speed['encode']:8.2f} MB/CPU-s"
                    f"   {density:.3f}",
                    flush=True,
                )


def _size(texts: list[str]) -> float:
    return sum(len(text.encode()) for text in texts) / 1e6


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] == "ours":
        print(json.dumps(ours(json.loads(Path(sys.argv[2]).read_text("utf-8")), Path(sys.argv[2]).parent)))
    else:
        main()
