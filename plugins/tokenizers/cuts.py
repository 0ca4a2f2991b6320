"""Where text may be cut before tokens are learned: a token never crosses a cut.

Chinese has no spaces, so nothing here takes white space for the only end of a word: a run of Han characters stands by
itself, whatever is written around it, and inside it tokens are found by statistics alone, or it is cut by character.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from workbench_plugins.tokenizers.special import Special

from workbench.api import Field

if TYPE_CHECKING:
    from tokenizers import pre_tokenizers

LONGEST = 64  # no word is that long, and a hostile text of one endless run stays linear
ANY_SIGN, ONLY_A_SPACE = r"[^\r\n\p{L}\p{N}]?", " ?"
Han = Literal["runs", "characters"]


def cuts(han: Han = "runs", digits: int = 3, before: str = ANY_SIGN) -> str:
    r"""Return the pattern whose matches are what stands between two cuts; together they are the whole text.

    In order: English contractions; a run of letters other than Han, with the one sign before it (the space of " word");
    Han characters by themselves, so that "用Python写" gives three pieces and Chinese words need not be learned once with
    and once without a Latin neighbour; some digits, so that numbers share tokens; other signs; line ends; spaces.

    Args:
        han: `runs`, or `characters`: each Chinese character is a piece.
        digits: How many digits a piece may have.
        before: What may stand before the letters of a word as part of it.
    """
    return (
        r"'(?:[sdmtSDMT]|ll|LL|ve|VE|re|RE)"
        rf"|{before}[\p{{L}}\p{{M}}&&[^\p{{Han}}]]{{1,{LONGEST}}}"
        rf"|\p{{Han}}{{1,{LONGEST if han == 'runs' else 1}}}"
        rf"|\p{{N}}{{1,{digits}}}"
        rf"| ?[^\s\p{{L}}\p{{N}}]{{1,{LONGEST}}}[\r\n]*"
        r"|\s*[\r\n]+"
        r"|\s+(?!\S)"
        r"|\s+"
    )


class Cut(Special):
    """A tokenizer that cuts text before it learns."""

    han: Han = Field("runs", description="whether a run of Chinese characters may become one token, or each is its own")
    digits: int = Field(3, ge=1, le=LONGEST, description="digits that may stand in one token")

    def split(self, before: str = ANY_SIGN) -> pre_tokenizers.Split:
        """Return the step that cuts text."""
        from tokenizers import Regex, pre_tokenizers

        return pre_tokenizers.Split(Regex(cuts(self.han, self.digits, before)), behavior="isolated")
