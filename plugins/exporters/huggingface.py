"""A folder that plain transformers loads: configuration, safetensors, tokenizer and a README written from the card."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, ClassVar

from workbench_plugins.exporters.model_card import card_json, facts

from workbench.api import Exporter, StepError, safe_text, write_text

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.api import Context, Model

# By name, so that nothing of the workbench's own and no file that could run code goes along.
COPIED = (
    "config.json",
    "generation_config.json",
    "*.safetensors",
    "*.safetensors.index.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
)
AUTO_CLASS = {
    "causal-lm": ("AutoModelForCausalLM", "text-generation"),
    "masked-lm": ("AutoModelForMaskedLM", "fill-mask"),
    "seq2seq-lm": ("AutoModelForSeq2SeqLM", "text2text-generation"),
    "permutation-lm": ("AutoModelForCausalLM", "text-generation"),
    "pretraining": ("AutoModelForPreTraining", "fill-mask"),
    "sequence-classification": ("AutoModelForSequenceClassification", "text-classification"),
    "token-classification": ("AutoModelForTokenClassification", "token-classification"),
    "body": ("AutoModel", "feature-extraction"),
}
NOTES = {
    "prefix-decoder": "It learned to read its prefix both ways; transformers' own `generate` reads every prompt from left to "
    "right. Pass a 4D mask for the other way.",
}
README = """\
---
library_name: transformers
pipeline_tag: {task}
---

# {title}

```python
from transformers import {auto_class}, AutoTokenizer

model = {auto_class}.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)
```

{note}| | |
|---|---|
{rows}

The whole training card:

```json
{card}
```
"""


class HuggingFace(Exporter):
    """Write a model as a Hugging Face folder."""

    version: ClassVar[int] = 1

    def export(self, artifact: Model, path: Path, ctx: Context) -> None:
        """Copy what transformers reads, and write the README.

        Raises `StepError` when weights are missing, and for models that plain transformers has no class for.
        """
        files = sorted({file for pattern in COPIED for file in artifact.path.glob(pattern) if file.is_file()})
        if not any(file.suffix == ".safetensors" for file in files):
            raise StepError("the model has no safetensors weights", where=artifact.step or str(artifact.path))
        check_class(artifact)
        for file in files:
            shutil.copyfile(file, path / file.name)
        write_text(path / "README.md", readme(artifact))


def check_class(model: Model) -> None:
    """Raise `StepError` unless transformers itself, without a plugin, has a class for the model."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    model_type = json.loads((model.path / "config.json").read_text("utf-8")).get("model_type")
    if model.card.get("family") == "static" or model_type not in CONFIG_MAPPING_NAMES:
        name = "static" if model.card.get("family") == "static" else safe_text(str(model_type))
        raise StepError(
            f"transformers has no class for a {name} model",
            where=model.step or str(model.path),
            expected="a neural model of a class of transformers",
        )


def readme(model: Model) -> str:
    """Return the model card in Markdown."""
    auto_class, task = AUTO_CLASS[model.card["head"]]
    rows = "\n".join(f"| {name} | {_cell(value)} |" for name, value in facts(model).items())
    title = safe_text(model.step or "model")
    note = NOTES.get(model.card["family"], "")
    return README.format(
        task=task,
        title=title,
        auto_class=auto_class,
        note=f"{note}\n\n" if note else "",
        rows=rows,
        card=card_json(model),
    )


def _cell(text: str) -> str:
    shown = safe_text(text).replace("\n", " ").replace("|", "\\|")
    return shown.replace("<", "&lt;").replace("[", "\\[")
