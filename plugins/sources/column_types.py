"""The types of further columns, found from their first values and kept to.

JSON has one kind of number and no schema; a corpus has columns. The first batch settles each column (whole numbers
become floats when it holds both, objects get the union of their fields); afterwards a value that does not fit is a
bad record and not a surprise.
"""

from __future__ import annotations

from typing import Any

import polars as pl

INT64 = 1 << 63
MAX_DEPTH = 32  # lists and objects inside each other; Arrow hands over 64 levels at most, and stacks end too
_SCALARS: dict[type, pl.DataType] = {str: pl.String(), bool: pl.Boolean(), float: pl.Float64()}


class Misfit(ValueError):
    """Raise for a value that has no type a column can take, or another than its column."""


class Columns:
    """The further columns of one source, while it is read.

    Args:
        names: The columns.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._types: dict[str, pl.DataType] = dict.fromkeys(names, pl.Null())
        self._settled: set[str] = set()

    def fit(self, values: list[Any]) -> None:
        """Make room for one value of each column. Raises `Misfit`, changing nothing, when a value does not fit."""
        if not values:
            return
        types = {}
        for (name, known), value in zip(self._types.items(), values, strict=True):
            try:
                types[name] = common(known, type_of(value))
            except Misfit as misfit:
                raise Misfit(f"{name}: {misfit}") from misfit
            if name in self._settled and types[name] != known:
                raise Misfit(f"{name}: {type_of(value)} where the first records had {known}")
        self._types.update(types)

    def settle(self) -> dict[str, pl.DataType]:
        """Return column → type for a batch, and keep to the types from now on."""
        self._types = {name: settled(dtype) for name, dtype in self._types.items()}
        self._settled.update(name for name, dtype in self._types.items() if dtype != pl.Null)
        return dict(self._types)


def type_of(value: Any, depth: int = 0) -> pl.DataType:
    """Return the polars type of a JSON value, `depth` levels inside another. Raises `Misfit` where there is none.

    >>> type_of([{"role": "user"}])
    List(Struct({'role': String}))
    """
    if value is None:
        return pl.Null()
    if type(value) in _SCALARS:
        return _SCALARS[type(value)]
    if isinstance(value, int):
        if not -INT64 <= value < INT64:
            raise Misfit(f"{value} needs more than 64 bits")
        return pl.Int64()
    if depth == MAX_DEPTH:
        raise Misfit(f"more than {MAX_DEPTH} lists and objects inside each other")
    if isinstance(value, list):
        inner: pl.DataType = pl.Null()
        for item in value:
            inner = common(inner, type_of(item, depth + 1))
        return pl.List(inner)
    if not value:
        raise Misfit("an empty object has no fields to make columns of")
    return pl.Struct({name: type_of(item, depth + 1) for name, item in value.items()})


def common(one: pl.DataType, other: pl.DataType) -> pl.DataType:
    """Return the type that holds values of both, fields in the order of `one`. Raises `Misfit` when there is none.

    >>> common(pl.Int64(), pl.Float64())
    Float64
    """
    if other in (one, pl.Null):
        return one
    if one == pl.Null:
        return other
    if {one, other} == {pl.Int64(), pl.Float64()}:
        return pl.Float64()
    if isinstance(one, pl.List) and isinstance(other, pl.List):
        return pl.List(common(_type(one.inner), _type(other.inner)))
    if isinstance(one, pl.Struct) and isinstance(other, pl.Struct):
        left, right = _fields(one), _fields(other)
        names = [*left, *(name for name in right if name not in left)]
        return pl.Struct({name: common(left.get(name, pl.Null()), right.get(name, pl.Null())) for name in names})
    raise Misfit(f"{other} beside {one}")


def settled(dtype: pl.DataType) -> pl.DataType:
    """Return the type to keep to: what only nulls were seen of, inside lists and objects, is text from now on."""
    if isinstance(dtype, pl.List):
        return pl.List(_text_for_null(settled(_type(dtype.inner))))
    if isinstance(dtype, pl.Struct):
        return pl.Struct({name: _text_for_null(settled(inner)) for name, inner in _fields(dtype).items()})
    return dtype


def _text_for_null(dtype: pl.DataType) -> pl.DataType:
    return pl.String() if dtype == pl.Null else dtype


def _fields(struct: pl.Struct) -> dict[str, pl.DataType]:
    return {name: _type(dtype) for name, dtype in struct.to_schema().items()}


def _type(given: Any) -> pl.DataType:
    """Return an instance, whether polars hands out a type or an instance of it."""
    made: pl.DataType = given() if isinstance(given, type) else given
    return made
