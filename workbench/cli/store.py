"""`workbench store`: is it whole, what may go, and what fills it."""

from __future__ import annotations

from workbench.cli.table import CommandTable

HERE = __name__

store = CommandTable(
    "store",
    {
        "verify": (f"{HERE}:verify", "Read every result and find damaged ones."),
        "gc": (f"{HERE}:collect", "Delete what no run refers to."),
        "du": (f"{HERE}:usage", "Say what takes how much space."),
    },
    help="Verify, clean and measure the store.",
)
