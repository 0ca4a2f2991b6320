"""A context to train in, and texts that trip tokenizers up."""

import pytest

from workbench.api import Context

LEARNED = [
    "The river was high that spring, and the people of the village carried their boats over the bridge.",
    "春天来了，河水涨得很高，村里的人们不得不把小船抬过石桥。",
    "They counted 12 boats in 1984 and 30 in 2026; the river rose again.",
    "我们在北京学习，他们也在北京学习。",
] * 4
HARD = [
    "Plain words, and  two spaces ",
    " 价格是3000元，约合 $420。用Python写代码",
    "\x00\x1b[31m\ufeff\u202e",
    "🙂👨‍👩‍👧 é é ﷽ مرحبا بالعالم",
    "\r\n\n\t tabs\r",
    "<pad><eos> <unk> <0x0A> [MASK] Ġ",
    "",
]


@pytest.fixture
def ctx(tmp_path) -> Context:
    return Context("tok", "tokenizer/tok", 1, tmp_path, tmp_path, tmp_path, tmp_path)


@pytest.fixture
def learned(ctx):
    """Train a component on English and Chinese; a text that spells out a special token is only text."""

    def train(component, texts=LEARNED):
        tokenizer = component.train(iter(texts), ctx)
        tokenizer.encode_special_tokens = True
        return tokenizer

    return train


@pytest.fixture
def hard_texts() -> list[str]:
    return list(HARD)
