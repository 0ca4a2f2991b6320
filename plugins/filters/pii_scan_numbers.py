"""What a row of digits may be, in compiled code: telephone, card, social security or Chinese identity number.

A chain is what `pii_windows` calls a window: six digits or more with at most three other characters between two.
"""
# ruff: noqa: PLR2004 - characters are numbers in compiled code, which takes no objects

from __future__ import annotations

import numpy as np
from workbench_plugins.filters.minhash_kernel import bare
from workbench_plugins.filters.pii_marks import BITS
from workbench_plugins.filters.pii_scan_words import PHONE_WORDS, SSN_WORDS, has_word

PHONE, CARD, CN_ID, SSN = BITS["phone"], BITS["card"], BITS["cn_id"], BITS["ssn"]
BEFORE = 2  # a plus and a bracket
WORD_BEFORE, WORD_BEHIND, SSN_BEFORE = 44, 24, 64  # characters from a word to the number; an extension stands between
FEWEST_CARD_DIGITS = 12


@bare
def is_digit(sign: int) -> bool:
    """Return whether a code point is 0 to 9."""
    return ord("0") <= sign <= ord("9")


@bare
def is_letter(sign: int) -> bool:
    """Return whether a code point is a letter of ASCII."""
    return ord("a") <= sign | 32 <= ord("z")


@bare
def is_sign(sign: int) -> bool:
    """Return whether a code point is a letter, digit or underscore of ASCII."""
    return is_digit(sign) or is_letter(sign) or sign == ord("_")


@bare
def is_hexadecimal(sign: int) -> bool:
    """Return whether a code point is a hexadecimal digit."""
    return is_digit(sign) or ord("a") <= sign | 32 <= ord("f")


@bare
def has_any(sign: int, one: int, two: int, three: int, four: int, five: int) -> bool:
    """Return whether a code point is one of five."""
    return sign in (one, two, three, four, five)


@bare
def _is_separator(sign: int) -> bool:
    return sign in (ord(" "), ord("."), ord("-"))


@bare
def _at(signs: np.ndarray, place: int, end: int) -> int:
    return signs[place] if 0 <= place < end else 10


@bare
def _run(signs: np.ndarray, place: int, end: int) -> int:
    """Return how many digits stand from a place on."""
    start = place
    while place < end and is_digit(signs[place]):
        place += 1
    return place - start


@bare
def number_marks(signs: np.ndarray, start: int, behind: int, end: int, wanted: int) -> int:
    """Return what a chain of digits from `start` to `behind` may hold."""
    found = 0
    for place in range(max(0, start - BEFORE), behind):
        before, digit_before = _at(signs, place - 1, end), is_digit(_at(signs, place - 2, end))
        if is_sign(before) or (digit_before and (before == ord(".") or before == ord("-"))):
            continue
        if not found & PHONE and wanted & PHONE and before != ord("+") and _begins_phone(signs, place, end):
            found |= PHONE
        if is_digit(signs[place]):
            found |= _other_marks(signs, place, end, wanted)
    words_end = min(end, behind + WORD_BEHIND)
    if wanted & PHONE and not found & PHONE and has_word(signs, start - WORD_BEFORE, words_end, PHONE_WORDS):
        found |= PHONE
    return found


@bare
def _begins_phone(signs: np.ndarray, place: int, end: int) -> bool:
    """Return whether an international, Chinese mobile or national number may begin here."""
    sign, second, third = signs[place], _at(signs, place + 1, end), _at(signs, place + 2, end)
    if sign == ord("+"):
        return ord("1") <= second <= ord("9")
    if sign == ord("0") and second == ord("0") and ord("1") <= third <= ord("9"):
        return True
    before, second_before = _at(signs, place - 1, end), _at(signs, place - 2, end)
    if is_digit(second_before) and has_any(before, ord(","), ord("/"), ord(":"), 0, 0):
        return False
    if sign == ord("1") and ord("3") <= second <= ord("9") and is_digit(third):
        more = _run(signs, place + 3, end)
        if more == 8 or (more == 0 and _run(signs, place + 4, end) == 4 and _run(signs, place + 9, end) == 4):
            return True
    if is_digit(second_before) and before == ord(" "):
        return False
    if is_letter(second_before) and has_any(before, ord("."), ord("-"), ord("/"), 0, 0):
        return False
    return _begins_national(signs, place, end)


@bare
def _begins_national(signs: np.ndarray, place: int, end: int) -> bool:
    sign = signs[place]
    run = _run(signs, place, end)
    if sign == ord("("):
        run = _run(signs, place + 1, end)
        return 2 <= run <= 5 and _at(signs, place + 1 + run, end) == ord(")")
    if sign == ord("1"):
        area = place + 1 + _is_separator(_at(signs, place + 1, end))
        bracket = _at(signs, area, end) == ord("(")
        if _run(signs, area + bracket, end) == 3:
            behind = _at(signs, area + bracket + 3, end)
            if (behind == ord(")")) if bracket else _is_separator(behind):
                return True
    if not (3 <= run <= 4 or (sign == ord("0") and 2 <= run <= 5)) or not _is_separator(_at(signs, place + run, end)):
        return False
    following = _run(signs, place + run + 1, end)
    return following >= 2 and not _is_no_telephone(signs, place, run, following, end)


@bare
def _is_no_telephone(signs: np.ndarray, place: int, run: int, following: int, end: int) -> bool:
    """Return whether digits, a separator and digits are a date or a decimal, which no telephone holds."""
    separator, behind = signs[place + run], place + run + 1 + following
    if run == 4 and following == 2 and separator != ord(" ") and _at(signs, behind, end) == separator:
        century = signs[place] * 100 + signs[place + 1]
        if century in (ord("1") * 100 + ord("9"), ord("2") * 100 + ord("0")) and _run(signs, behind + 1, end) == 2:
            return True
    after = _at(signs, behind, end)
    return separator == ord(".") and not (_is_separator(after) or is_letter(after) or after > 127)


@bare
def _other_marks(signs: np.ndarray, place: int, end: int, wanted: int) -> int:
    """Return what digits that no other sign stands before may be, but for telephones."""
    found, run = 0, _run(signs, place, end)
    if wanted & CN_ID and (run >= 18 or (run == 17 and _at(signs, place + 17, end) | 32 == ord("x"))):
        found |= CN_ID
    if wanted & SSN:
        separator = _at(signs, place + 3, end)
        groups = run == 3 and _run(signs, place + 4, end) == 2 and _at(signs, place + 6, end) == separator
        groups = groups and _run(signs, place + 7, end) == 4
        needs_word = run == 9 or (groups and separator == ord(" "))
        if (groups and separator == ord("-")) or (needs_word and has_word(signs, place - SSN_BEFORE, place, SSN_WORDS)):
            found |= SSN
    if wanted & CARD:
        digits = 0
        while place < end and digits < FEWEST_CARD_DIGITS:  # no further: time must be linear
            if is_digit(signs[place]):
                digits += 1
            elif not (signs[place] == ord(" ") or signs[place] == ord("-")) or not is_digit(_at(signs, place + 1, end)):
                break
            place += 1
        if digits >= FEWEST_CARD_DIGITS:
            found |= CARD
    return found
