"""What a model looks like inside."""

from workbench.api import ComponentRef, hookimpl

HERE = __name__


@hookimpl
def workbench_components() -> list[ComponentRef]:
    """List the components of this family: one line each."""
    return [
        ComponentRef(
            "architecture", "autoencoder", f"{HERE}.autoencoder:Autoencoder", "a text pressed into one vector"
        ),
        ComponentRef(
            "architecture", "bart", f"{HERE}.bart:Bart", "encoder-decoder with learned positions, Lewis et al. 2020"
        ),
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
        ComponentRef(
            "architecture", "modernbert", f"{HERE}.modernbert:ModernBert", "encoder with windows of attention"
        ),
        ComponentRef("architecture", "mpt", f"{HERE}.mpt:Mpt", "decoder with ALiBi positions, Press et al. 2022"),
        ComponentRef(
            "architecture", "ngram", f"{HERE}.ngram:Ngram", "counted n-grams, Kneser-Ney or additive smoothing"
        ),
        ComponentRef(
            "architecture", "palm", f"{HERE}.palm:Palm", "parallel blocks, multi-query, Chowdhery et al. 2022"
        ),
        ComponentRef("architecture", "prefix-lm", f"{HERE}.prefix_lm:PrefixLm", "one stack that reads a prefix, UniLM"),
        ComponentRef(
            "architecture", "pretrained", f"{HERE}.pretrained:Pretrained", "a model in a folder or on the hub"
        ),
        ComponentRef("architecture", "qwen", f"{HERE}.qwen:Qwen", "decoder with normed queries and keys"),
        ComponentRef("architecture", "roberta", f"{HERE}.roberta:Roberta", "encoder without segments, Liu et al. 2019"),
        ComponentRef("architecture", "t5", f"{HERE}.t5:T5", "encoder-decoder with relative positions"),
        ComponentRef("architecture", "xlnet", f"{HERE}.xlnet:XlNet", "two-stream attention, Yang et al. 2019"),
        ComponentRef(
            "architecture", "word2vec", f"{HERE}.word2vec:Word2Vec", "a vector for each token, Mikolov et al. 2013"
        ),
        ComponentRef("architecture", "bow", f"{HERE}.text_features:Bow", "counts of words"),
        ComponentRef(
            "architecture",
            "ngram-counts",
            f"{HERE}.text_features:NgramCounts",
            "counts of words or characters in a row",
        ),
        ComponentRef(
            "architecture", "tfidf", f"{HERE}.text_features:Tfidf", "words weighted by how few documents have them"
        ),
        ComponentRef(
            "architecture", "tfidf-linear", f"{HERE}.tfidf_linear:TfidfLinear", "a linear classifier over TF-IDF"
        ),
    ]
