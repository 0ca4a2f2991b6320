"""How results leave the workbench."""

from workbench.api import ComponentRef, hookimpl

HERE = __name__


@hookimpl
def workbench_components() -> list[ComponentRef]:
    """List the components of this family: one line each."""
    return [
        ComponentRef(
            "exporter", "comparison", f"{HERE}.comparison:Comparison", "a page that sets models and scores side by side"
        ),
        ComponentRef(
            "exporter",
            "datasets",
            f"{HERE}.datasets_folder:DatasetsFolder",
            "a corpus as a data set that plain datasets reads, or as Parquet with a card",
        ),
        ComponentRef(
            "exporter",
            "html-report",
            f"{HERE}.html_report:HtmlReport",
            "a self-contained page: ledger, curves, samples, scores",
        ),
        ComponentRef(
            "exporter", "huggingface", f"{HERE}.huggingface:HuggingFace", "a folder that plain transformers loads"
        ),
    ]
