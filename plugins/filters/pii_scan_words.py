"""The words that announce personal data, as compiled code looks for them: whatever their case, in eight languages.

Each list covers the expression of the finder that asks for the word: where that matches, one of these stands in the line.
"""
# ruff: noqa: PLR2004, SIM110 - characters are numbers in compiled code, which knows no generators

from __future__ import annotations

import numpy as np
from workbench_plugins.filters.minhash_kernel import bare

PHONE_WORDS, BIRTH_WORDS, PASSPORT_WORDS, SSN_WORDS = 1, 2, 4, 8
WORDS = {
    PHONE_WORDS: (
        "phone telephone cellphone tel mobile mob cell fax desk dial call ring reach answering messages|to text whatsapp "
        "wechat sms hotline office direct toll 电话 電話 手机 手機 传真 傳真 热线 熱線 致电 拨打 联系方式 座机"
    ),
    BIRTH_WORDS: (
        "dob d.o do.b born birth geboren geburtsdatum né naissance nacid nacimiento родил рождения nato nata nascimento "
        "出生 生日 生于 生於 生年月日 誕生日 생년월일 تاريخ|الميلاد"
    ),
    PASSPORT_WORDS: "passport reisepass passeport pasaporte паспорт passaporto 护照 護照 パスポート 旅券 여권 جواز",
    SSN_WORDS: "ssn social 社会安全号 社安号",
}
FOLDED = 0x2130  # code points below it may have another case


def folded_points() -> np.ndarray:
    """Return int32: the small letter of each code point below `FOLDED`, as expressions without case take it."""
    points = [ord(chr(point).lower()) if len(chr(point).lower()) == 1 else point for point in range(FOLDED)]
    folded = np.array(points, dtype=np.int32)
    folded[[0x130, 0x131, 0x17F]] = ord("i"), ord("i"), ord("s")
    return folded


def word_tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what compiled code looks words up in.

    `firsts` (uint8[65536]): for each code point the group of the words that begin with it in either case; 0: none.
    `rows` (int64[n, 4]): list, place and end in `letters` of each word, and its group; those of a group stand together.
    `letters` (int32): all words. Groups begin at `GROUPS[group]`.
    """
    words = sorted((word.replace("|", " "), which) for which, words in WORDS.items() for word in words.split())
    firsts = np.zeros(65536, dtype=np.uint8)
    rows: list[tuple[int, int, int, int]] = []
    letters: list[int] = []
    groups = {first: number for number, first in enumerate(sorted({word[0] for word, _ in words}), 1)}
    for word, which in words:
        rows.append((which, len(letters), len(letters) + len(word), groups[word[0]]))
        letters += map(ord, word)
        firsts[ord(word[0])] = groups[word[0]]
    firsts[:FOLDED] = firsts[FOLDS]
    return firsts, np.array(rows, dtype=np.int64), np.array(letters, dtype=np.int32)


FOLDS = folded_points()
FIRSTS, ROWS, LETTERS = word_tables()
GROUPS = np.searchsorted(ROWS[:, 3], np.arange(ROWS[-1, 3] + 2))
LISTS = np.array([np.bitwise_or.reduce(ROWS[ROWS[:, 3] == group, 0], initial=0) for group in range(ROWS[-1, 3] + 1)])


@bare
def fold(sign: int) -> int:
    """Return the small letter of a code point."""
    return FOLDS[sign] if sign < FOLDED else sign


@bare
def is_letter_sign(sign: int) -> bool:
    """Return whether a code point is a letter of ASCII."""
    return ord("a") <= sign | 32 <= ord("z")


@bare
def is_word_at(signs: np.ndarray, place: int, end: int, which: int) -> bool:
    """Return whether a word of one of the lists begins here.

    Words for telephones and births in alphabets do not begin inside a word of ASCII; those for telephones do not go on
    but with an s.
    """
    sign = signs[place]
    group = FIRSTS[sign] if sign < 65536 else 0
    if not LISTS[group] & which:
        return False
    first = fold(sign)
    inside = place > 0 and is_letter_sign(signs[place - 1]) and first < 0x2E80
    for row in range(GROUPS[group], GROUPS[group + 1]):
        word, begin, finish = ROWS[row, 0], ROWS[row, 1], ROWS[row, 2]
        if not word & which or place + finish - begin > end:
            continue
        if inside and word & (PHONE_WORDS | BIRTH_WORDS):
            continue
        place_of = place - begin
        same = begin + 1
        while same < finish and fold(signs[place_of + same]) == LETTERS[same]:
            same += 1
        if same < finish:
            continue
        behind = signs[place_of + finish] if place_of + finish < end else 32
        if word == PHONE_WORDS and first < 0x2E80 and is_letter_sign(behind) and behind | 32 != ord("s"):
            continue
        return True
    return False


@bare
def has_word(signs: np.ndarray, start: int, end: int, which: int) -> bool:
    """Return whether a word of one of the lists begins between two places."""
    for place in range(max(0, start), end):
        if is_word_at(signs, place, end, which):
            return True
    return False
