"""Train SentencePiece on lines and encode others; print CPU seconds and tokens: run by `benchmarks.tokenizers`."""

import io
import json
import sys
import time
from pathlib import Path

import sentencepiece

task = json.loads(Path(sys.argv[1]).read_text("utf-8"))
lines = [line for text in task["train"] for line in text.split("\n") if line]
written = io.BytesIO()
start = time.process_time()
sentencepiece.SentencePieceTrainer.train(
    sentence_iterator=iter(lines),
    model_writer=written,
    model_type=task["kind"],
    vocab_size=task["vocab_size"],
    hard_vocab_limit=False,
    character_coverage=0.9995,
    byte_fallback=True,
    normalization_rule_name="identity",
    add_dummy_prefix=False,
    remove_extra_whitespaces=False,
    allow_whitespace_only_pieces=True,
    max_sentence_length=1 << 20,
    num_threads=1,
    minloglevel=2,
)
trained = time.process_time()
processor = sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())
loaded = time.process_time()
ends = sum(text.count("\n") for text in task["encode"])
number = ends + sum(map(len, processor.encode([line for text in task["encode"] for line in text.split("\n")])))
print(json.dumps({"train": trained - start, "encode": time.process_time() - loaded, "tokens": number}))
