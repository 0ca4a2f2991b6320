"""The counted n-grams of a text, as a tree in three arrays, and what smoothing makes of the counts.

Additive smoothing gives the n-grams that were not seen the mass ε, shared out as the next shorter context says:
P(x) = (n(x) + ε₁ / m) / (n + ε₁), P(x' | x) = (n(x, x') + ε₂ P(x')) / (n(x) + ε₂), and so on, where n(x) counts what
came after x. Interpolated Kneser-Ney (Kneser and Ney 1995; Chen and Goodman 1999, section 2.7 and, modified, 3) takes
a discount D from every count and gives the sum of what was taken to the next shorter context; of an n-gram shorter
than the order it counts not how often it was seen but after how many different tokens.

Shapes: M nodes, C nodes that are contexts (all but those of the highest order), V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from workbench_plugins.architectures.ngram_kernel import find_suffixes, number_ngrams, renumber

if TYPE_CHECKING:
    from workbench.api import TokenStream

Array = np.ndarray[Any, np.dtype[Any]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
TOO_MANY = 2**32 - 1  # nodes and tokens are numbered in 32 bits
FALLBACK = (0.5, 1.0, 1.5)  # of counts 1, 2, 3 and more, where counts of counts give none


@dataclass(frozen=True)
class NgramTree:
    """Every n-gram of orders 1 to n, each once.

    Attributes:
        sizes: How many nodes each order has; the first is the vocabulary, seen or not.
        tokens: uint32[M], the last token of each node; within an order nodes are sorted by parent, then token.
        counts: uint32[M], how often it was seen.
        children: uint32[C + 1]; node c has the children children[c] to children[c + 1].
    """

    sizes: tuple[int, ...]
    tokens: Array
    counts: Array
    children: Array

    @property
    def order(self) -> int:
        """Length of the longest n-grams."""
        return len(self.sizes)

    @property
    def vocab_size(self) -> int:
        """How many tokens there are."""
        return self.sizes[0]

    def of_order(self, length: int) -> slice:
        """Return which nodes are n-grams of this length."""
        begin = sum(self.sizes[: length - 1])
        return slice(begin, begin + self.sizes[length - 1])

    @cached_property
    def parents(self) -> Array:
        """int64[M]: the node of each n-gram without its last token; -1 for order 1."""
        contexts = np.repeat(np.arange(len(self.children) - 1), self.children[1:] - self.children[:-1])
        return np.concatenate([np.full(self.vocab_size, -1), contexts])

    @cached_property
    def suffixes(self) -> Array:
        """int64[M]: the node of each n-gram without its first token; -1 for order 1."""
        return find_suffixes(self.children, self.tokens, self.vocab_size)

    def continuations(self) -> Array:
        """Return int64[M]: for the highest order the counts, for the others after how many tokens each was seen."""
        top = self.of_order(self.order)
        adjusted = np.bincount(self.suffixes[self.vocab_size :], minlength=len(self.tokens))
        adjusted[top] = self.counts[top]
        return adjusted

    def check(self) -> None:
        """Raise `ValueError` unless the arrays are a tree that can be walked without looking outside of them."""
        num, contexts = len(self.tokens), len(self.tokens) - self.sizes[-1]
        children = self.children.astype(np.int64)
        problem = ""
        if sum(self.sizes) != num or len(self.counts) != num or len(children) != contexts + 1:
            problem = "arrays of different lengths"
        elif not (np.diff(children) >= 0).all() or children[0] != self.vocab_size or children[-1] != num:
            problem = "children out of order"
        elif not (self.tokens[: self.vocab_size] == np.arange(self.vocab_size)).all() or (
            self.tokens.max() >= self.vocab_size
        ):
            problem = "tokens outside the vocabulary"
        elif any(
            children[self.of_order(length).stop] != self.of_order(length + 1).stop for length in range(1, self.order)
        ):
            problem = "children of another order"
        elif not _sorted_children(self.tokens, children) or (self.suffixes[self.vocab_size :] < 0).any():
            problem = "n-grams whose own parts are missing"
        if problem:
            raise ValueError(f"not a tree of n-grams: {problem}")


def _sorted_children(tokens: Array, children: Array) -> bool:
    rises = np.diff(tokens.astype(np.int64)) > 0
    rises[np.unique(children[(children > 0) & (children < len(tokens))]) - 1] = True
    return bool(rises[children[0] :].all()) if len(tokens) > children[0] else True


def count_ngrams(stream: TokenStream, order: int, vocab_size: int) -> NgramTree:
    """Return the n-grams of a text up to `order`; none reaches over the border of a document.

    Raises `ValueError` when there are more tokens or n-grams than 32 bits can number.
    """
    if len(stream) > TOO_MANY:
        raise ValueError(f"{len(stream):,} tokens; n-grams of at most {TOO_MANY:,} can be counted")
    tokens: list[Array] = [np.arange(vocab_size, dtype=np.uint32)]
    counts: list[Array] = [np.bincount(stream.ids_n, minlength=vocab_size).astype(np.uint32)]
    degrees: list[Array] = []
    before_n = stream.ids_n.astype(np.uint32)
    for length in range(2, order + 1):
        keys, seen, numbers_n = number_ngrams(stream.ids_n, stream.bounds, before_n, length, vocab_size)
        order_u = np.argsort(keys)
        rank_u = np.empty(len(keys), dtype=np.uint32)
        rank_u[order_u] = np.arange(len(keys), dtype=np.uint32)
        renumber(numbers_n, rank_u)
        parents_u, tokens_u = np.divmod(keys[order_u], np.uint64(vocab_size))
        tokens.append(tokens_u.astype(np.uint32))
        degrees.append(np.bincount(parents_u.astype(np.int64), minlength=len(counts[-1])))
        counts.append(seen[order_u])
        before_n = numbers_n
        if sum(map(len, counts)) > TOO_MANY:
            raise ValueError(f"more than {TOO_MANY:,} n-grams; count fewer tokens, or take a lower order")
    children = vocab_size + np.concatenate([[0], np.cumsum(np.concatenate([*degrees, []]))])
    sizes = tuple(map(len, counts))
    return NgramTree(sizes, np.concatenate(tokens), np.concatenate(counts), children.astype(np.uint32))


@dataclass(frozen=True)
class Smoothed:
    """Probabilities that sum to one after every context.

    Attributes:
        probability: float64[M], of the last token of each node after those before it.
        rest: float64[C], the share of each context that goes to the next shorter one.
    """

    probability: Floats
    rest: Floats


def additive(tree: NgramTree, epsilon: Sequence[float]) -> Smoothed:
    """Return additive smoothing, with one ε for each order."""
    counts = tree.counts.astype(np.float64)
    probability, rest = np.empty(len(counts)), np.ones(len(tree.children) - 1)
    first = tree.of_order(1)
    probability[first] = (counts[first] + epsilon[0] / tree.vocab_size) / (counts[first].sum() + epsilon[0])
    for length in range(2, tree.order + 1):
        here, above = tree.of_order(length), tree.of_order(length - 1)
        mass = epsilon[length - 1]
        parents = tree.parents[here]
        totals = np.bincount(parents - above.start, counts[here], minlength=above.stop - above.start)
        rest[above] = mass / (totals + mass)
        shorter = probability[tree.suffixes[here]]
        probability[here] = (counts[here] + mass * shorter) / (totals[parents - above.start] + mass)
    return Smoothed(probability, rest)


def kneser_ney(tree: NgramTree, discounts: Sequence[Sequence[float]]) -> Smoothed:
    """Return interpolated Kneser-Ney, with the discounts of counts 1, 2, 3 and more for each order."""
    counts = tree.continuations()
    probability, rest = np.empty(len(counts)), np.ones(len(tree.children) - 1)
    for length in range(1, tree.order + 1):
        here = tree.of_order(length)
        taken = np.array([0.0, *discounts[length - 1]])[np.minimum(counts[here], 3)]
        if length == 1:
            total = counts[here].sum()
            probability[here] = (counts[here] - taken) / total + taken.sum() / total / tree.vocab_size
            continue
        above = tree.of_order(length - 1)
        place = tree.parents[here] - above.start
        size = above.stop - above.start
        totals = np.bincount(place, counts[here], minlength=size)
        freed = np.bincount(place, taken, minlength=size)
        np.divide(freed, totals, out=rest[above], where=totals > 0)
        own = np.divide(counts[here] - taken, totals[place], out=np.zeros(len(place)), where=totals[place] > 0)
        probability[here] = own + rest[above][place] * probability[tree.suffixes[here]]
    return Smoothed(probability, rest)


def estimate_discounts(tree: NgramTree, *, modified: bool) -> tuple[list[tuple[float, ...]], list[int]]:
    """Return the discounts of counts 1, 2, 3 and more for each order, and the orders for which they are no estimates.

    D = n₁ / (n₁ + 2 n₂), where n_c is how many n-grams have the count c; modified, D_c = c - (c + 1) D n_{c+1} / n_c
    (Chen and Goodman 1999, equation 26). Where these counts are missing or give nothing between 0 and c, as in a short
    text or a vocabulary in which everything is frequent, 0.5, 1 and 1.5 are taken, unmodified 0.5.
    """
    counts, found, guessed = tree.continuations(), [], []
    for length in range(1, tree.order + 1):
        n = np.bincount(np.minimum(counts[tree.of_order(length)], 5), minlength=6).astype(float)
        single = n[1] / (n[1] + 2 * n[2]) if n[1] and n[2] else 0.0
        levels = range(1, 4)
        by_level = [level - (level + 1) * single * n[level + 1] / n[level] if n[level] else 0.0 for level in levels]
        discounts = tuple(by_level) if modified else (single,) * 3
        if not all(
            0 < discount < (level if modified else 1) for level, discount in zip(levels, discounts, strict=True)
        ):
            discounts = FALLBACK if modified else FALLBACK[:1] * 3
            guessed.append(length)
        found.append(discounts)
    return found, guessed


def restored(tables: Mapping[str, Array], sizes: Sequence[int]) -> NgramTree:
    """Return the tree behind stored tables. Raises `ValueError` when they are not one."""
    tree = NgramTree(tuple(map(int, sizes)), tables["tokens"], tables["counts"], tables["children"])
    tree.check()
    return tree
