"""What a model looks like inside."""

from workbench.api import ComponentRef, hookimpl

HERE = __name__


@hookimpl
def workbench_components() -> list[ComponentRef]:
    """List the components of this family: one line each."""
    return [
        ComponentRef("architecture", "bert", f"{HERE}.bert:Bert", "bidirectional encoder, Devlin et al. 2019"),
        ComponentRef("architecture", "gpt-j", f"{HERE}.gpt_j:GptJ", "decoder with a parallel block behind one norm"),
        ComponentRef("architecture", "gpt-neox", f"{HERE}.gpt_neox:GptNeox", "decoder with parallel residuals"),
        ComponentRef(
            "architecture", "gpt2", f"{HERE}.gpt2:Gpt2", "decoder with learned positions, Radford et al. 2019"
        ),
        ComponentRef(
            "architecture",
            "llama",
            f"{HERE}.llama:Llama",
            "decoder with rotary positions, RMSNorm and SwiGLU, Touvron et al. 2023",
        ),
        ComponentRef("architecture", "mixtral", f"{HERE}.mixtral:Mixtral", "decoder with a mixture of experts"),
        ComponentRef("architecture", "mpt", f"{HERE}.mpt:Mpt", "decoder with ALiBi positions, Press et al. 2022"),
        ComponentRef(
            "architecture", "ngram", f"{HERE}.ngram:Ngram", "counted n-grams, Kneser-Ney or additive smoothing"
        ),
        ComponentRef(
            "architecture", "palm", f"{HERE}.palm:Palm", "parallel blocks, multi-query, Chowdhery et al. 2022"
        ),
        ComponentRef("architecture", "qwen", f"{HERE}.qwen:Qwen", "decoder with normed queries and keys"),
    ]
