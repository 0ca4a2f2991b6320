"""Where documents come from."""

from workbench.api import ComponentRef, hookimpl

HERE = __name__


@hookimpl
def workbench_components() -> list[ComponentRef]:
    """List the components of this family: one line each."""
    return [
        ComponentRef(
            "source",
            "installed-docs",
            f"{HERE}.installed_docs:InstalledDocs",
            "the documentation of the installed Python packages",
        ),
        ComponentRef("source", "jsonl", f"{HERE}.jsonl:JsonLines", "JSON Lines, plain, gzip or zstd"),
        ComponentRef(
            "source", "text", f"{HERE}.text:Text", "text and Markdown files, one document each or one per paragraph"
        ),
    ]
