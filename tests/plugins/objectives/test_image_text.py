"""Images and texts: the loss by hand, the temperature, what a record must hold, and the projections stored and restored."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from workbench_plugins.architectures.bert import Bert
from workbench_plugins.objectives.contrastive import Contrastive
from workbench_plugins.objectives.image_text import ImageText
from workbench_plugins.tuning.full import Full
from workbench_plugins.tuning.lora import Lora

from workbench.api import Context, Examples, Model, StepError, Vocab, load_model, weights_beside
from workbench.registry import shared_registry
from workbench.testing.artifacts import small_corpus, small_model, small_tokenizer
from workbench.training.beside import add_beside
from workbench.training.models import with_head
from workbench.training.settings import Budget
from workbench.training.tune import Tune

VOCAB = Vocab(size=30, max_length=16, pad=0, eos=1)
UNIT = {"image": torch.eye(2), "text": torch.eye(2), "scale": torch.tensor(0.0)}


class Fixed(torch.nn.Module):
    """Gives each token its own vector, of two numbers."""

    is_causal = False

    def __init__(self, vectors, **beside):
        super().__init__()
        self.vectors = torch.tensor(vectors)
        self.config = SimpleNamespace(
            is_encoder_decoder=False, model_type="fixed", _attn_implementation="eager", hidden_size=2
        )
        self.beside = torch.nn.ParameterDict({**UNIT, **beside})

    def forward(self, input_ids, **_):
        return SimpleNamespace(last_hidden_state=self.vectors[input_ids])


def collate(*pairs):
    rows = [{"input_ids": text, "image": np.array(image, dtype=np.float32)} for text, image in pairs]
    return ImageText().collate(Examples(rows, VOCAB), np.random.default_rng(1))


def test_the_loss_by_hand():
    """Similarity 1 within and 0 across, at temperature 1/2: ln(1 + e^(-2)) in both directions, however long vectors are."""
    model = Fixed([[0.0, 0.0], [5.0, 0.0], [0.0, 3.0]], scale=torch.tensor(math.log(2)))
    loss, metrics = ImageText().loss(model, collate(([1], [0.5, 0.0]), ([2, 2], [0.0, 7.0])))
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-2)), rel=1e-6)
    assert metrics == {"accuracy": 1.0, "temperature": pytest.approx(0.5)}


def test_the_loss_is_the_same_in_bfloat16():
    """Where training runs in bfloat16 the pairs are compared in float32."""
    model = Fixed([[0.0, 0.0], [5.0, 0.0], [0.0, 3.0]], scale=torch.tensor(math.log(2)))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss, _ = ImageText().loss(model, collate(([1], [0.5, 0.0]), ([2, 2], [0.0, 7.0])))
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-2)), rel=1e-6)


def test_both_directions_count():
    """Both images lie by the first text: ln 2 for each of them; the first text has two at similarity 1, the other at 0."""
    model = Fixed([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    loss, _ = ImageText().loss(model, collate(([1], [1.0, 0.0]), ([2], [2.0, 0.0])))
    by_image = (math.log(1 + math.exp(-1)) + math.log(1 + math.exp(1))) / 2
    assert loss.item() == pytest.approx((by_image + math.log(2)) / 2, rel=1e-6)


def test_images_and_texts_are_projected():
    """A projection that swaps the axes of the images makes wrong pairs of right ones."""
    model = Fixed([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], image=torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    assert ImageText().loss(model, collate(([1], [1.0, 0.0]), ([2], [0.0, 1.0])))[1]["accuracy"] == 0.0


def test_the_temperature_is_learned_and_has_an_end():
    """It begins at 0.07, gets a gradient, and is put back to 0.01 where it fell below."""
    first = ImageText().beside({"image": [1.0, 2.0, 3.0]}, 2)
    assert 1 / first["scale"].exp().item() == pytest.approx(0.07)
    assert (first["image"].shape, first["text"].shape) == ((2, 3), (2, 2))
    assert ImageText(width=5).beside({"image": [1.0]}, 2)["text"].shape == (5, 2)
    model = Fixed([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], scale=torch.tensor(9.0))
    loss, metrics = ImageText().loss(model, collate(([1], [1.0, 0.2]), ([2], [0.9, 1.0])))
    loss.backward()
    assert metrics["temperature"] == pytest.approx(0.01)
    assert model.beside["scale"].grad is not None


def test_repeats_are_no_opposites():
    """Two pairs with the same image cost nothing."""
    model = Fixed([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    loss, _ = ImageText().loss(model, collate(([1], [1.0, 1.0]), ([2], [1.0, 1.0])))
    assert loss.item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("image", [None, [], "1,2", [1.0, None], [math.nan], [[1.0]]])
def test_a_record_without_features_is_named(tmp_path, image):
    tokenizer = small_tokenizer(tmp_path).load()
    with pytest.raises(
        StepError, match=r"record '7' has no features of an image in the column 'image'\n.*\n.*id, text"
    ):
        ImageText().encode({"id": "7", "text": "河边 a river", "image": image}, tokenizer, None, 16)


def test_images_of_different_sizes_are_refused():
    with pytest.raises(StepError, match="images have 1 and 2 features"):
        collate(([1], [1.0]), ([2], [1.0, 2.0]))


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """An encoder tuned on images and texts, and a function that tunes one further."""
    for use in ("objective/image-text", "objective/contrastive", "tuning/full", "tuning/lora"):
        shared_registry().load(use)
    folder = tmp_path_factory.mktemp("tuned")
    texts = [f"{word} number {n}" for n in range(8) for word in ("river 河", "road 路")]
    images = [[math.cos(n), math.sin(n), float(n % 2)] for n in range(16)]
    corpus = small_corpus(folder / "pairs", texts, image=images)
    base = small_model(folder, architecture="architecture/bert", objective="objective/masked")

    def made(name, start=base, tuning=None, objective=None):
        folders = {key: folder / name / key for key in ("output", "scratch", "partial")}
        for path in folders.values():
            path.mkdir(parents=True)
        inputs = {"model": start, "data": corpus}
        ctx = Context("step", "train/tune", 1, folder, inputs=inputs, device="cpu", **folders)
        step = Tune(tuning=tuning or Full(), objective=objective or ImageText(), budget=Budget(steps=3), batch_size=8)
        step.run(ctx)
        return Model(ctx.output, name, step=name)

    return made("first"), made


def test_projections_are_stored_with_the_model_and_restored(tuned):
    """`load_model` has them, transformers alone loads the body; training goes on with them, after LoRA too."""
    from transformers import AutoModel

    first, made = tuned
    shapes = {"image": [16, 3], "text": [16, 16], "scale": []}
    assert json.loads((first.path / "config.json").read_text("utf-8"))["beside"] == shapes
    learned = weights_beside(load_model(first))
    assert {name: list(value.shape) for name, value in learned.items()} == shapes
    assert first.card["trained_parameters"] - AutoModel.from_pretrained(first.path).num_parameters() == 48 + 256 + 1
    further = weights_beside(load_model(made("further", first, Lora(rank=2))))
    moved = (further["image"] - learned["image"]).abs().max().item()
    assert 0 < moved < 0.01


def test_another_objective_leaves_them_out(tuned):
    """A folder never tells of weights that it does not hold."""
    first, made = tuned
    other = made("other", first, objective=Contrastive())
    assert "beside" not in json.loads((other.path / "config.json").read_text("utf-8"))
    with pytest.raises(StepError, match="nothing was learned beside this model"):
        weights_beside(load_model(other))
    assert not hasattr(load_model(first, "masked-lm"), "beside")


def test_pairs_are_learned(ctx):
    torch.manual_seed(1)
    model = with_head(Bert(layers=1, width=16, heads=2).build(VOCAB, ctx), "body")
    batch = collate(*(([5 + n, 6], np.eye(8)[n]) for n in range(8)))
    add_beside(model, ImageText(), {"image": np.eye(8)[0]})
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(30):
        loss, _ = ImageText().loss(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]
