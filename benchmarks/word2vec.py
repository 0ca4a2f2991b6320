"""Word2vec beside gensim: words per CPU-second with the same settings, one thread, and what stands near a few words.

    python -m benchmarks.word2vec [MEGABYTES]

Words are those between spaces, in lower case, of the English text of `benchmarks.corpora`; a line is a sentence. Both
read the same lines in the same order; runs are interleaved, the median of three is shown. Counting words and starting
up are not measured.
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

import numpy as np
from workbench_plugins.architectures.word2vec import Word2Vec
from workbench_plugins.objectives.word_windows import Cbow, SkipGram

from benchmarks.corpora import english
from benchmarks.peers import python_of
from workbench.contracts.context import Context
from workbench.contracts.static import Lesson, StaticVectors, TokenStream
from workbench.contracts.tokenizer import Vocab

PEER = Path(__file__).parent / "peer" / "gensim_word2vec.py"
WIDTH, WINDOW, NEGATIVE, MIN_COUNT, SUBSAMPLE, EPOCHS, RUNS = 100, 5, 5, 5, 1e-3, 2, 3
ASK = ("function", "list", "three", "error")


def sentences(megabytes: float) -> list[list[str]]:
    """Return the lines of the text as lists of words."""
    found, size = [], 0
    for text in english()["text"]:
        for line in text.lower().splitlines():
            words = line.split()
            if words:
                found.append(words[:10_000])  # gensim reads no more of a sentence
                size += len(line.encode())
        if size > megabytes * 1e6:
            break
    return found


class Ours:
    """Our word2vec on these sentences."""

    def __init__(self, lines: list[list[str]]) -> None:
        self.numbers: dict[str, int] = {}
        rows = [[self.numbers.setdefault(word, len(self.numbers)) for word in line] for line in lines]
        bounds = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
        self.stream = TokenStream(np.concatenate([np.array(row, dtype=np.uint32) for row in rows]), bounds)

    def train(self, objective: Any, rate: float) -> dict[str, Any]:
        """Return the CPU seconds and the neighbours."""
        here = Path(tempfile.gettempdir())
        ctx = Context("bench", "architecture/word2vec", 1, here, here, here, here)
        lesson = Lesson(self.stream, vocab=Vocab(len(self.numbers), 512, 0), objective=objective)
        settings = {"width": WIDTH, "epochs": EPOCHS, "min_count": MIN_COUNT, "subsample": SUBSAMPLE, "lr": rate}
        start = time.process_time()
        model = Word2Vec(**settings).fit(lesson, ctx).model
        seconds = time.process_time() - start
        assert isinstance(model, StaticVectors)
        words = list(self.numbers)
        near = {
            word: [words[other] for other, _ in model.neighbours(self.numbers[word], 5)]
            for word in ASK
            if word in self.numbers
        }
        return {"seconds": seconds, "near": near}


def gensim(lines: list[list[str]], folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the same by gensim."""
    path = folder / "task.json"
    path.write_text(json.dumps({"sentences": lines, "settings": settings, "epochs": EPOCHS, "ask": ASK}))
    one = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")}
    done = subprocess.run([python_of("gensim"), PEER, path], env=one, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def main() -> None:
    """Print a line for each objective and program."""
    lines = sentences(float(sys.argv[1]) if len(sys.argv) > 1 else 8.0)
    ours = Ours(lines)
    words = EPOCHS * len(ours.stream)
    print(f"{len(ours.stream):,} words, {len(ours.numbers):,} different, {len(lines):,} lines, {EPOCHS} epochs")
    ours.train(SkipGram(window=1, negative=1), 0.01)  # compile
    for name, objective, rate, skip in (("skip-gram", SkipGram, 0.025, 1), ("cbow", Cbow, 0.05, 0)):
        settings = {
            "vector_size": WIDTH, "window": WINDOW, "negative": NEGATIVE, "min_count": MIN_COUNT,
            "sample": SUBSAMPLE, "sg": skip, "alpha": rate,
        }  # fmt: skip
        found: dict[str, list[dict[str, Any]]] = {"ours": [], "gensim 4.4.0": []}
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(RUNS):
                found["gensim 4.4.0"].append(gensim(lines, Path(folder), settings))
                found["ours"].append(ours.train(objective(window=WINDOW, negative=NEGATIVE), rate))
        speed = {who: words / statistics.median(run["seconds"] for run in runs) for who, runs in found.items()}
        for who, runs in found.items():
            spread = " ".join(f"{words / run['seconds'] / 1e3:.0f}" for run in runs)
            print(f"\n{name:10} {who:13} {speed[who] / 1e3:8.0f} thousand words per CPU-second ({spread})")
            for word, near in runs[-1]["near"].items():
                print(f"    {word}: {', '.join(near)}")
        print(f"{name:10} ratio {speed['ours'] / speed['gensim 4.4.0']:.2f}")


if __name__ == "__main__":
    main()
