"""Train the tokenizers that learn in a process of its own and print the digests of their files: `train_tokenizer.py FOLDER`."""

import hashlib
import random
import sys
from pathlib import Path

import polars as pl
from workbench_plugins.tokenizers.bpe import Bpe
from workbench_plugins.tokenizers.byte_bpe import ByteBpe
from workbench_plugins.tokenizers.character import Character
from workbench_plugins.tokenizers.unigram import Unigram
from workbench_plugins.tokenizers.word import Word
from workbench_plugins.tokenizers.wordpiece import WordPiece

from workbench.artifacts import Corpus
from workbench.artifacts.corpus import write_shard
from workbench.contracts.context import Context
from workbench.contracts.tokenizer import Tokenizer
from workbench.engine.tokens import learn
from workbench.files.atomic import write_json


def texts() -> list[str]:
    """Return texts full of ties: many words and characters occur equally often."""
    rng = random.Random(3)
    syllables = [first + second for first in "bcdfghklmnprst" for second in "aeiou"]
    characters = [chr(number) for number in range(0x4E00, 0x4E00 + 900)]
    english = [" ".join("".join(rng.choices(syllables, k=3)) for _ in range(20)) for _ in range(60)]
    return english + ["".join(rng.choices(characters, k=30)) for _ in range(60)]


def corpus(folder: Path) -> Corpus:
    """Write the texts as two shards."""
    rows = pl.DataFrame([{"id": str(number), "text": text} for number, text in enumerate(texts())])
    shards = []
    for number, frame in enumerate((rows[:70], rows[70:])):
        write_shard(folder / "shards" / f"{number:05d}.parquet", frame)
        shards.append({"name": f"{number:05d}.parquet", "part": None, "rows": len(frame)})
    write_json(folder / "corpus.json", {"parts": [], "columns": {"id": "String", "text": "String"}, "shards": shards})
    return Corpus(folder, "c0")


def digest(tokenizer: Tokenizer, data: Corpus, folder: Path) -> str:
    """Train and return the digest of all files."""
    output, scratch = folder / "output", folder / "scratch"
    for path in (output, scratch):
        path.mkdir(parents=True)
    learn.run(tokenizer, Context("t", "tokenizer/t", 1, folder, output, scratch, scratch, inputs={"corpus": data}))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(output.iterdir()))).hexdigest()


if __name__ == "__main__":
    base = Path(sys.argv[1])
    data = corpus(base / "corpus")
    components = {
        "bpe": Bpe(vocab_size=900),
        "byte-bpe": ByteBpe(vocab_size=800),
        "character": Character(vocab_size=800),
        "unigram": Unigram(vocab_size=900),
        "word": Word(vocab_size=800),
        "wordpiece": WordPiece(vocab_size=800),
        "few-letters": WordPiece(vocab_size=800, alphabet=300),
    }
    found = {name: digest(component, data, base / name) for name, component in components.items()}
    sys.stdout.write("".join(f"{name} {value}\n" for name, value in found.items()))
