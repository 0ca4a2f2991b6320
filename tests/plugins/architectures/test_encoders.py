"""RoBERTa, ModernBERT, the autoencoder, T5, BART and XLNet: weights counted by hand, and what each is special for."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from workbench_plugins.architectures.autoencoder import Autoencoder
from workbench_plugins.architectures.bart import Bart
from workbench_plugins.architectures.modernbert import ModernBert
from workbench_plugins.architectures.places import sinusoids
from workbench_plugins.architectures.roberta import Roberta
from workbench_plugins.architectures.t5 import T5
from workbench_plugins.architectures.xlnet import XlNet

from workbench.api import Context, Vocab

CTX = Context("step", "architecture/any", 1, *(Path() for _ in range(4)))
VOCAB = Vocab(size=50, max_length=16, pad=0, eos=1, mask=2, cls=3, sep=4)
V, T, W, F, G = 50, 16, 32, 128, 96  # vocabulary, positions, width, 4·W, 8/3·W rounded up to 32
SMALL = {"layers": 2, "width": W, "heads": 2}
ATTENTION, BIASES, NORM = 4 * W * W, 4 * W, 2 * W
BLOCK = ATTENTION + BIASES + 2 * W * F + F + W + 2 * NORM  # BERT's
CROSS = ATTENTION + BIASES + NORM  # what a decoder's block has beside it
T5_BLOCK = ATTENTION + 3 * W * G + 2 * W


def build(component, vocab=VOCAB):
    torch.manual_seed(1)
    return component.build(vocab, CTX).eval()


@pytest.mark.parametrize(
    "component,expected",
    [
        (Roberta(**SMALL), (V + T + 1 + 1) * W + NORM + 2 * BLOCK + W * W + W + NORM + V),
        (ModernBert(**SMALL), V * W + W + 2 * (ATTENTION + 3 * W * 48 + 2 * W) - W + W + W * W + W + V),
        (
            Autoencoder(**SMALL, bottleneck=4),
            (V + T + 2) * W
            + NORM
            + 2 * BLOCK
            + 4 * W
            + 4
            + 4 * W
            + W
            + T * W
            + NORM
            + 2 * BLOCK
            + W * W
            + W
            + NORM
            + V,
        ),
        (T5(**SMALL), V * W + 2 * T5_BLOCK + 2 * (T5_BLOCK + ATTENTION + W) + 2 * W + 2 * 32 * 2),
        (Bart(**SMALL), V * W + 2 * (2 * T + 2) * W + 2 * NORM + 2 * BLOCK + 2 * (BLOCK + CROSS)),
        (XlNet(**SMALL), V * W + W + 2 * (5 * W * W + 3 * W + 2 * W + NORM + 2 * W * F + F + W + NORM) + V),
    ],
    ids=lambda given: type(given).__name__ if not isinstance(given, int) else "",
)
def test_parameters_by_hand(component, expected):
    """Embeddings, blocks, heads; shared weights once.

    ModernBERT's first block has no norm before its attention; its gated layers are 3/2 · W wide. T5 has 32 buckets of
    distances for each head and stack. XLNet has a fifth matrix for distances, three biases of its own and two vectors
    for segments in each block.
    """
    assert sum(weight.numel() for weight in build(component).parameters()) == expected


def test_roberta_has_as_many_positions_as_rows_are_long():
    """Its table begins behind the padding token's id."""
    other = Vocab(size=50, max_length=16, pad=7, mask=2, cls=3, sep=4)
    assert build(Roberta(**SMALL), other).roberta.embeddings.position_embeddings.weight.shape[0] == 16 + 7 + 1


@pytest.mark.parametrize("cls", [Roberta, Bart])
def test_sinusoidal_positions_are_fixed(cls):
    """They stand behind the rows that are not for positions."""
    model = build(cls(**SMALL, positions="sinusoidal"))
    tables = (
        [model.roberta.embeddings.position_embeddings]
        if cls is Roberta
        else [model.model.encoder.embed_positions, model.model.decoder.embed_positions]
    )
    first = 1 if cls is Roberta else 2
    for table in tables:
        assert not table.weight.requires_grad
        assert torch.equal(table.weight[first:], 0.02 * sinusoids(len(table.weight) - first, W))


def test_the_decoder_may_have_other_sizes():
    """Fewer blocks, and T5's first version with ReLU."""
    model = build(T5(**SMALL, decoder_layers=1, feed_forward="relu"))
    assert (len(model.encoder.block), len(model.decoder.block)) == (2, 1)
    assert model.encoder.block[0].layer[1].DenseReluDense.wi.weight.shape == (F, W)


def test_a_vector_is_as_large_as_the_bottleneck():
    """Two documents of a row have a vector each, that of padding aside."""
    model = build(Autoencoder(**SMALL, bottleneck=4))
    ids, segments = torch.arange(6, 14)[None], torch.tensor([[1, 1, 1, 2, 2, 2, 2, 0]])
    assert model.encoder(ids, segment_ids=segments).pooler_output.shape == (1, 3, 4)


def test_a_class_of_our_own_loads_where_the_plugin_is_installed(tmp_path):
    """A fresh process that has imported nothing of it finds the plugin by the name in config.json."""
    build(Autoencoder(**SMALL)).save_pretrained(tmp_path)
    script = (
        "import sys; from pathlib import Path; from workbench.artifacts import Model;"
        "from workbench.training.models import load_model;"
        "print(type(load_model(Model(Path(sys.argv[1])), 'reconstruction')).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "AutoencoderForReconstruction", done.stderr


@pytest.mark.parametrize("cls", [Roberta, ModernBert, Autoencoder, T5, Bart, XlNet])
def test_sizes_that_do_not_fit_are_refused(cls):
    """A width that cannot be divided is named."""
    with pytest.raises(ValidationError, match="width 30 cannot be divided among 4 heads"):
        cls(width=30, heads=4)
