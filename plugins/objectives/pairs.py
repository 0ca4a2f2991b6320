"""Pairs of stretches of text, made from packed documents: what next-sentence and sentence-order tell apart.

A pair is laid down as `[CLS] A [SEP] B [SEP]` where the tokenizer has these tokens, with types 0 and 1 (Devlin et al.
2019, figure 2); without them A and B stand behind each other with the end token between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from workbench_plugins.objectives.documents import documents_of, lay_down
from workbench_plugins.objectives.pieces import sentence_ends

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from workbench.api import Examples, Vocab

Ints = np.ndarray[Any, np.dtype[np.int64]]
FEWEST = 4  # tokens of a document that is made a pair of


def halves(examples: Examples, rng: np.random.Generator) -> Iterator[tuple[Ints, Ints]]:
    """Yield the two halves of each document of the rows that has four tokens or more, without special tokens.

    It is cut at an end of a sentence drawn at random, or anywhere if there is none; both together with the tokens
    around them fit into the model.
    """
    vocab = examples.vocab
    ends_v = sentence_ends(vocab)
    around = [number for number in (vocab.cls, vocab.sep, vocab.eos, vocab.bos, vocab.pad) if number is not None]
    for row in examples.rows:
        for document in documents_of(row):
            body = document[~np.isin(document, around)][: vocab.max_length - 3]
            if len(body) < FEWEST:
                continue
            cuts = np.flatnonzero(ends_v[body[:-1]]) + 1
            cut = int(rng.choice(cuts)) if len(cuts) else int(rng.integers(1, len(body)))
            yield body[:cut], body[cut:]


def lay_pairs(pairs: Sequence[tuple[Ints, Ints]], vocab: Vocab) -> dict[str, Ints]:
    """Return `input_ids`, `segment_ids` and `token_type_ids` of pairs, each int64[B, T], one pair for each row."""
    between = vocab.sep if vocab.sep is not None else vocab.eos
    start = np.array([] if vocab.cls is None else [vocab.cls], dtype=np.int64)
    stop = np.array([] if between is None else [between], dtype=np.int64)
    rows, types = [], []
    for first, second in pairs:
        sides = (np.concatenate([start, first, stop]), np.concatenate([second, stop]))
        rows.append([np.concatenate(sides)])
        types.append([np.repeat([0, 1], [len(sides[0]), len(sides[1])])])
    ids, segments = lay_down(rows, vocab.pad)
    return {"input_ids": ids, "segment_ids": segments, "token_type_ids": lay_down(types, 0)[0]}


def tensors(batch: Mapping[str, Ints]) -> dict[str, Any]:
    """Return the arrays as tensors."""
    import torch

    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in batch.items()}
