"""From text to token ids: learning a tokenizer, and packing a corpus into rows."""
