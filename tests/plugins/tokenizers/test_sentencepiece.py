"""SentencePiece models: read from their bytes, and the same pieces as SentencePiece itself for every text."""

import io

import pytest
import sentencepiece
from workbench_plugins.tokenizers.sentencepiece_files import converted, roles
from workbench_plugins.tokenizers.sentencepiece_model import Kind, fields, read_model

from workbench.api import StepError

ENGLISH = "The river was high that spring and the people of the village carried their boats over the bridge ."
CHINESE = "春天来了，河水涨得很高，村里的人们不得不把小船抬过石桥。我们在北京学习。"
TEXTS = [
    ENGLISH,
    CHINESE,
    "  two  spaces  ",
    "a river\nover\tboats",
    "ＡＢＣ ①② full width",
    "village🙂 龘 río",
    "用Python写代码 3000",
    "",
    "    ",
    "user <sep> river",
]


def model_bytes(**settings) -> bytes:
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([ENGLISH, CHINESE, ENGLISH.lower()] * 20),
        model_writer=written,
        hard_vocab_limit=False,
        minloglevel=2,
        num_threads=1,
        **settings,
    )
    return written.getvalue()


@pytest.mark.parametrize(
    "settings",
    [
        {"model_type": "unigram", "vocab_size": 140},
        {"model_type": "unigram", "vocab_size": 400, "byte_fallback": True},
        {"model_type": "bpe", "vocab_size": 140},
        {"model_type": "bpe", "vocab_size": 400, "byte_fallback": True},
        {"model_type": "unigram", "vocab_size": 140, "normalization_rule_name": "identity"},
        {"model_type": "unigram", "vocab_size": 140, "add_dummy_prefix": False},
        {"model_type": "bpe", "vocab_size": 140, "remove_extra_whitespaces": False},
        {"model_type": "unigram", "vocab_size": 140, "split_by_whitespace": False},
        {"model_type": "unigram", "vocab_size": 140, "user_defined_symbols": "<sep>", "control_symbols": "<mask>"},
        {"model_type": "unigram", "vocab_size": 140, "user_defined_symbols": "ive,iver,at,boats"},
        {"model_type": "bpe", "vocab_size": 140, "user_defined_symbols": "<sep>,▁▁"},
        {"model_type": "unigram", "vocab_size": 140, "pad_id": 3, "normalization_rule_name": "nmt_nfkc_cf"},
    ],
)
def test_ids_and_texts_are_those_of_sentencepiece(settings):
    content = model_bytes(**settings)
    peer = sentencepiece.SentencePieceProcessor(model_proto=content)
    ours = converted(read_model(content, "here"), "here")
    ours.encode_special_tokens = True
    assert ours.get_vocab_size() == peer.get_piece_size()
    for text in TEXTS:
        ids = peer.encode(text)
        assert ours.encode(text, add_special_tokens=False).ids == ids
        if peer.unk_id() not in ids:
            assert ours.decode(ids, skip_special_tokens=False) == peer.decode(ids)


def test_what_a_model_says_of_itself():
    content = model_bytes(model_type="bpe", vocab_size=400, byte_fallback=True, pad_id=3, control_symbols="<mask>")
    model = read_model(content, "here")
    assert (model.algorithm, model.byte_fallback, model.prefix, model.one_space) == ("bpe", True, True, True)
    assert model.ids == {"unk": 0, "bos": 1, "eos": 2, "pad": 3}
    assert [model.pieces[number].kind for number in (0, 1, 5)] == [Kind.UNKNOWN, Kind.CONTROL, Kind.BYTE]
    assert roles(model) == {
        "unk_token": "<unk>",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "pad_token": "<pad>",
        "mask_token": "<mask>",
    }


def test_a_special_token_in_a_text_is_only_text():
    """`tokenizers` would find `</s>` and `<0x0A>` in the vocabulary; SentencePiece does not, and neither do we."""
    model = read_model(model_bytes(model_type="unigram", vocab_size=400, byte_fallback=True), "here")
    ours = converted(model, "here")
    ours.encode_special_tokens = True
    for text in ("</s>", "the <s> river", "<0x0A>", "<unk><unk>"):
        ids = ours.encode(text, add_special_tokens=False).ids
        assert ours.decode(ids, skip_special_tokens=False) == text
        assert not {0, 1, 2} & set(ids)


def test_fields_of_every_wire_type():
    """Varint 300 is AC 02 (the encoding guide of protocol buffers), a float and a double are 4 and 8 bytes."""
    content = b"\x08\xac\x02" + b"\x15" + b"\x00\x00\x80\x3f" + b"\x19" + bytes(8) + b"\x22\x03abc"
    assert list(fields(content)) == [(1, 300), (2, b"\x00\x00\x80\x3f"), (3, bytes(8)), (4, b"abc")]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"junk",
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x0a\x03\x0a\x01\xff",
        b"\x80" * 50,
        b"PK\x03\x04",
    ],
)
def test_something_else_is_said(content):
    with pytest.raises(StepError, match="no model of SentencePiece, or a damaged one"):
        read_model(content, "a.model")


def test_every_cut_is_survived():
    """A file cut short is refused, or ends between two fields; nothing else happens."""
    content = model_bytes(model_type="unigram", vocab_size=100, normalization_rule_name="identity")
    refused = 0
    for end in range(0, len(content), 7):
        try:
            converted(read_model(content[:end], "a.model"), "a.model")
        except StepError:
            refused += 1
    assert refused > len(content) / 7 * 0.5


@pytest.mark.parametrize(
    "settings, odd",
    [
        ({"model_type": "char", "vocab_size": 90}, "char"),
        ({"treat_whitespace_as_suffix": True, "vocab_size": 140}, "spaces after words"),
    ],
)
def test_what_cannot_be_converted_is_said(settings, odd):
    with pytest.raises(StepError, match=f"cannot be converted: .*{odd}"):
        converted(read_model(model_bytes(**settings), "here"), "here")
