"""What of a trained model is changed."""

from workbench.api import ComponentRef, hookimpl

HERE = __name__


@hookimpl
def workbench_components() -> list[ComponentRef]:
    """List the components of this family: one line each."""
    return [
        ComponentRef("tuning", "full", f"{HERE}.full:Full", "every weight"),
        ComponentRef("tuning", "head-only", f"{HERE}.head_only:HeadOnly", "the prediction head"),
        ComponentRef("tuning", "lora", f"{HERE}.lora:Lora", "low-rank updates of the linear layers, Hu et al. 2021"),
    ]
