"""Texts for tests: ordinary ones in several languages, and hostile ones."""

from __future__ import annotations

from random import Random

ENGLISH = (
    "the river was high that spring and the people of the village had to carry their boats over the bridge",
    "a good library has a quiet room with large tables where you can read and write without being disturbed",
    "she opened the letter with care and found that it had been sent to the wrong house by a tired clerk",
    "of all the instruments in the orchestra the oboe is the one that gives the others their note",
    "when the rain stopped the children ran out to the field and began to build a dam of mud and stones",
)
CHINESE = (
    "春天来了，河水涨得很高，村里的人们不得不把小船抬过石桥。",
    "一个好的图书馆应该有安静的房间和宽大的桌子，让读者可以专心读书写字。",
    "她小心地拆开信封，发现这封信是被一位疲倦的职员寄错了地址。",
)

HOSTILE = {
    "empty": "",
    "only white space": " \t\n\n  ",
    "NUL": "before\x00after and some more words to read",
    "control characters": "ring\x07 the\x1b[31m bell\x1b[0m\x08",
    "right to left": "هذا نص عربي قصير يقرأ من اليمين إلى اليسار",
    "bidi override": "invoice \u202egnp.exe\u202c is not a picture",
    "Chinese without spaces": CHINESE[1] * 20,
    "Thai": "ห้องสมุดที่ดีควรมีห้องเงียบสำหรับการอ่านหนังสือ",
    "combining marks": "Z\u0351\u036b\u0343a\u0300\u0301\u0302l\u0303go\u0334",
    "emoji sequence": "a family \U0001f468\u200d\U0001f469\u200d\U0001f467 and a flag \U0001f1e8\U0001f1f3",
    "lone surrogate, decoded": b"before \xed\xa0\x80 after".decode("utf-8", "replace"),
    "markup": "<script>alert(1)</script> [bold red]not markup[/] {{ template }}",
    "formula": '=HYPERLINK("x")\n+1\n@cmd',
    "long line": "lorem ipsum " * (10 * 1024 * 1024 // 12),
    "long word": "x" * (1 << 20),
    "line separators": "one\u2028two\u2029three\x85four\r\nfive\rsix",
}


def ordinary(number: int, seed: int = 1) -> list[str]:
    """Return `number` documents, English and Chinese, of different lengths; the same for the same seed."""
    random = Random(seed)  # noqa: S311  # test data, nothing secret
    texts = []
    for index in range(number):
        sentences = CHINESE if index % 4 == 3 else ENGLISH  # noqa: PLR2004  # one in four
        chosen = [random.choice(sentences) for _ in range(random.randint(2, 9))]
        texts.append(" ".join(chosen) + f" {index}")
    return texts
