"""What a model looks like inside."""

from workbench.api import ComponentRef, hookimpl

HERE = __name__


@hookimpl
def workbench_components() -> list[ComponentRef]:
    """List the components of this family: one line each."""
    return [
        ComponentRef("architecture", "bert", f"{HERE}.bert:Bert", "bidirectional encoder, Devlin et al. 2019"),
        ComponentRef(
            "architecture",
            "llama",
            f"{HERE}.llama:Llama",
            "decoder with rotary positions, RMSNorm and SwiGLU, Touvron et al. 2023",
        ),
    ]
