"""Models to and from disk: Hugging Face folders, safetensors only, nothing fetched, no code from data.

A folder is looked at before transformers sees it. Pickled weights, custom code (`auto_map`), adapters that point at
another model, and attention kernels from the hub are refused, each with what to do instead.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from workbench.artifacts.model import Model
from workbench.artifacts.tokenizer import Tokenizer
from workbench.errors import StepError, UnknownName
from workbench.registry import shared_registry
from workbench.training.beside import remove_beside, restore_beside
from workbench.training.static import is_static

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from workbench.contracts.model import Architecture

AUTO_CLASS = {
    "causal-lm": "AutoModelForCausalLM",
    "masked-lm": "AutoModelForMaskedLM",
    "seq2seq-lm": "AutoModelForSeq2SeqLM",
    "permutation-lm": "AutoModelForCausalLM",
    "pretraining": "AutoModelForPreTraining",
    "reconstruction": "AutoModelForMaskedLM",
    "sequence-classification": "AutoModelForSequenceClassification",
    "token-classification": "AutoModelForTokenClassification",
    "body": "AutoModel",
}
PICKLED = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")
OTHER_WEIGHTS = (".h5", ".msgpack", ".npz", ".onnx", ".gguf")
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
CONVERT = "load it where you trust it and call model.save_pretrained(folder), which writes safetensors"


def load_model(
    model: Model, head: str | None = None, labels: Sequence[str] | None = None, device: torch.device | str = "cpu"
) -> PreTrainedModel:
    """Return the model of an artifact, in float32, ready for evaluation.

    Args:
        model: The artifact; or any Hugging Face folder as `Model(path)`, if `head` is given.
        head: One of `AUTO_CLASS`; default: the head it was trained with. Another head starts fresh, from torch's
            generator.
        labels: Names of the classes. Other names than the model's own give it a fresh head.
        device: Where it goes.

    Raises `StepError` when the folder holds no safetensors weights, wants code to be run, lacks weights, or is not
    what its configuration says.
    """
    import torch

    check_folder(model.path)
    if is_static(model.path):
        raise StepError(
            "a static model, which transformers does not know",
            where=model.step or str(model.path),
            expected="a neural model",
        )
    card = _card(model)
    wanted = head or card.get("head") or ""
    if wanted not in AUTO_CLASS:
        raise UnknownName.among("model head", wanted, AUTO_CLASS, where=str(model.path))
    is_renamed = wanted == card.get("head") and labels is not None and list(labels) != card.get("labels")
    is_fresh = is_renamed or wanted != card.get("head")
    extra: dict[str, Any] = {"ignore_mismatched_sizes": is_fresh}
    if labels is not None:
        extra["id2label"] = dict(enumerate(labels))
        extra["label2id"] = {label: number for number, label in enumerate(labels)}
    loaded, report = _from_pretrained(model, wanted, extra)
    _check_complete(loaded, report, model, is_fresh=is_fresh)
    if is_renamed:
        _renew_head(loaded)
    if is_fresh:
        remove_beside(loaded)
    else:
        restore_beside(loaded, model.path)
    if loaded.config.pad_token_id is None:
        loaded.config.pad_token_id = model.tokenizer.vocab(1).pad
    return loaded.to(device=torch.device(device)).eval()


def with_head(model: PreTrainedModel, head: str, labels: Sequence[str] | None = None) -> PreTrainedModel:
    """Return the body of `model` under a fresh head, which torch's generator draws.

    Args:
        model: Stays as it is.
        head: One of `AUTO_CLASS`; `body` is no head at all.
        labels: Names of the classes, for heads that tell some apart.
    """
    config = copy.deepcopy(model.config)
    if labels is not None:
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: number for number, label in enumerate(labels)}
    _offer_classifier(config)
    import transformers

    fresh = getattr(transformers, AUTO_CLASS[head]).from_config(config)
    fresh.base_model.load_state_dict(model.base_model.state_dict(), strict=False)  # a body may lack its pooler
    learns = {name: weight.requires_grad for name, weight in model.base_model.named_parameters()}
    for name, weight in fresh.base_model.named_parameters():
        weight.requires_grad_(learns.get(name, True))
    return fresh


def save_model(model: PreTrainedModel, tokenizer: Tokenizer, path: Path) -> None:
    """Write `model` and its tokenizer into `path` as a Hugging Face folder; equal weights give equal bytes."""
    with quiet_transformers():
        model.save_pretrained(path)
    for name in TOKENIZER_FILES:
        shutil.copyfile(tokenizer.path / name, path / name)


def check_folder(path: Path) -> None:
    """Raise `StepError` unless `path` is a model folder that can be loaded without running anything from it."""
    if not (path / "config.json").is_file():
        raise StepError("this is no model folder", where=str(path), expected="config.json and *.safetensors")
    if (path / "adapter_config.json").exists():
        raise StepError(
            "this is an adapter that loads another model",
            where=str(path),
            advice="merge it into its model first: peft's merge_and_unload(), then save_pretrained(folder)",
        )
    _refuse_other_weights(path)
    for name in ("config.json", "tokenizer_config.json"):
        _refuse_code(path / name)
    for index in path.glob("*.safetensors.index.json"):
        _refuse_foreign_shards(index)


def _refuse_other_weights(path: Path) -> None:
    if any(path.glob("*.safetensors")):
        return
    other = sorted(file.name for file in path.iterdir() if file.suffix in (*PICKLED, *OTHER_WEIGHTS))
    if any(name.endswith(PICKLED) for name in other):
        raise StepError(
            f"{other[0]} may run code when it is read", where=str(path), expected="*.safetensors", advice=CONVERT
        )
    found = f"; found {', '.join(other)}" if other else ""
    raise StepError(f"no weights{found}", where=str(path), expected="*.safetensors", advice=CONVERT if other else "")


def _refuse_code(path: Path) -> None:
    if not path.exists():
        return
    config = _read(path)
    if config.get("auto_map") or config.get("custom_pipelines"):
        raise StepError(
            "it wants Python code of its own to be run (auto_map)",
            where=str(path),
            expected="a model whose class is part of transformers or of an installed plugin",
        )
    kernel = str(config.get("_attn_implementation") or config.get("attn_implementation") or "")
    if "/" in kernel:
        raise StepError(f"it wants an attention kernel from the hub: {kernel[:60]!r}", where=str(path))


def _refuse_foreign_shards(index: Path) -> None:
    shards = _read(index).get("weight_map")
    names = shards.values() if isinstance(shards, dict) else [shards]
    for name in names:
        if not isinstance(name, str) or Path(name).name != name or not name.endswith(".safetensors"):
            raise StepError(
                f"it names a shard {str(name)[:60]!r}", where=str(index), expected="*.safetensors beside it"
            )


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise StepError(f"not JSON: {str(error)[:100]}", where=str(path)) from error
    if not isinstance(content, dict):
        raise StepError(f"a JSON {type(content).__name__}", where=str(path), expected="an object")
    return content


def _make_known(path: Path) -> None:
    """Let the plugin whose classes this model is of tell transformers about them, unless it knows them already."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    model_type = _read(path / "config.json").get("model_type")
    if model_type in CONFIG_MAPPING:
        return
    registry = shared_registry()
    for ref in registry.refs("architecture"):
        architecture = registry.load(ref.id)
        if model_type in getattr(architecture, "model_types", ()):
            cast("type[Architecture]", architecture).register()
            return


