"""Run in text-dedup's environment: its MinHash deduplication with 25 bands of 10 rows, through its command line.

    python text_dedup_minhash.py DOCUMENTS.jsonl RESULT.json ROUNDS

250 permutations, 5-grams, its defaults otherwise. RESULT holds the CPU seconds of each round, children included and the
imports not, after a first one over a few documents; and the ids that are kept.
"""

import json
import resource
import sys
import tempfile
from pathlib import Path

import datasets
from text_dedup.minhash import main as minhash

WARM = 20


def cpu_seconds() -> float:
    """Return what this process and its children have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def deduplicate(path: Path, folder: Path) -> None:
    """Deduplicate a JSON Lines file into `folder/out`."""
    arguments = ["--path", "json", "--data_files", str(path), "--split", "train", "--cache_dir", str(folder / "cache")]
    arguments += ["--output", str(folder / "out"), "--column", "text", "--batch_size", "10000", "--num_proc", "1"]
    arguments += ["--ngram", "5", "--num_perm", "250", "--b", "25", "--r", "10", "--threshold", "0.7"]
    minhash.main(arguments, standalone_mode=False)


def main() -> None:
    """Write the result file."""
    documents, result, rounds = sys.argv[1:4]
    lines = Path(documents).read_text("utf-8").splitlines(keepends=True)
    seconds, kept = [], []
    for number in range(int(rounds) + 1):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            path = folder / "in.jsonl"
            path.write_text("".join(lines if number else lines[:WARM]), "utf-8")
            start = cpu_seconds()
            deduplicate(path, folder)
            seconds.append(cpu_seconds() - start)
            kept = datasets.load_from_disk(str(folder / "out"))["id"]
    Path(result).write_text(json.dumps({"seconds": seconds[1:], "kept": list(kept)}), "utf-8")


if __name__ == "__main__":
    main()
