"""Where documents come from."""

from workbench.api import ComponentRef, hookimpl

HERE = __name__


@hookimpl
def workbench_components() -> list[ComponentRef]:
    """List the components of this family: one line each."""
    return [
        ComponentRef("source", "books", f"{HERE}.books:Books", "Project Gutenberg texts and EPUB, by book or chapter"),
        ComponentRef("source", "code", f"{HERE}.code:Code", "the files of a source tree, with language and licence"),
        ComponentRef("source", "csv", f"{HERE}.csv_table:CsvTable", "CSV and TSV, plain or compressed"),
        ComponentRef("source", "html", f"{HERE}.html:Html", "HTML files, one page each"),
        ComponentRef(
            "source",
            "huggingface",
            f"{HERE}.huggingface:HuggingFace",
            "data sets as datasets keeps them: saved folders, Parquet, Arrow, JSON or CSV files, the Hub",
        ),
        ComponentRef(
            "source",
            "installed-docs",
            f"{HERE}.installed_docs:InstalledDocs",
            "the documentation of the installed Python packages",
        ),
        ComponentRef("source", "jsonl", f"{HERE}.jsonl:JsonLines", "JSON Lines, plain, gzip or zstd"),
        ComponentRef("source", "parquet", f"{HERE}.parquet_table:ParquetTable", "Parquet files"),
        ComponentRef("source", "pdf", f"{HERE}.pdf:Pdf", "PDF files, without running heads and page numbers"),
        ComponentRef(
            "source",
            "social",
            f"{HERE}.social:Social",
            "Reddit-style submissions and comments, and tweets, as JSON Lines",
        ),
        ComponentRef(
            "source", "text", f"{HERE}.text:Text", "text and Markdown files, one document each or one per paragraph"
        ),
        ComponentRef("source", "warc", f"{HERE}.warc:Warc", "web pages from WARC files"),
        ComponentRef("source", "wet", f"{HERE}.wet:Wet", "the plain text of web pages from WET files"),
        ComponentRef(
            "source", "wikipedia-dump", f"{HERE}.wikipedia_dump:WikipediaDump", "pages of a MediaWiki XML dump as prose"
        ),
    ]
