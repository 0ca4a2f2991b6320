"""Register a class of this session as a component."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from workbench.contracts.component import Component
from workbench.registry import shared_registry

ComponentClass = TypeVar("ComponentClass", bound=type[Component])


def register(kind: str, name: str) -> Callable[[ComponentClass], ComponentClass]:
    """Return a decorator that registers a class as `kind/name`: `@wb.register("filter", "my-filter")`.

    A class made in a cell runs in this process and replaces an earlier one of that name.
    """
    return shared_registry().register(kind, name)
