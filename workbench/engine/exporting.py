"""Run an exporter into the step's empty folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import PluginError

if TYPE_CHECKING:
    from workbench.contracts.context import Context
    from workbench.contracts.evaluation import Exporter


def run(exporter: Exporter, ctx: Context) -> None:
    """Export the first input into `ctx.output`. Raises `PluginError` when nothing was written."""
    first = next((ctx.inputs[port] for port in type(exporter).inputs if ctx.inputs.get(port)), None)
    exporter.export(first, ctx.output, ctx)
    if not any(file.is_file() for file in ctx.output.rglob("*")):
        raise PluginError("it wrote no file", where=exporter.component_id)
