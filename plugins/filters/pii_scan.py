"""The compiled scan for personal data: which lines of a batch may hold which entity, in one pass over its bytes.

Every line is counted first (digits, `@`, colons, dashes, dots), which settles most of them. The others are decoded, full-width
signs narrowed, and looked at more closely. What is marked holds every line in which the finders find something, and few
others; the finders alone decide. `pii_marks` says why lines may be looked at one by one.
"""
# ruff: noqa: C901, FBT001, PLR0912, PLR2004, SIM110 - characters are numbers in compiled code, which takes no keywords

from __future__ import annotations

import numpy as np
from workbench_plugins.filters.byte_access import byte_at, decode, eight_at
from workbench_plugins.filters.minhash_kernel import bare, compiled
from workbench_plugins.filters.pii_eight import has_addresses, is_dull
from workbench_plugins.filters.pii_marks import BITS, PRIVATE_IP
from workbench_plugins.filters.pii_scan_numbers import (
    has_any,
    is_digit,
    is_hexadecimal,
    is_letter,
    is_sign,
    number_marks,
)
from workbench_plugins.filters.pii_scan_words import BIRTH_WORDS, PASSPORT_WORDS, is_word_at

PHONE, CARD, CN_ID, SSN = BITS["phone"], BITS["card"], BITS["cn_id"], BITS["ssn"]
EMAIL, IP, MAC, IBAN, PASSPORT = BITS["email"], BITS["ip"], BITS["mac"], BITS["iban"], BITS["passport"]
URL_CREDENTIALS, WALLET, BIRTH_DATE, HANDLE = (
    BITS[name] for name in ("url_credentials", "wallet", "birth_date", "handle")
)
NUMBERS = PHONE | CARD | CN_ID | SSN
FOUR_DIGITS = NUMBERS | PASSPORT | BIRTH_DATE | IP
AT_SIGN = EMAIL | URL_CREDENTIALS | HANDLE
ADDRESSES = AT_SIGN | IP | PRIVATE_IP
CONTEXT = 64  # characters before a line that may announce what stands in it
MORE_LINES = 2  # that a date of birth may go on in: a line may end behind its year and its month
FIELD = 21  # bits of a count; longer lines are looked at whatever they hold
# One number for each byte: what it adds to the counts of digits, of `:` and `-`, and of dots and `@`.
DIGITS, COLONS, DOTS = 1, 1 << FIELD, 1 << 2 * FIELD
LOWEST = (1 << FIELD) - 1
SEEN_AT, NEWLINE, WIDE = 1 << 61, 1 << 62, 1 << 63


def counts_of_bytes() -> np.ndarray:
    """Return uint64[256]: what each byte adds to the counts of a line; the upper three bits are flags."""
    counts = np.zeros(256, dtype=np.uint64)
    counts[ord("0") : ord("9") + 1] = DIGITS
    counts[[ord(":"), ord("-")]] = COLONS
    counts[ord(".")] = DOTS
    counts[ord("@")], counts[ord("\n")], counts[0xEF] = SEEN_AT, NEWLINE, WIDE
    return counts


def narrow_forms() -> np.ndarray:
    """Return int32[96]: the narrow form of U+FF00 and the code points behind it, which `pii` reads as one."""
    forms = np.arange(0xFF00, 0xFF60, dtype=np.int32)
    for sign in "@.+-():/_":
        forms[ord(sign) - 0x20] -= 0xFEE0
    for first, last in ("09", "AZ", "az"):
        forms[ord(first) - 0x20 : ord(last) - 0x1F] -= 0xFEE0
    return forms


COUNTS, NARROW = counts_of_bytes(), narrow_forms()


