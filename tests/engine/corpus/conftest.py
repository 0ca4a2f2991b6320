"""Small corpora, and the core's steps over them."""

from pathlib import Path

import pytest

from workbench.artifacts import Corpus
from workbench.artifacts.ledger import Ledger
from workbench.contracts.context import Context
from workbench.contracts.records import documents
from workbench.engine.corpus.writing import CorpusWriter


class Corpora:
    """Makes corpora and results, each in a folder of its own; `logs` holds what the last step said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.logs = []
        self._made = 0

    def _next(self, purpose):
        self._made += 1
        return self.folder / f"{self._made}-{purpose}"

    def make(self, shards, meta=lambda _text: {}):
        """Return a corpus of `{"train-0": [texts]}`; ids are `<shard>/<row>`, parts follow from the names."""
        writer = CorpusWriter(self._next("in"))
        listed = []
        for name, texts in shards.items():
            part, _, number = name.rpartition("-")
            rows = [
                {"id": f"{name}/{row}", "text": text, "source": "s", "meta": meta(text)}
                for row, text in enumerate(texts)
            ]
            frame = documents(rows) if rows else documents([{"id": "", "text": "", "source": ""}]).clear()
            listed.append(writer.add(part or None, int(number), frame))
        total = sum(map(len, shards.values()))
        parts = dict.fromkeys(shard["part"] for shard in listed if shard["part"])
        writer.finish(Ledger(read=total, kept=total), listed, tuple(parts))
        return Corpus(writer.path)

    def run(self, component, corpus, seed=1):
        """Return what a step of the core makes of a corpus."""
        folder = self._next("out")
        ctx = Context("step", "corpus/step", seed, folder, folder, folder / "scratch", folder, {"corpus": corpus})
        self.logs = []
        ctx.emit = lambda event, fields: self.logs.append(fields["message"]) if event == "step-log" else None
        component.run(ctx)
        return Corpus(folder)

    def ids(self, corpus, part=None):
        """Return the ids of the corpus, or of one part, in order."""
        return Corpus(corpus.path, part=part).scan().select("id").collect()["id"].to_list()


@pytest.fixture
def corpora(tmp_path):
    return Corpora(tmp_path)
