"""Print the text of a PDF's pages as JSON: the child process of `source/pdf`.

    python -m workbench_plugins.sources.pdf_pages FILE MAX_PAGES

Prints `{"title", "author", "pages"}` or `{"reason", "detail"}`, and nothing else.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from typing import Any

MAX_TEXT_CHARACTERS = 32 << 20
DETAIL_CHARACTERS = 200


def pages_of(path: str, max_pages: int) -> dict[str, Any]:
    """Return the pages of a file, or why there are none."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(path, strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            return {"reason": "encrypted", "detail": "the file wants a password"}
        if len(reader.pages) > max_pages:
            return {"reason": "too-many-pages", "detail": f"{len(reader.pages):,} pages, at most {max_pages:,}"}
        about: Any = reader.metadata or {}
        pages, size = [], 0
        for page in reader.pages:
            text = clean(page.extract_text() or "")
            pages.append(text)
            size += len(text)
            if size > MAX_TEXT_CHARACTERS:
                return {"reason": "text-too-long", "detail": f"more than {MAX_TEXT_CHARACTERS:,} characters"}
        if not pages:
            return {"reason": "damaged-pdf", "detail": "the file has no pages"}
        return {"title": clean(about.get("/Title")), "author": clean(about.get("/Author")), "pages": pages}
    except PyPdfError as error:
        kind = "encrypted" if "crypt" in type(error).__name__.lower() else "damaged-pdf"
        return {"reason": kind, "detail": clean(f"{type(error).__name__}: {error}")[:DETAIL_CHARACTERS]}
    except Exception as error:  # noqa: BLE001  # whatever a broken file makes of a parser costs that file
        needs_package = type(error).__name__ == "DependencyError"
        detail = clean(f"{type(error).__name__}: {error}")[:DETAIL_CHARACTERS]
        return {"reason": "encrypted" if needs_package else "damaged-pdf", "detail": detail}


def clean(value: object) -> str:
    """Return text that can be written as UTF-8: halves of surrogate pairs, which broken fonts give, become U+FFFD."""
    return str(value or "").encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    print(json.dumps(pages_of(sys.argv[1], int(sys.argv[2]))))  # noqa: T201  # its answer
