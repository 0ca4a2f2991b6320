"""The columns of a corpus in types that every version of `datasets` knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


def plain_table(frame: pl.DataFrame) -> pa.Table:
    """Return a frame as a table of plain types: text and lists with 32-bit offsets, categories as text."""
    import pyarrow as pa

    table = frame.rechunk().to_arrow()
    return table.cast(pa.schema([pa.field(field.name, plain_type(field.type)) for field in table.schema]))


def plain_type(dtype: pa.DataType) -> pa.DataType:
    """Return the plain type for one of Arrow's.

    >>> import pyarrow as pa
    >>> str(plain_type(pa.large_list(pa.large_string())))
    'list<item: string>'
    """
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(dtype):
        return plain_type(dtype.value_type)
    if types.is_large_string(dtype) or types.is_string_view(dtype):
        return pa.string()
    if types.is_large_binary(dtype) or types.is_binary_view(dtype):
        return pa.binary()
    if types.is_large_list(dtype) or types.is_list(dtype):
        return pa.list_(plain_type(dtype.value_type))
    if types.is_fixed_size_list(dtype):
        return pa.list_(plain_type(dtype.value_type), dtype.list_size)
    if types.is_struct(dtype):
        return pa.struct([pa.field(field.name, plain_type(field.type)) for field in dtype])
    return dtype


def features_of(schema: pa.Schema) -> dict[str, Any]:
    """Return what `datasets` calls the features of a schema, as JSON values."""
    from datasets import Features

    features: dict[str, Any] = Features.from_arrow_schema(schema).to_dict()
    return features
