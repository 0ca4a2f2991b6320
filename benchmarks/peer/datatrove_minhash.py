"""Run in datatrove's environment: its four stages of MinHash deduplication with its own tokenizer and writer.

    python datatrove_minhash.py DOCUMENTS.jsonl RESULT.json eng|cmn ROUNDS

14 buckets of 8 hashes, the default. RESULT holds the CPU seconds of each round, children included, after a first one over
a few documents that loads the tokenizer; and the ids that are kept.
"""

import gzip
import json
import resource
import sys
import tempfile
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import (
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter

WARM = 20


def cpu_seconds() -> float:
    """Return what this process and its children have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def deduplicate(folder: Path, language: str) -> list[str]:
    """Run the stages over `folder/in` and return the ids that are kept."""
    config = MinhashConfig()
    reader = JsonlReader(str(folder / "in"))
    stages = [
        ([reader, MinhashDedupSignature(str(folder / "signatures"), config, language)], 1),
        ([MinhashDedupBuckets(str(folder / "signatures"), str(folder / "buckets"), config=config)], config.num_buckets),
        ([MinhashDedupCluster(str(folder / "buckets"), str(folder / "remove"), config=config)], 1),
        ([reader, MinhashDedupFilter(str(folder / "remove")), JsonlWriter(str(folder / "out"))], 1),
    ]
    for number, (pipeline, tasks) in enumerate(stages):
        logs = str(folder / "logs" / str(number))
        LocalPipelineExecutor(pipeline, tasks=tasks, workers=1, logging_dir=logs).run()
    kept = []
    for path in sorted((folder / "out").iterdir()):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            kept += [json.loads(line)["id"] for line in file]
    return kept


def main() -> None:
    """Write the result file."""
    documents, result, language, rounds = sys.argv[1:5]
    lines = Path(documents).read_text("utf-8").splitlines(keepends=True)
    seconds, kept = [], []
    for number in range(int(rounds) + 1):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "in").mkdir()
            (folder / "in" / "00000.jsonl").write_text("".join(lines if number else lines[:WARM]), "utf-8")
            start = cpu_seconds()
            kept = deduplicate(folder, language)
            seconds.append(cpu_seconds() - start)
    Path(result).write_text(json.dumps({"seconds": seconds[1:], "kept": kept}), "utf-8")


if __name__ == "__main__":
    main()
