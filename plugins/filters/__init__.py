"""What is kept, what is changed, what is a duplicate."""

from workbench.api import ComponentRef, hookimpl

HERE = __name__


@hookimpl
def workbench_components() -> list[ComponentRef]:
    """List the components of this family: one line each."""
    return [
        ComponentRef(
            "filter", "exact-dedup", f"{HERE}.exact_dedup:ExactDedup", "one of every group of equal documents"
        ),
        ComponentRef(
            "filter", "gopher-quality", f"{HERE}.gopher_quality:GopherQuality", "the quality rules of Rae et al. 2021"
        ),
        ComponentRef(
            "filter", "minhash-dedup", f"{HERE}.minhash_dedup:MinHashDedup", "one of every group of near-duplicates"
        ),
        ComponentRef(
            "filter",
            "pii",
            f"{HERE}.pii:Pii",
            "e-mail, phone, IP, card and identity numbers tagged, masked, hashed or dropped",
        ),
        ComponentRef(
            "filter",
            "unicode",
            f"{HERE}.unicode:Unicode",
            "repaired and normalised unicode, control characters removed",
        ),
        ComponentRef("filter", "word-count", f"{HERE}.word_count:WordCount", "words in a range"),
    ]
