"""README.md of an exported corpus: what is in it, where it comes from, how to load it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from workbench.api import safe_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench_plugins.exporters.datasets_folder import Split

    from workbench.api import Corpus

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
SIZES_OF_MILLIONS = ((10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B"))
LOAD = {
    "arrow": "from datasets import load_from_disk\n\ndata = load_from_disk(folder)",
    "parquet": "from datasets import load_dataset\n\ndata = load_dataset(folder)",
}
TEMPLATE = """\
---
{front}
---
# {title}

{rows:,} documents of a corpus of the workbench.

```python
{load}
```

| split | documents |
|---|---|
{splits}

| column | type |
|---|---|
{columns}

`id` is unique, `source` is the file and the place a document was read from, `meta` is a JSON object.

## Where it comes from

The last step, `{step}`, read {read:,} documents, kept {kept:,}, rejected {rejected:,}{reasons} and set {quarantined:,}
aside that could not be read. Its fingerprint is `{fingerprint}`.
"""


def card(corpus: Corpus, title: str, licence: str | None, splits: Sequence[Split], form: str) -> str:
    """Return the card in Markdown, with the front matter that the Hub and `load_dataset` read."""
    ledger = corpus.ledger
    rows = sum(split.rows for split in splits)
    counts = ", ".join(f"{safe_text(reason)} {number:,}" for reason, number in ledger.rejected.most_common(8) if number)
    return TEMPLATE.format(
        front=_front(licence, splits, form, rows),
        title=_cell(title),
        rows=rows,
        load=LOAD[form],
        splits="\n".join(f"| {split.name} | {split.rows:,} |" for split in splits),
        columns="\n".join(f"| {_cell(name)} | {_cell(kind)} |" for name, kind in corpus.columns.items()),
        step=_cell(corpus.step or "corpus"),
        read=ledger.read,
        kept=ledger.kept,
        rejected=ledger.rejected.total(),
        reasons=f" ({_cell(counts)})" if counts else "",
        quarantined=ledger.quarantined,
        fingerprint=corpus.fingerprint,
    )


def _front(licence: str | None, splits: Sequence[Split], form: str, rows: int) -> str:
    """Return YAML; every value is written as JSON, which is YAML too."""
    lines = [f"license: {json.dumps(licence)}"] if licence else []
    sizes = (*SIZES, *SIZES_OF_MILLIONS)
    lines += ["size_categories:", f"- {next((name for limit, name in sizes if rows < limit), 'n>1B')}"]
    if form == "parquet":
        lines += ["configs:", "- config_name: default", "  data_files:"]
        for split in splits:
            lines += [f"  - split: {split.name}", f"    path: {json.dumps(f'data/{split.name}-*')}"]
    return "\n".join(lines)


def _cell(text: str) -> str:
    shown = safe_text(text).replace("\n", " ").replace("|", "\\|").replace("`", "'")
    return shown.replace("<", "&lt;").replace("[", "\\[")
