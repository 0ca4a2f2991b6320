"""Components for the workbench: example."""

from workbench.api import ComponentRef, hookimpl


@hookimpl
def workbench_components() -> list[ComponentRef]:
    """List the components of this plugin: one line each."""
    return [
        ComponentRef("filter", "example", "workbench_example.letters:Example", "enough letters among the characters"),
    ]
