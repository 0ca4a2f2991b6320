"""The loop of word2vec, compiled. One thread, documents in order: the same bits again.

Shapes: V vocabulary, W width, N tokens.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from workbench_plugins.architectures.compiled import compiled, vectorised

Array = np.ndarray[Any, np.dtype[Any]]
LIMIT = 8.0  # scores beyond it are as good as certain: sigmoid(8) = 0.9997
STEPS = 4096  # of the table between -LIMIT and LIMIT
GOLDEN, MIX_A, MIX_B = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def sigmoid_table() -> Array:
    """Return float32[2, STEPS]: the sigmoid in the middle of each step, and its negative logarithm."""
    centres = (np.arange(STEPS) + 0.5) / STEPS * 2 * LIMIT - LIMIT
    return np.stack([1 / (1 + np.exp(-centres)), np.log1p(np.exp(-centres))]).astype(np.float32)


@compiled
def alias_table(weights_v: Array) -> tuple[Array, Array]:
    """Return float32[V] and uint32[V] to draw from `weights_v` in one look-up (Vose 1991).

    Draw v evenly; take v with the probability `share_v[v]`, else `other_v[v]`.
    """
    size = len(weights_v)
    scaled_v = weights_v * (size / weights_v.sum())
    share_v, other_v = np.ones(size, dtype=np.float32), np.arange(size).astype(np.uint32)
    small, large = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    num_small = num_large = 0
    for token in range(size):
        if scaled_v[token] < 1:
            small[num_small] = token
            num_small += 1
        else:
            large[num_large] = token
            num_large += 1
    while num_small and num_large:
        num_small -= 1
        low, high = small[num_small], large[num_large - 1]
        share_v[low], other_v[low] = scaled_v[low], high
        scaled_v[high] -= 1 - scaled_v[low]
        if scaled_v[high] < 1:
            num_large -= 1
            small[num_small] = high
            num_small += 1
    return share_v, other_v


@compiled
def random_bits(state: Array) -> Any:
    """Return uint64: random bits and move the state on: splitmix64 (Steele et al. 2014)."""
    state[0] += GOLDEN
    value = state[0]
    value = (value ^ (value >> np.uint64(30))) * MIX_A
    value = (value ^ (value >> np.uint64(27))) * MIX_B
    return value ^ (value >> np.uint64(31))


class Space(NamedTuple):
    """What is learned, and room to work in.

    Attributes:
        vectors_vw: float32[V, W], what predicts.
        outputs_vw: float32[V, W], what is predicted.
        hidden_w: float32[W], the mean of a window.
        error_w: float32[W], what a prediction tells the vector it was made from.
    """

    vectors_vw: Array
    outputs_vw: Array
    hidden_w: Array
    error_w: Array


class Drawing(NamedTuple):
    """How tokens are drawn to be told from those that were there.

    Attributes:
        negative: How many for each prediction.
        share_v: See `alias_table`.
        other_v: See `alias_table`.
        state: uint64[1], of the random numbers.
        table: See `sigmoid_table`.
    """

    negative: int
    share_v: Array
    other_v: Array
    state: Array
    table: Array


@vectorised
def tell_apart(
    hidden_w: Array, output_w: Array, error_w: Array, sign: np.float32, rate: np.float32, table: Array
) -> np.float32:
    """Move one output vector to (sign 1) or from (-1) what predicts it, add to the error of that, return the loss."""
    score = np.float32(0)
    for place in range(len(hidden_w)):
        score += hidden_w[place] * output_w[place]
    step = int((sign * score + np.float32(LIMIT)) * np.float32(STEPS / 2 / LIMIT))
    step = min(max(step, 0), STEPS - 1)
    gain = sign * rate * (np.float32(1) - table[0, step])
    for place in range(len(hidden_w)):
        before = output_w[place]
        error_w[place] += gain * before
        output_w[place] = before + gain * hidden_w[place]
    loss: np.float32 = table[1, step]
    return loss


@vectorised
def predict(hidden_w: Array, true: int, space: Space, drawing: Drawing, rate: np.float32) -> np.float32:
    """Learn one prediction: tell `true` from drawn tokens. Fills `space.error_w`; returns the loss."""
    outputs_vw, error_w, table = space.outputs_vw, space.error_w, drawing.table
    error_w[:] = np.float32(0)
    loss = tell_apart(hidden_w, outputs_vw[true], error_w, np.float32(1), rate, table)
    size = np.uint64(len(drawing.share_v))
    for _ in range(drawing.negative):
        bits = random_bits(drawing.state)
        token = np.int64(((bits >> np.uint64(32)) * size) >> np.uint64(32))
        if np.float32(bits & np.uint64(0xFFFFFF)) >= drawing.share_v[token] * np.float32(0x1000000):
            token = np.int64(drawing.other_v[token])
        if token != true:
            loss += tell_apart(hidden_w, outputs_vw[token], error_w, np.float32(-1), rate, table)
    return loss


@vectorised
def learn_around(
    kept: Array, place: int, first: int, last: int, space: Space, drawing: Drawing, rate: np.float32
) -> float:
    """Predict each token of kept[first:last] from the one at `place`; return the sum of the losses."""
    own_w = space.vectors_vw[kept[place]]
    total: Any = 0.0
    for other in range(first, last):
        if other != place:
            total += predict(own_w, kept[other], space, drawing, rate)
            for column in range(len(own_w)):
                own_w[column] += space.error_w[column]
    return float(total)


@vectorised
def learn_centre(
    kept: Array, place: int, first: int, last: int, space: Space, drawing: Drawing, rate: np.float32
) -> float:
    """Predict the token at `place` from the mean of the others of kept[first:last]; return the loss."""
    hidden_w, error_w, vectors_vw = space.hidden_w, space.error_w, space.vectors_vw
    part = np.float32(1) / np.float32(last - first - 1)
    hidden_w[:] = np.float32(0)
    for other in range(first, last):
        if other != place:
            near_w = vectors_vw[kept[other]]
            for column in range(len(hidden_w)):
                hidden_w[column] += part * near_w[column]
    loss = predict(hidden_w, kept[place], space, drawing, rate)
    for other in range(first, last):
        if other != place:
            near_w = vectors_vw[kept[other]]
            for column in range(len(hidden_w)):
                near_w[column] += part * error_w[column]
    return float(loss)


@compiled
def thin_out(ids_n: Array, begin: int, end: int, keep_v: Array, state: Array, kept: Array) -> int:
    """Write the tokens of ids_n[begin:end] that stay into `kept`, and return how many."""
    num = 0
    for place in range(begin, end):
        if (random_bits(state) >> np.uint64(32)) < keep_v[ids_n[place]]:
            kept[num] = ids_n[place]
            num += 1
    return num


@compiled
def learn_documents(
    ids_n: Array, bounds: Array, keep_v: Array, rates: Array, space: Space, drawing: Drawing, reach: int
) -> tuple[float, int]:
    """Go once through documents, changing the vectors in place.

    Args:
        ids_n: Token ids.
        bounds: int64[D + 1]: where the documents to learn from begin, and the end of the last.
        keep_v: uint32[V]: a token stays when 32 random bits are below; 0 for tokens that are left out.
        rates: float32[D]: the learning rate in each document.
        space: The vectors.
        drawing: How tokens are drawn.
        reach: Tokens to each side at most; negative when their mean predicts the centre.

    Returns:
        The sum of the losses, and the number of predictions.
    """
    kept = np.empty(np.max(bounds[1:] - bounds[:-1]), dtype=np.int64)
    total, predictions, window = 0.0, 0, np.uint64(abs(reach))
    for document in range(len(bounds) - 1):
        num = thin_out(ids_n, bounds[document], bounds[document + 1], keep_v, drawing.state, kept)
        for place in range(num):
            drawn: Any = 1 + np.int64(((random_bits(drawing.state) >> np.uint64(32)) * window) >> np.uint64(32))
            first, last = max(0, place - drawn), min(num, place + drawn + 1)
            if last - first == 1:  # the centre is alone
                continue
            if reach < 0:
                total += learn_centre(kept, place, first, last, space, drawing, rates[document])
                predictions += 1
            else:
                total += learn_around(kept, place, first, last, space, drawing, rates[document])
                predictions += last - first - 1
    return total, predictions
