"""How text becomes tokens."""

from workbench.api import ComponentRef, hookimpl

HERE = __name__


@hookimpl
def workbench_components() -> list[ComponentRef]:
    """List the components of this family: one line each."""
    return [
        ComponentRef("tokenizer", "bpe", f"{HERE}.bpe:Bpe", "byte-pair encoding over characters"),
        ComponentRef("tokenizer", "byte", f"{HERE}.byte:Byte", "every byte is a token, nothing to learn"),
        ComponentRef("tokenizer", "byte-bpe", f"{HERE}.byte_bpe:ByteBpe", "byte-level byte-pair encoding, as in GPT-2"),
        ComponentRef("tokenizer", "character", f"{HERE}.character:Character", "every character is a token"),
        ComponentRef(
            "tokenizer", "pretrained", f"{HERE}.pretrained:Pretrained", "a folder, a SentencePiece model, or of the Hub"
        ),
        ComponentRef("tokenizer", "unigram", f"{HERE}.unigram:Unigram", "the unigram model of SentencePiece"),
        ComponentRef("tokenizer", "word", f"{HERE}.word:Word", "every frequent word is a token"),
        ComponentRef("tokenizer", "wordpiece", f"{HERE}.wordpiece:WordPiece", "WordPiece, as in BERT"),
    ]
