"""Keep the notebooks in step: every `.ipynb` is its `.py` (py:percent), without outputs.

python -m notebooks.sync            write the .ipynb files
python -m notebooks.sync --check    only say what is out of step; exit status 1 when something is
"""

import json
import sys
from pathlib import Path

import jupytext

HERE = Path(__file__).parent
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def rendered(source: Path) -> str:
    """Return the notebook that a py:percent file stands for, without outputs, ids counted."""
    notebook = jupytext.read(source)
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata = {}
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def main() -> int:
    """Write or check every notebook."""
    sources = sorted(HERE.glob("[0-9][0-9]_*.py"))
    assert sources, "there are no notebooks"
    stale = [source for source in sources if _content(source.with_suffix(".ipynb")) != rendered(source)]
    if "--check" in sys.argv:
        for source in stale:
            sys.stderr.write(f"{source.stem}.ipynb is not what {source.name} says; run make format\n")
        return 1 if stale else 0
    for source in stale:
        source.with_suffix(".ipynb").write_text(rendered(source), "utf-8")
    return 0


def _content(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
