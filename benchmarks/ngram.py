"""The n-gram model: what training and scoring cost, and perplexities on the test part of WikiText-2.

    WORKBENCH_BENCH_DATA=FOLDER python -m benchmarks.ngram [MEGABYTES]

FOLDER holds `…/wikitext2-valid-test/{valid,test}.txt`; without it only speed is measured. Speed is that of one thread on
the English text of `benchmarks.corpora` in byte-level BPE tokens: counting, discounts and probabilities, in MB of int32
tokens and in MB of the text they stand for, per CPU-second; the median of three runs, interleaved with NLTK's
`KneserNeyInterpolated` on its first 200,000 tokens.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import tokenizers
from workbench_plugins.architectures.ngram import Ngram, NgramModel, mean_nats
from workbench_plugins.tokenizers.byte_bpe import ByteBpe

from benchmarks.corpora import english
from benchmarks.peers import python_of
from workbench.contracts.context import Context
from workbench.contracts.static import Lesson, TokenStream
from workbench.contracts.tokenizer import Vocab

PEER = Path(__file__).parent / "peer" / "nltk_ngram.py"
VOCABULARY, RUNS, PEER_TOKENS = 16_000, 3, 200_000
HERE = Path(tempfile.gettempdir())
CTX = Context("bench", "architecture/ngram", 1, HERE, HERE, HERE, HERE)
SETTINGS = {
    "Kneser-Ney, order 3": {"order": 3},
    "Kneser-Ney, order 5": {"order": 5},
    "modified Kneser-Ney, order 5": {"order": 5, "modified": True},
    "additive, order 3, ε 1": {"order": 3, "smoothing": "additive"},
    "additive, order 3, ε 1, 100, 100": {"order": 3, "smoothing": "additive", "epsilon": (1.0, 100.0, 100.0)},
}


def articles(path: Path) -> list[str]:
    """Return the articles of a file of WikiText: a title stands between single equal signs."""
    found: list[str] = []
    for line in path.read_text("utf-8").splitlines():
        is_title = line.startswith(" = ") and not line.startswith(" = = ")
        if is_title or not found:
            found.append("")
        found[-1] += line + "\n"
    return found


def trained(texts: list[str], size: int) -> tokenizers.Tokenizer:
    """Return a byte-level BPE tokenizer."""

    def each() -> Iterator[str]:
        yield from texts

    return ByteBpe(vocab_size=size).train(each(), CTX)


def stream(tokenizer: tokenizers.Tokenizer, texts: list[str]) -> TokenStream:
    """Return texts as tokens, each with its end."""
    end = tokenizer.token_to_id("<eos>")
    rows = [np.array([*found.ids, end], dtype=np.uint16) for found in tokenizer.encode_batch(texts)]
    return TokenStream(np.concatenate(rows), np.concatenate([[0], np.cumsum([len(row) for row in rows])]))


def fit(tokens: TokenStream, size: int, settings: dict[str, object]) -> tuple[NgramModel, float]:
    """Return the model, ready to score, and the CPU seconds that took."""
    start = time.process_time()
    model = Ngram(**settings).fit(Lesson(tokens, vocab=Vocab(size, 512, 0)), CTX).model
    assert isinstance(model, NgramModel)
    model.score([0])
    return model, time.process_time() - start


def nltk(tokens: TokenStream, order: int) -> float:
    """Return the CPU seconds that NLTK takes to count the first tokens."""
    ends = tokens.bounds[: int(np.searchsorted(tokens.bounds, PEER_TOKENS)) + 1]
    documents = [tokens.ids_n[a:b].tolist() for a, b in pairwise(ends)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "task.json"
        path.write_text(json.dumps({"documents": documents, "order": order}))
        done = subprocess.run([python_of("nltk"), PEER, path], capture_output=True, text=True, check=True)
    return float(done.stdout) / int(ends[-1])


def speed(megabytes: float) -> None:
    """Print what training and scoring cost."""
    texts, size = [], 0
    for text in english()["text"]:
        texts.append(text)
        size += len(text.encode())
        if size > megabytes * 1e6:
            break
    tokenizer = trained(texts[:2000], VOCABULARY)
    tokens = stream(tokenizer, texts)
    print(
        f"{size / 1e6:.1f} MB of text, {len(tokens):,} tokens in {len(texts):,} documents, {VOCABULARY:,} token types"
    )
    print(f"{'':34} {'n-grams':>11} {'MB int32/s':>11} {'MB text/s':>10} {'scored Mtokens/s':>17}  NLTK MB int32/s")
    fit(tokens, VOCABULARY, {"order": 2})
    for name, settings in SETTINGS.items():
        seconds, scoring, peer = [], [], []
        for _ in range(RUNS):
            model, taken = fit(tokens, VOCABULARY, settings)
            seconds.append(taken)
            start = time.process_time()
            mean_nats(model, tokens)
            scoring.append(time.process_time() - start)
            if name.startswith("Kneser"):
                peer.append(nltk(tokens, int(str(settings["order"]))))
        cost = statistics.median(seconds)
        theirs = f"{4e-6 / statistics.median(peer):15.2f}" if peer else ""
        print(
            f"{name:34} {model.num_parameters:11,} {4e-6 * len(tokens) / cost:11.1f} {size / 1e6 / cost:10.1f} "
            f"{len(tokens) / 1e6 / statistics.median(scoring):17.1f}  {theirs}"
        )


def perplexities(folder: Path) -> None:
    """Print what models trained on the valid part of WikiText-2 make of its test part."""
    train, test = (articles(folder / name) for name in ("valid.txt", "test.txt"))
    tokenizer = trained(train, 8000)
    known, held = stream(tokenizer, train), stream(tokenizer, test)
    num_bytes = sum(len(text.encode()) for text in test)
    print(f"\nWikiText-2, trained on {len(known):,} tokens of valid, {len(held):,} tokens of test scored")
    print(f"{'':34} {'perplexity':>10} {'bits per byte':>14}")
    for name, settings in SETTINGS.items():
        model, _ = fit(known, 8000, settings)
        nats = mean_nats(model, held)
        bits = (nats * (len(held) - len(test)) + len(test) * np.log(8000)) / np.log(2) / num_bytes
        print(f"{name:34} {np.exp(nats):10.2f} {bits:14.3f}")


def main() -> None:
    """Print both tables."""
    speed(float(sys.argv[1]) if len(sys.argv) > 1 else 20.0)
    data = os.environ.get("WORKBENCH_BENCH_DATA", "")
    found = sorted(Path(data).rglob("wikitext2-valid-test")) if data else []
    if found:
        perplexities(found[0])


if __name__ == "__main__":
    main()
