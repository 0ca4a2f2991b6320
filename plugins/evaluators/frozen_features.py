"""What a trained model makes of a text, as vectors: the means of its hidden states, or the columns it counts.

Special here: one way of reading for every family, so that their vectors can be compared.

    encoder            its states
    decoder            its states, each of which saw the text up to its token
    prefix decoder     its states, the whole text read as the prefix
    permutation        its states with nothing to be predicted, so that every token sees all others
    encoder-decoder    the states of its encoder; the decoder is not run
    features           the columns (`bow`, `tfidf`, `ngram-counts`), which read as much of a text as they were set to
    embedding          the mean of the vectors of its tokens (`word2vec`)

Nothing learns: the prediction head is left out, gradients are off.

Shape suffixes: N texts, B texts of a batch, T tokens, W width, F columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from workbench_plugins.evaluators.network import opened

from workbench.api import (
    StaticFeatures,
    StaticVectors,
    StepError,
    batches_by_length,
    encode_text,
    load_static,
    model_inputs,
    pad_rows,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from workbench_plugins.evaluators.network import Network

    from workbench.api import Context, Model

Floats = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class TextVectors:
    """The vectors of some texts.

    Attributes:
        layers: One matrix of a row for each text: for a network float32[N, W] of the embeddings and of each block, the
            last one last (only the last where its class gives no others); for a static model one, float32[N, W] or a
            scipy CSR matrix float64[N, F].
        read: What was read of each text, in words.
    """

    layers: list[Any]
    read: str


def text_vectors(model: Model, texts: Sequence[str], length: int | None, ctx: Context) -> TextVectors:
    """Return the vectors of texts.

    Args:
        model: The artifact.
        texts: What is read, each from its beginning.
        length: Tokens that are read of each; default: what the model was trained with.
        ctx: Says the device, and is told of the progress.

    Raises `StepError` when the model has no vectors of texts, or no length that it was made for.
    """
    if model.card.get("family") == "static":
        return _static_vectors(model, texts, length)
    with opened(model, ctx) as network:
        most = network.longest_row(model, length)
        rows = [encode_text(network.tokenizer, text, most) for text in texts]
        return TextVectors(_layer_means(network, rows, ctx), f"the first {most} tokens")


def _layer_means(network: Network, rows: Sequence[Sequence[int]], ctx: Context) -> list[Floats]:
    """Return the mean of the states of each layer; a text without a token has a vector of zeros."""
    body = network.model.base_model
    parts = [body, body.get_encoder()] if body.config.is_encoder_decoder else [body]
    for part in parts:
        part.config.output_hidden_states = True
    layers: list[Floats] = []
    places = [place for place, row in enumerate(rows) if row]
    width = int(body.config.hidden_size) * (1 + int(getattr(body.config, "num_hidden_layers", 1)))
    done = 0
    for batch in batches_by_length([len(rows[place]) for place in places], width):
        chosen = [places[number] for number in batch]
        means = [mean_bw.cpu().numpy() for mean_bw in _means(network, body, [rows[place] for place in chosen])]
        layers = layers or [np.zeros((len(rows), mean_bw.shape[1]), dtype=np.float32) for mean_bw in means]
        for layer_nw, mean_bw in zip(layers, means, strict=True):
            layer_nw[chosen] = mean_bw
        done += len(chosen)
        ctx.progress(done, len(places))
    if not layers:
        raise StepError("no text has a token", where=ctx.step)
    return layers


def _means(network: Network, body: Any, rows: Sequence[Sequence[int]]) -> list[torch.Tensor]:
    """Return float32[B, W] of each layer."""
    padded = pad_rows(rows, network.model.config.pad_token_id)
    batch = {name: value.to(network.device) for name, value in padded.items()}
    inputs = model_inputs(body, batch)
    output = inputs["encoder_outputs"] if body.config.is_encoder_decoder else body(**inputs)
    states = output.hidden_states or (output.last_hidden_state,)
    is_text_bt1 = (batch["segment_ids"] > 0).unsqueeze(2)
    counts_b1 = is_text_bt1.sum(dim=1)
    return [(state_btw.float() * is_text_bt1).sum(dim=1) / counts_b1 for state_btw in states]


def _static_vectors(model: Model, texts: Sequence[str], length: int | None) -> TextVectors:
    loaded = load_static(model)
    if isinstance(loaded, StaticFeatures):
        return TextVectors([loaded.transform(texts)], "as much as its columns were set to read")
    if not isinstance(loaded, StaticVectors):
        raise StepError(
            f"a model of {model.card.get('architecture')} has no vectors of texts",
            where=model.step or str(model.path),
            expected="a network, or a static model with the head features or embedding",
        )
    vectors_vw, tokenizer = loaded.vectors_vw, model.tokenizer.load()
    means_nw = np.zeros((len(texts), vectors_vw.shape[1]), dtype=np.float32)
    for number, text in enumerate(texts):
        ids = encode_text(tokenizer, text, length)
        known = [token for token in ids if vectors_vw[token].any()]
        if known:
            means_nw[number] = vectors_vw[known].mean(axis=0)
    return TextVectors([means_nw], f"the first {length} tokens" if length else "the whole text")
