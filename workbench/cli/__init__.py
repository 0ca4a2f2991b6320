"""The command line: one module per command, each imported when it is asked for."""

from workbench.cli.root import main

__all__ = ["main"]
