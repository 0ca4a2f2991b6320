"""What a model learns to predict."""

from workbench.api import ComponentRef, hookimpl

HERE = __name__


@hookimpl
def workbench_components() -> list[ComponentRef]:
    """List the components of this family: one line each."""
    return [
        ComponentRef("objective", "causal", f"{HERE}.causal:Causal", "the next token"),
        ComponentRef(
            "objective", "cbow", f"{HERE}.word_windows:Cbow", "the centre of a window from the mean around it"
        ),
        ComponentRef("objective", "classification", f"{HERE}.classification:Classification", "the label of a text"),
        ComponentRef("objective", "contrastive", f"{HERE}.contrastive:Contrastive", "texts that belong together"),
        ComponentRef("objective", "denoising", f"{HERE}.denoising:Denoising", "a damaged text as it was, BART"),
        ComponentRef(
            "objective", "distillation", f"{HERE}.distillation:Distillation", "what another model says, a teacher"
        ),
        ComponentRef(
            "objective",
            "encoder-decoder-joint",
            f"{HERE}.encoder_decoder_joint:EncoderDecoderJoint",
            "hidden tokens in the encoder, their spans in the decoder",
        ),
        ComponentRef(
            "objective",
            "fill-in-the-middle",
            f"{HERE}.fill_in_the_middle:FillInTheMiddle",
            "the middle between a beginning and an end, Bavarian et al. 2022",
        ),
        ComponentRef("objective", "image-text", f"{HERE}.image_text:ImageText", "images and their texts, CLIP"),
        ComponentRef("objective", "masked", f"{HERE}.masked:Masked", "tokens that were hidden, Devlin et al. 2019"),
        ComponentRef(
            "objective",
            "mixture-of-denoisers",
            f"{HERE}.mixture_of_denoisers:MixtureOfDenoisers",
            "what is missing of texts damaged in three ways, UL2",
        ),
        ComponentRef("objective", "multi", f"{HERE}.multi:Multi", "several objectives at once, a weighted sum"),
        ComponentRef(
            "objective", "next-sentence", f"{HERE}.next_sentence:NextSentence", "whether one text follows another"
        ),
        ComponentRef("objective", "permutation", f"{HERE}.permutation:Permutation", "tokens in a random order, XLNet"),
        ComponentRef(
            "objective", "prefix", f"{HERE}.prefix:Prefix", "the rest of a text, its beginning read both ways"
        ),
        ComponentRef(
            "objective", "reconstruction", f"{HERE}.reconstruction:Reconstruction", "a text from the vector it became"
        ),
        ComponentRef(
            "objective", "replaced-token", f"{HERE}.replaced_token:ReplacedToken", "tokens that were put in, ELECTRA"
        ),
        ComponentRef(
            "objective", "sentence-order", f"{HERE}.sentence_order:SentenceOrder", "whether two parts were swapped"
        ),
        ComponentRef("objective", "span-corruption", f"{HERE}.span_corruption:SpanCorruption", "spans cut out, T5"),
        ComponentRef(
            "objective", "skip-gram", f"{HERE}.word_windows:SkipGram", "each token of a window from its centre"
        ),
    ]
