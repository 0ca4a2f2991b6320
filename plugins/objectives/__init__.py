"""What a model learns to predict."""

from workbench.api import ComponentRef, hookimpl

HERE = __name__


@hookimpl
def workbench_components() -> list[ComponentRef]:
    """List the components of this family: one line each."""
    return [
        ComponentRef("objective", "causal", f"{HERE}.causal:Causal", "the next token"),
        ComponentRef("objective", "cbow", f"{HERE}.word_windows:Cbow", "the centre of a window from the mean around it"),
        ComponentRef("objective", "classification", f"{HERE}.classification:Classification", "the label of a text"),
        ComponentRef("objective", "masked", f"{HERE}.masked:Masked", "tokens that were hidden, Devlin et al. 2019"),
        ComponentRef("objective", "skip-gram", f"{HERE}.word_windows:SkipGram", "each token of a window from its centre"),
    ]
