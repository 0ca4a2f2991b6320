"""Reading UTF-8 in compiled code: single bytes, eight at once, and code points.

numba indexes arrays as Python does, so every access asks whether the place is negative; these loads do not, and need
no alignment. A place must lie inside the array: nothing checks it.
"""
# ruff: noqa: PLR2004 - UTF-8 is defined by these numbers; what numba hands to code generators has no types

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from workbench_plugins.filters.minhash_kernel import bare

Emitter = Callable[..., Any]


def load_of(result: Any, bits: int) -> Callable[[np.ndarray, int], Any]:
    """Return a compiled load of `bits` bits from a place in an array of bytes, as the type `result`."""

    def load(_context: Any, _array: Any, _place: Any) -> tuple[Any, Emitter]:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            pointer = builder.gep(array.data, [arguments[1]], inbounds=True)
            value = builder.load(builder.bitcast(pointer, ir.IntType(bits).as_pointer()), align=1)
            return value if bits == 64 else builder.zext(value, ir.IntType(64))

        return result(_array, types.intp), emit

    return cast("Callable[[np.ndarray, int], Any]", intrinsic(load))


byte_at = load_of(types.int64, 8)
eight_at = load_of(types.uint64, 64)


@bare
def decode(content: np.ndarray, place: int) -> tuple[int, int]:
    """Return the code point at a byte of valid UTF-8, and how many bytes it takes."""
    lead: int = byte_at(content, place)
    if lead < 0x80:
        return lead, 1
    second = byte_at(content, place + 1) & 0x3F
    if lead < 0xE0:
        return (lead & 0x1F) << 6 | second, 2
    third = byte_at(content, place + 2) & 0x3F
    if lead < 0xF0:
        return (lead & 0x0F) << 12 | second << 6 | third, 3
    return (lead & 0x07) << 18 | second << 12 | third << 6 | (byte_at(content, place + 3) & 0x3F), 4
