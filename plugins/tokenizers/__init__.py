"""How text becomes tokens."""

from workbench.api import ComponentRef, hookimpl

HERE = __name__


@hookimpl
def workbench_components() -> list[ComponentRef]:
    """List the components of this family: one line each."""
    return [
        ComponentRef("tokenizer", "byte-bpe", f"{HERE}.byte_bpe:ByteBpe", "byte-level byte-pair encoding, as in GPT-2"),
        ComponentRef("tokenizer", "wordpiece", f"{HERE}.wordpiece:WordPiece", "WordPiece, as in BERT"),
    ]
