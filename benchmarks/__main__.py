"""Run every benchmark, one after the other, and print their tables: `make bench`.

Each file of this folder is a program of its own: `python -m benchmarks.startup`.
"""

import subprocess
import sys
from pathlib import Path

for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
    if path.stem == "peers":  # made when a benchmark asks for them
        continue
    print(f"\n## {path.stem}\n", flush=True)
    done = subprocess.run([sys.executable, "-m", f"benchmarks.{path.stem}"], check=False)
    if done.returncode:
        sys.exit(f"{path.name} failed with status {done.returncode}")
