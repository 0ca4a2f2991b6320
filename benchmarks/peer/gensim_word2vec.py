"""Train gensim's word2vec on sentences in a JSON file and print the CPU seconds: run by `benchmarks.word2vec`."""

import json
import sys
import time
from pathlib import Path

from gensim.models import Word2Vec

task = json.loads(Path(sys.argv[1]).read_text())
model = Word2Vec(workers=1, seed=1, min_alpha=0.0000025, **task["settings"])
model.build_vocab(task["sentences"])
start = time.process_time()
model.train(task["sentences"], total_examples=model.corpus_count, epochs=task["epochs"])
seconds = time.process_time() - start
near = {word: [other for other, _ in model.wv.most_similar(word, topn=5)] for word in task["ask"] if word in model.wv}
print(json.dumps({"seconds": seconds, "near": near}))
