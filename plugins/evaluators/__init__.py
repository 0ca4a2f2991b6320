"""How good a model is."""

from workbench.api import ComponentRef, hookimpl

HERE = __name__


@hookimpl
def workbench_components() -> list[ComponentRef]:
    """List the components of this family: one line each."""
    return [
        ComponentRef(
            "evaluator",
            "classification",
            f"{HERE}.classification:ClassificationScores",
            "accuracy and macro-F1 beside baselines",
        ),
        ComponentRef(
            "evaluator",
            "generation",
            f"{HERE}.generation:Generation",
            "samples continued from prompts, for a person to read",
        ),
        ComponentRef(
            "evaluator", "perplexity", f"{HERE}.perplexity:Perplexity", "perplexity and bits per byte on held-out text"
        ),
        ComponentRef(
            "evaluator", "probe", f"{HERE}.probe:Probe", "labels read off a frozen model by a linear classifier"
        ),
        ComponentRef("evaluator", "suite", f"{HERE}.suite:Suite", "every evaluator that fits the model"),
        ComponentRef(
            "evaluator", "tokenizers", f"{HERE}.tokenizers:Tokenizers", "tokenizers side by side, by language"
        ),
    ]
