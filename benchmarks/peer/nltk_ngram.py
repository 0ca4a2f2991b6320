"""Count n-grams with NLTK's interpolated Kneser-Ney and print the CPU seconds: run by `benchmarks.ngram`."""

import json
import sys
import time
from pathlib import Path

from nltk.lm import KneserNeyInterpolated
from nltk.util import everygrams

task = json.loads(Path(sys.argv[1]).read_text())
rows = [[str(token) for token in row] for row in task["documents"]]
start = time.process_time()
model = KneserNeyInterpolated(task["order"])
grams = [[tuple(gram) for gram in everygrams(row, max_len=task["order"])] for row in rows]
model.fit(grams, [token for row in rows for token in row])
print(time.process_time() - start)
