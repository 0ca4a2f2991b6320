"""What is kept, what is changed, what is a duplicate."""

from workbench.api import ComponentRef, hookimpl

HERE = __name__


@hookimpl
def workbench_components() -> list[ComponentRef]:
    """List the components of this family: one line each."""
    return [
        ComponentRef(
            "filter", "adult", f"{HERE}.adult:Adult", "adult text, by labelled examples and by lists of words"
        ),
        ComponentRef(
            "filter",
            "bloom-dedup",
            f"{HERE}.bloom_dedup:BloomDedup",
            "documents or paragraphs that a Bloom filter has seen before",
        ),
        ComponentRef(
            "filter",
            "boilerplate-lines",
            f"{HERE}.boilerplate_lines:BoilerplateLines",
            "lines of notices, buttons, menus and footers removed",
        ),
        ComponentRef(
            "filter",
            "chinese-script",
            f"{HERE}.chinese_script:ChineseScript",
            "simplified or traditional Chinese, by OpenCC",
        ),
        ComponentRef(
            "filter",
            "classifier-quality",
            f"{HERE}.classifier_quality:ClassifierQuality",
            "what looks like good text and not like ordinary text, by a linear model trained here",
        ),
        ComponentRef(
            "filter",
            "decontaminate",
            f"{HERE}.decontaminate:Decontaminate",
            "documents that share n-grams with evaluation sets",
        ),
        ComponentRef(
            "filter", "exact-dedup", f"{HERE}.exact_dedup:ExactDedup", "one of every group of equal documents"
        ),
        ComponentRef("filter", "c4", f"{HERE}.c4:C4", "the document rules of Raffel et al. 2020"),
        ComponentRef("filter", "c4-lines", f"{HERE}.c4:C4LineFilter", "the line rules of Raffel et al. 2020"),
        ComponentRef("filter", "fineweb", f"{HERE}.fineweb:FineWeb", "the line rules of Penedo et al. 2024"),
        ComponentRef(
            "filter", "gopher-quality", f"{HERE}.gopher_quality:GopherQuality", "the quality rules of Rae et al. 2021"
        ),
        ComponentRef("filter", "html-text", f"{HERE}.html_text:HtmlText", "main text of HTML pages, by trafilatura"),
        ComponentRef("filter", "language", f"{HERE}.language:Language", "documents in some of 140 languages"),
        ComponentRef("filter", "language-tag", f"{HERE}.language:LanguageTag", "the language of each as a column"),
        ComponentRef(
            "filter", "line-dedup", f"{HERE}.line_dedup:LineDedup", "lines that stand elsewhere in the corpus cut out"
        ),
        ComponentRef(
            "filter",
            "gopher-repetition",
            f"{HERE}.gopher_repetition:GopherRepetition",
            "the thirteen repetition rules of Rae et al. 2021",
        ),
        ComponentRef(
            "filter", "minhash-dedup", f"{HERE}.minhash_dedup:MinHashDedup", "one of every group of near-duplicates"
        ),
        ComponentRef(
            "filter",
            "model-quality",
            f"{HERE}.model_quality:ModelQuality",
            "the score of any sequence-classification model in a range",
        ),
        ComponentRef(
            "filter",
            "paragraph-dedup",
            f"{HERE}.paragraph_dedup:ParagraphDedup",
            "paragraphs that stand elsewhere in the corpus cut out",
        ),
        ComponentRef(
            "filter",
            "perplexity",
            f"{HERE}.perplexity:Perplexity",
            "how surprising a text is to n-grams or a network, as CCNet",
        ),
        ComponentRef(
            "filter",
            "pii",
            f"{HERE}.pii:Pii",
            "personal data of 14 kinds tagged, masked, hashed, given pseudonyms or dropped",
        ),
        ComponentRef(
            "filter",
            "presidio",
            f"{HERE}.presidio:Presidio",
            "names and addresses, by presidio and a spaCy model",
            requires=("presidio_analyzer:presidio-analyzer",),
        ),
        ComponentRef("filter", "secrets", f"{HERE}.secrets_filter:Secrets", "keys, tokens, private keys and passwords"),
        ComponentRef(
            "filter",
            "semantic-dedup",
            f"{HERE}.semantic_dedup:SemanticDedup",
            "one of all documents that mean the same, by an encoder's embeddings",
        ),
        ComponentRef(
            "filter",
            "sentence-dedup",
            f"{HERE}.sentence_dedup:SentenceDedup",
            "runs of sentences that stand elsewhere in the corpus cut out",
        ),
        ComponentRef(
            "filter",
            "substring-dedup",
            f"{HERE}.substring_dedup:SubstringDedup",
            "passages that stand word for word elsewhere in the corpus cut out",
        ),
        ComponentRef(
            "filter", "toxicity", f"{HERE}.toxicity:Toxicity", "toxic text, by labelled examples and by lists of words"
        ),
        ComponentRef(
            "filter", "url-dedup", f"{HERE}.url_dedup:UrlDedup", "one of every group of documents from the same URL"
        ),
        ComponentRef(
            "filter",
            "unicode",
            f"{HERE}.unicode:Unicode",
            "repaired and normalised unicode, control characters removed",
        ),
        ComponentRef(
            "filter",
            "url-list",
            f"{HERE}.url_list:UrlList",
            "documents from hosts, domains and URLs on block or allow lists",
        ),
        ComponentRef(
            "filter", "whitespace", f"{HERE}.whitespace:Whitespace", "uniform blanks, line ends and blank lines"
        ),
        ComponentRef("filter", "word-count", f"{HERE}.word_count:WordCount", "words in a range"),
    ]
