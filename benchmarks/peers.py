"""Environments of their own for the tools that are measured beside ours.

    python -m benchmarks.peers            make them all now

`python_of("datatrove")` gives the interpreter of an environment below `.venv-peers/`, made on first use from the pinned
requirements here. Nothing of a peer is ever installed beside the workbench.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / ".venv-peers"
PEERS = {
    "datatrove": ("datatrove[io,processing]==0.10.1", "spacy", "jieba"),
    "text-dedup": ("text-dedup==0.4.0",),
    "extraction": ("resiliparse==2.0.1", "mwparserfromhell==0.7.2"),
    "presidio": ("presidio-analyzer",),
    "gensim": ("gensim==4.4.0",),
    "nltk": ("nltk==3.9.2",),
    "sentencepiece": ("sentencepiece==0.2.3",),
}


def python_of(peer: str) -> Path:
    """Return the interpreter of the peer's environment, which is made when it is not there."""
    python = FOLDER / peer / "bin" / "python"
    done = FOLDER / peer / ".installed"
    requirements = "\n".join(PEERS[peer])
    if not done.exists() or done.read_text() != requirements:
        subprocess.run([sys.executable, "-m", "venv", FOLDER / peer], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *PEERS[peer]], check=True)
        done.write_text(requirements)
    return python


if __name__ == "__main__":
    for name in PEERS:
        print(name, python_of(name).relative_to(FOLDER.parent))