def _offer_classifier(config: Any) -> None:
    """Give decoders that transformers has no classifier for (Cohere, which PaLM is made of) its general one."""
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification
    from transformers.modeling_layers import GenericForSequenceClassification

    known = AutoModelForSequenceClassification._model_mapping  # noqa: SLF001  # there is no public question
    if type(config) in known or type(config) not in AutoModelForCausalLM._model_mapping:  # noqa: SLF001
        return
    decoder = AutoModelForCausalLM._model_mapping[type(config)]  # noqa: SLF001
    name = decoder.__name__.replace("ForCausalLM", "ForSequenceClassification")
    base = next(cls for cls in decoder.__mro__ if cls.__name__.endswith("PreTrainedModel"))
    classifier = type(name, (GenericForSequenceClassification, base), {"__module__": __name__})
    AutoModelForSequenceClassification.register(type(config), classifier, exist_ok=True)  # else transformers ignores it


def _card(model: Model) -> dict[str, Any]:
    return model.card if (model.path / "training.json").exists() else {}


def _from_pretrained(model: Model, head: str, extra: dict[str, Any]) -> tuple[PreTrainedModel, dict[str, Any]]:
    import torch
    import transformers

    auto_class = getattr(transformers, AUTO_CLASS[head])
    _make_known(model.path)
    try:
        _offer_classifier(transformers.AutoConfig.from_pretrained(model.path, local_files_only=True))
        with quiet_transformers():
            loaded, report = auto_class.from_pretrained(
                model.path,
                trust_remote_code=False,
                local_files_only=True,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
                **extra,
            )
    except Exception as error:  # a foreign folder can fail in any way
        first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise StepError(f"transformers cannot load it: {first_line[:200]}", where=str(model.path)) from error
    return loaded, report


def _check_complete(model: PreTrainedModel, report: dict[str, Any], artifact: Model, *, is_fresh: bool) -> None:
    body = f"{model.base_model_prefix}."
    lacking = sorted(report["missing_keys"])
    if is_fresh:
        lacking = [name for name in lacking if name.startswith(body) and ".pooler." not in name]
    if lacking:
        raise StepError(
            f"{len(lacking)} weights are missing, the first is {lacking[0]}",
            where=str(artifact.path),
            expected=f"every weight of {type(model).__name__}",
        )


def _renew_head(model: PreTrainedModel) -> None:
    """Replace everything above the body: weights that were trained for other labels mean nothing for these."""
    fresh = type(model)(model.config)
    for name, module in fresh.named_children():
        if name != model.base_model_prefix:
            setattr(model, name, module)


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep transformers from printing reports and progress bars inside; restore what was set before."""
    from transformers.utils import logging

    level, has_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if has_bars:
            logging.enable_progress_bar()
