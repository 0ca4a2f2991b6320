"""The register of a text, by words that mark it: dialect, colloquial, formal, or plain. English and Chinese.

A cheap signal that is there to be counted by, not to judge anybody's writing. In the first 5,000 characters, words that
mark a register are counted in lower case, and held against the number of words; a Chinese word is taken as 1.5 characters:

    dialect      marks of a dialect stand at least once in 200 words
    colloquial   else: marks of speech stand at least once in 100 words, and no rarer than those of formal text
    formal       else: marks of formal text stand at least once in 250 words
    plain        else
    other        text that is neither English nor Chinese, for which there are no lists, or has no words

Sources of the choice: Biber 1988 (dimension 1: contractions, discourse particles, emphatics against conjuncts and
nominal style); Blodgett, Green and O'Connor 2016 (African American English on Twitter); Dodge et al. 2021 (filters
of C4 that hit it harder). What it is worth on real text stands in docs/decisions/0031-diversity-audit.md.
"""

from __future__ import annotations

import polars as pl

REGISTERS = ("formal", "plain", "colloquial", "dialect", "other")
DIALECT_WORDS, COLLOQUIAL_WORDS, FORMAL_WORDS = 200, 100, 250  # words for which one mark is enough
CHARACTERS = 5000  # of a text that are looked at, from its beginning
HAN_CHARACTERS = 1.5  # of a Chinese word
COMMON_SHARE = 0.04  # of the words of a text that are among the commonest: then it is English
HAN_SHARE, KANA_SHARE = 0.3, 0.05  # of the letters: more Han and less kana are Chinese

_COMMON = r"(?-u:\b)(?:the|and|to|you|i|it|that|my|for|with|this|have|are)(?-u:\b)"
_LETTER, _HAN, _KANA = r"\p{L}", r"\p{Han}", r"[\p{Hiragana}\p{Katakana}]"
_SPACED_WORD = r"[[\p{L}\p{M}\p{N}]--\p{Han}]+(?:['’][\p{L}]+)?"
_LONG = "|".join(f"{letter}{{3,}}" for letter in "aefhilmnorstuyz")  # sooo, hmmm, yesss
_EMOJI = r"[\x{1F300}-\x{1FAFF}\x{2600}-\x{27BF}]"

# African American English, Southern and other American, Scots, British and Caribbean forms that are no standard words.
_DIALECT = (
    r"(?-u:\b)(?:ain['’]?t|y['’]?all|finna|tryna|i['’]?mma|bout(?: ta|ta)|gon|talm?bout|wit|dat|dis|dem|dey|deez|doe|yo|bruh|"
    r"nuffin|sumthin|nothin|somethin|goin|doin|nobody don['’]?t|ion|innit|summat|owt|nowt|aye|wee|bairns?|"
    r"(?:din|can|would|could|was|is|have|dis|wil|does)nae|cannae|nae|wha gwaan|pickney|nuh|mi deh)(?-u:\b)"
)
_COLLOQUIAL = (
    r"(?-u:\b)(?:(?:do|does|did|ca|wo|would|could|should|is|are|was|were|has|have|had|must|need)n['’]t|(?:i|you|we|they|he|she|it|that|there|what|who)['’](?:m|re|ve|ll|d|s)|gonna|wanna|gotta|lemme|gimme|"
    r"dunno|kinda|sorta|outta|cuz|coz|cos|lol|lmao+|rofl|omg|wtf|btw|tbh|imo|imho|idk|ikr|u|ur|thx|pls|plz|yeah|yea|yep|"
    r"yup|nope|nah|hey|hi|wow|(?:ha){2,}|(?:he){2,}|ugh|meh|dude|guys|awesome|okay|ok|oh|um+|uh+|stuff|pretty much)(?-u:\b)"
    rf"|{_LONG}|[!?]{{2,}}|{_EMOJI}"
)
_FORMAL = (
    r"(?-u:\b)(?:therefore|furthermore|moreover|nevertheless|nonetheless|consequently|accordingly|hence|thus|whereas|whereby|"
    r"wherein|herein|hereby|hereof|hereto|thereof|therein|thereto|pursuant|notwithstanding|respectively|shall|albeit|"
    r"hitherto|however|in accordance with|with respect to|in order to|provided that|subject to|as well as|in addition|"
    r"in particular|i\.e|e\.g)(?-u:\b)"
)
# Cantonese characters; Wu; Southwestern; Northern. Words that are parts of names elsewhere (阿拉, 伊拉, 弗) are not there.
_DIALECT_HAN = (
    "嘅|咗|喺|冇|嚟|佢|啲|嗰|哋|乜嘢|噉|睇|唔系|唔好|边度|侬|勿要|辰光|交关|啥人|啷个|巴适|莫得|啥子|要得|晓得|"
    "俺|咋整|嘎哈|唠嗑|旮旯|咋地|毋通|袂"
)
_COLLOQUIAL_HAN = (
    "哈哈|呵呵|嘿嘿|嘻嘻|啦|嘛|呗|吧[。！？!?~～，, ]|呀|哎|唉|嗯|哦|噢|咱|啥|咋|牛逼|卧槽|我靠|尼玛|老铁|吐槽|"
    rf"233+|666+|[!?！？~～]{{2,}}|{_EMOJI}"
)
_FORMAL_HAN = (
    "因此|此外|综上所述|鉴于|依照|根据|予以|本文|及其|以及|并且|从而|之一|其中|亦|则|故而|旨在|基于|据此|兹|特此|"
    "应当|规定|不得|然而|具有|進行|进行|所述|該|该"
)


def register(text: pl.Expr) -> pl.Expr:
    """Return the register of each text, one of `REGISTERS`.

    >>> texts = ["We gotta go, it's soooo late!!", "The parties shall act in accordance with the law.", "Guten Tag"]
    >>> pl.DataFrame({"text": texts}).select(register(pl.col("text"))).to_series().to_list()
    ['colloquial', 'formal', 'other']
    """
    lower = text.str.head(CHARACTERS).str.to_lowercase()
    letters, han, kana = (lower.str.count_matches(pattern) for pattern in (_LETTER, _HAN, _KANA))
    words = lower.str.count_matches(_SPACED_WORD)
    is_chinese = (han > HAN_SHARE * letters) & (kana <= KANA_SHARE * letters)
    is_english = ~is_chinese & (words > 0) & (lower.str.count_matches(_COMMON) >= COMMON_SHARE * words)
    chinese = _judged(lower, words + han / HAN_CHARACTERS, (_DIALECT_HAN, _COLLOQUIAL_HAN, _FORMAL_HAN))
    english = _judged(lower, words, (_DIALECT, _COLLOQUIAL, _FORMAL))
    return pl.when(is_chinese).then(chinese).when(is_english).then(english).otherwise(pl.lit("other"))


def _judged(lower: pl.Expr, words: pl.Expr, patterns: tuple[str, str, str]) -> pl.Expr:
    dialect, colloquial, formal = (lower.str.count_matches(pattern) for pattern in patterns)
    is_dialect = (dialect > 0) & (dialect * DIALECT_WORDS >= words)
    is_colloquial = (colloquial > 0) & (colloquial * COLLOQUIAL_WORDS >= words) & (colloquial >= formal)
    is_formal = (formal > 0) & (formal * FORMAL_WORDS >= words)
    named = pl.when(is_dialect).then(pl.lit("dialect")).when(is_colloquial).then(pl.lit("colloquial"))
    return named.when(is_formal).then(pl.lit("formal")).otherwise(pl.lit("plain"))