@compiled
def scan(
    offsets: np.ndarray,
    content: np.ndarray,
    wanted: int,
    narrow: bool,
    marks: np.ndarray,
    counts: np.ndarray,
    forms: np.ndarray,
) -> int:
    """Write a row for each marked stretch of lines and return how many there are, even where `marks` is too short.

    A row of `marks` (int64): document, byte where the context begins, first byte, last byte and one, entities as bits.
    """
    longest = 0
    for row in range(offsets.size - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    signs = np.empty(longest + CONTEXT, dtype=np.int32)
    number = 0
    for row in range(offsets.size - 1):
        begin, end = offsets[row], offsets[row + 1]
        start, open_until, more = begin, -1, 0
        only_addresses = not wanted & ~ADDRESSES
        if only_addresses and not has_addresses(content, begin, end):
            continue
        while start < end:
            place, total, flags = _count(content, start, end, narrow, counts, forms)
            last = place - 1 if flags & np.uint64(NEWLINE) else place
            found = 0
            is_looked_at = place - start >= 1 << FIELD - 1 or _may_hold(
                total, flags & np.uint64(SEEN_AT) != np.uint64(0), wanted
            )
            if is_looked_at and only_addresses:
                is_looked_at = has_addresses(content, start, last)
            if is_looked_at:
                context = _before(content, begin, start)
                first, length = _read(content, context, start, last, narrow, forms, signs)
                found = line_marks(signs, first, length, wanted)
            if found or more:
                if open_until == start and number <= len(marks):
                    marks[number - 1, 3] = last
                    marks[number - 1, 4] |= found
                elif open_until != start:
                    if number < len(marks):
                        marks[number] = (row, _before(content, begin, start), start, last, found)
                    number += 1
                open_until = place
                more = MORE_LINES if found & BIRTH_DATE else max(0, more - 1)
            start = place
    return number


@bare
def _count(
    content: np.ndarray, place: int, end: int, narrow: bool, counts: np.ndarray, forms: np.ndarray
) -> tuple[int, np.int64, np.uint64]:
    """Return where the line that begins here ends, behind its line feed; its counts; and its flags."""
    total, flags = np.uint64(0), np.uint64(0)
    while place < end:
        if place + 8 <= end and is_dull(eight_at(content, place)):
            place += 8
            continue
        stop = min(end, place + 8)
        while place < stop:
            value = counts[byte_at(content, place)]
            place += 1
            if value < np.uint64(SEEN_AT):
                total += value
                continue
            flags |= value
            if value == np.uint64(NEWLINE):
                return place, np.int64(total), flags
            if value == np.uint64(WIDE) and narrow:  # the two bytes that follow a lead byte are in the text
                point = (byte_at(content, place) & 0x3F) << 6 | byte_at(content, place + 1) & 0x3F
                if 0xF00 <= point < 0xF60 and forms[point - 0xF00] < 128:
                    value = counts[forms[point - 0xF00]]
                    total += value if value < np.uint64(SEEN_AT) else np.uint64(0)
                    flags |= value & np.uint64(SEEN_AT)
    return place, np.int64(total), flags


@bare
def _may_hold(total: np.int64, has_at: bool, wanted: int) -> bool:
    """Return whether the counts of a line allow one of the entities."""
    digits, colons, dots = total & LOWEST, total >> FIELD & LOWEST, total >> 2 * FIELD
    if wanted & AT_SIGN and has_at:
        return True
    if (digits >= 4 and wanted & FOUR_DIGITS) or (digits >= 2 and wanted & IBAN) or (digits >= 1 and wanted & WALLET):
        return True
    if wanted & IP and colons >= 2 and (digits >= 1 or wanted & PRIVATE_IP):
        return True
    return bool(wanted & MAC and (colons >= 5 or dots >= 2))


@bare
def _before(content: np.ndarray, begin: int, start: int) -> int:
    """Return where the `CONTEXT` characters before a place begin."""
    for _ in range(CONTEXT):
        if start <= begin:
            break
        start -= 1
        while start > begin and byte_at(content, start) & 0xC0 == 0x80:
            start -= 1
    return start


@bare
def _read(
    content: np.ndarray, context: int, start: int, last: int, narrow: bool, forms: np.ndarray, signs: np.ndarray
) -> tuple[int, int]:
    """Decode a line with what stands before it; return the index of its first character and the number of all."""
    place, number, first = context, 0, 0
    while place < last:
        if place == start:
            first = number
        point = byte_at(content, place)
        if point < 128:
            place += 1
        else:
            point, length = decode(content, place)
            place += length
            if narrow and 0xFF00 <= point < 0xFF60:
                point = forms[point - 0xFF00]
        signs[number] = point
        number += 1
    return (first if start < last else number), number


@bare
def line_marks(signs: np.ndarray, first: int, end: int, wanted: int) -> int:
    """Return the entities that a line may hold; what stands before `first` is its context."""
    found, chain, digits, last = 0, first, 0, -10
    for place in range(first, end):
        sign = signs[place]
        if is_digit(sign):
            if place - last > 4:
                if digits >= 6:
                    found |= number_marks(signs, chain, last + 1, end, wanted)
                chain, digits = place, 0
            digits += 1
            last = place
            if place == first or not is_digit(signs[place - 1]):
                found |= _digit_marks(signs, first, place, end, wanted)
        elif sign == ord("@"):
            found |= _at_marks(signs, first, place, end) & wanted
        elif sign == ord(":") or sign == ord("-") or sign == ord("."):
            if wanted & MAC and _is_mac(signs, first, place, end):
                found |= MAC
            if wanted & PRIVATE_IP and wanted & IP and sign == ord(":") and _next_colon(signs, place, end):
                found |= IP
        elif sign == ord("b") and wanted & WALLET and _is_bitcoin(signs, place, end):
            found |= WALLET
        if sign >= ord("A"):
            if wanted & BIRTH_DATE and is_word_at(signs, place, end, BIRTH_WORDS) and _digit_follows(signs, place, end):
                found |= BIRTH_DATE
            if (
                wanted & PASSPORT
                and is_word_at(signs, place, end, PASSPORT_WORDS)
                and _digit_follows(signs, place, end)
            ):
                found |= PASSPORT
    if digits >= 6:
        found |= number_marks(signs, chain, last + 1, end, wanted)
    return found


@bare
def _digit_follows(signs: np.ndarray, place: int, end: int) -> bool:
    for following in range(place, min(end, place + 64)):
        if is_digit(signs[following]):
            return True
    return False


@bare
def _is_bitcoin(signs: np.ndarray, place: int, end: int) -> bool:
    """Return whether a `bc1` with the eleven characters that it needs begins at a `b`."""
    return place + 14 <= end and signs[place + 1] == ord("c") and signs[place + 2] == ord("1")


@bare
def _at_marks(signs: np.ndarray, first: int, place: int, end: int) -> int:
    """Return what an `@` may belong to: letters that an address may have on both sides, or `://` before it."""
    if place + 1 >= end:
        return 0
    after = signs[place + 1]
    found = HANDLE if is_letter(after) or after == ord("_") else 0
    if place == first:
        return found
    before = signs[place - 1]
    is_local = (
        is_sign(before) or 0xC0 <= before < 0x500 or has_any(before, ord("%"), ord("+"), ord("~"), ord("'"), ord("-"))
    )
    if is_local and (is_digit(after) or is_letter(after) or after >= 0xC0):
        found |= EMAIL
    for back in range(place - 1, max(first + 2, place - 200) - 1, -1):
        if signs[back] == ord("/") and signs[back - 1] == ord("/") and signs[back - 2] == ord(":"):
            found |= URL_CREDENTIALS
    return found


@bare
def _digit_marks(signs: np.ndarray, first: int, place: int, end: int, wanted: int) -> int:
    """Return what may begin with a digit that no other stands before: addresses, wallets and the digits of an IBAN."""
    found = 0
    before = signs[place - 1] if place > first else 32
    begins = wanted & IP and not is_sign(before) and before != ord(".")
    if begins and (_is_ipv4(signs, place, end) or _is_ipv6(signs, place, end)):
        found |= IP
    if wanted & WALLET and not is_sign(before):
        run = place + 1
        while run < end and (is_digit(signs[run]) or is_letter(signs[run])):
            run += 1
        if run - place >= 26:
            found |= WALLET
    follows = wanted & IBAN and place >= first + 2 and is_letter(before) and is_letter(signs[place - 2])
    if follows and (place == first + 2 or not is_sign(signs[place - 3])) and _is_iban(signs, place - 2, end):
        found |= IBAN
    return found


@bare
def _is_ipv4(signs: np.ndarray, place: int, end: int) -> bool:
    for _ in range(3):
        run = 0
        while run < 4 and place < end and is_digit(signs[place]):
            run, place = run + 1, place + 1
        if run == 0 or run > 3 or place >= end or signs[place] != ord("."):
            return False
        place += 1
    return place < end and is_digit(signs[place])


@bare
def _is_ipv6(signs: np.ndarray, place: int, end: int) -> bool:
    """Return whether an address in 2000::/3 may begin here."""
    if not has_any(signs[place], ord("2"), ord("3"), 0, 0, 0) or place + 6 > end or signs[place + 4] != ord(":"):
        return False
    for following in range(place + 1, place + 4):
        if not is_hexadecimal(signs[following]):
            return False
    return _next_colon(signs, place + 4, end)


@bare
def _next_colon(signs: np.ndarray, place: int, end: int) -> bool:
    """Return whether behind this colon another follows, with at most four hexadecimal digits between."""
    for following in range(place + 1, min(end, place + 6)):
        if signs[following] == ord(":"):
            return True
        if not is_hexadecimal(signs[following]):
            return False
    return False


@bare
def _is_mac(signs: np.ndarray, first: int, place: int, end: int) -> bool:
    """Return whether this is the first separator of a hardware address."""
    sign, group = signs[place], 4 if signs[place] == ord(".") else 2
    others = 1 if group == 4 else 4
    if place < first + group or place + others * (group + 1) + group >= end:
        return False
    for step in range(1, others + 1):
        if signs[place + step * (group + 1)] != sign:
            return False
    for near in range(place - group, place + others * (group + 1) + group + 1):
        if (near - place) % (group + 1) and not is_hexadecimal(signs[near]):
            return False
    return True


@bare
def _is_iban(signs: np.ndarray, start: int, end: int) -> bool:
    """Return whether the check digits are right (ISO 7064 MOD 97-10) for one of the lengths of 15 to 34 from here on."""
    head, rest, seen, place = 0, 0, 0, start
    while place < end and seen < 34:
        sign = signs[place]
        if is_digit(sign) or is_letter(sign):
            value = sign - ord("0") if is_digit(sign) else (sign | 32) - ord("a") + 10
            seen += 1
            if seen in (3, 4) and not is_digit(sign):
                return False
            if seen <= 4:
                head = head * (10 if value < 10 else 100) + value
            else:
                rest = (rest * (10 if value < 10 else 100) + value) % 97
            if seen >= 15 and (rest * 1_000_000 + head) % 97 == 1:
                return True
        elif (
            seen < 4
            or not has_any(sign, ord(" "), ord("-"), 0, 0, 0)
            or signs[place - 1] == 32
            or signs[place - 1] == 45
        ):
            return False
        place += 1
    return False
