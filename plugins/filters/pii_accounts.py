"""Numbers of devices, accounts and documents: MAC, IBAN, US SSN, passport, wallet; log-ins in URLs, handles, births.

Every pattern begins with a plain set of characters, repeats within bounds and is proved afterwards where a proof
exists: check digits by python-stdnum (IBAN), invalid ranges (SSN), double SHA-256 and bech32 (Bitcoin).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from hashlib import sha256

from workbench_plugins.filters.pii_spans import Span
from workbench_plugins.filters.pii_windows import search_numbers

# Six pairs with one separator throughout, or three groups of four (Cisco).
MAC = re.compile(
    r"[0-9A-Fa-f](?<![0-9A-Za-z:_\-.].)(?:[0-9A-Fa-f](?:(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5})"
    r"|[0-9A-Fa-f]{3}(?:\.[0-9A-Fa-f]{4}){2})(?![0-9A-Za-z_]|[:\-][0-9A-Fa-f])"
)
NO_DEVICE = {"000000000000", "ffffffffffff"}
# Searched from the first check digit, which is rarer than letters: country, two check digits, 11 to 30 characters in groups; the length of the country cuts the rest off.
IBAN = re.compile(r"[0-9](?<=[A-Za-z]{2}.)(?<![0-9A-Za-z_]...)[0-9](?:[ \-]?[0-9A-Za-z]){11,30}")
IBAN_LENGTHS = range(15, 35)
SSN = re.compile(
    r"[0-8](?<![0-9A-Za-z_].)(?<![0-9][.,\-/].)[0-9]{2}(?:([ \-])[0-9]{2}\1[0-9]{4}|[0-9]{6})(?![0-9A-Za-z_])(?![.\-][0-9])"
)
SSN_WORD = re.compile(r"(?:ssn|social[ \-]?security|社会安全号|社安号)[^0-9\n]{0,40}\Z", re.IGNORECASE)
# Printed in advertisements and refused by the administration itself, and the one everybody makes up.
SSN_PRINTED = {"078051120", "219099999", "123456789"}
PASSPORT = re.compile(r"[A-Za-z0-9](?<![0-9A-Za-z_].)[A-Za-z0-9]{7,8}(?![0-9A-Za-z_])")
PASSPORT_WORD = re.compile(
    r"(?:passport|reisepass|passeport|pasaporte|паспорт\w{0,3}|passaporto|护照|護照|パスポート|旅券|여권|جواز)"
    r"[^0-9\n]{0,16}\Z",
    re.IGNORECASE,
)
CREDENTIALS = re.compile(r"://([^\s/?#:@'\"<>]{1,64}:[^\s/?#@'\"<>]{1,128})@(?=[A-Za-z0-9\[])")
NO_CREDENTIALS = re.compile(r"(?:user(?:name)?|[<{$%*x]+.{0,20}):(?:pass(?:word)?|[<{$%*x]+.{0,20})\Z", re.IGNORECASE)
HANDLE = re.compile(r"@(?<![0-9A-Za-z_.@/`\\].)[A-Za-z_][0-9A-Za-z_]{2,29}(?![0-9A-Za-z_(\[@]|[./\-][0-9A-Za-z])")
MIN_PASSPORT_DIGITS, MIN_ETHEREUM_DIGITS = 6, 5  # digits in a passport; different ones in an address
# Decorators and tags of documentation that begin a line or a sentence like a name.
NO_HANDLE = frozenset(
    [
        "all",
        "author",
        "brief",
        "channel",
        "classmethod",
        "code",
        "dataclass",
        "deprecated",
        "everyone",
        "here",
        "hookimpl",
        "import",
        "interface",
        "link",
        "media",
        "override",
        "param",
        "params",
        "property",
        "pytest",
        "require",
        "return",
        "returns",
        "see",
        "since",
        "staticmethod",
        "test",
        "throws",
        "todo",
        "type",
        "version",
    ]
)
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
WALLET = re.compile(
    r"[13b0](?<![0-9A-Za-z_].)(?:(?<=[13])[1-9A-HJ-NP-Za-km-z]{25,33}|(?<=b)c1[02-9ac-hj-np-z]{11,71}"
    r"|(?<=0)x[0-9A-Fa-f]{40})(?![0-9A-Za-z_])"
)
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
MONTHS = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|januar|februar|märz|mai|juni|juli|oktober|dezember|janvier"
    r"|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre|enero|febrero|marzo|abril|mayo|junio"
    r"|julio|agosto|septiembre|octubre|noviembre|diciembre|января|февраля|марта|апреля|мая|июня|июля|августа|сентября"
    r"|октября|ноября|декабря)[a-z]{0,6}\.?"
)
BIRTH = re.compile(
    rf"[0-9](?<![0-9A-Za-z_.\-/].)(?:[0-9]{{3}}(?:[\-/.][0-9]{{1,2}}[\-/.][0-9]{{1,2}}|[年년]\s?[0-9]{{1,2}}[月월]\s?[0-9]{{1,2}}[日일号]?)"
    rf"|[0-9]?[\-/.][0-9]{{1,2}}[\-/.](?:[0-9]{{4}}|[0-9]{{2}})|[0-9]?(?:st|nd|rd|th|\.)?(?: de| of)? {MONTHS}(?: de|,)? [0-9]{{4}})"
    r"(?![0-9A-Za-z_])",
    re.IGNORECASE,
)
# `May 4, 1990` is searched from its year, with what may stand before it.
YEAR = re.compile(r"[12](?<=[ ,].)[0-9]{3}(?![0-9A-Za-z_])")
BEFORE_YEAR = re.compile(rf"(?<![a-z]){MONTHS} [0-9]{{1,2}}(?:st|nd|rd|th)?,? \Z", re.IGNORECASE)
BEFORE_YEAR_WINDOW = 24
BIRTH_WORD = re.compile(
    r"(?:(?<![a-z])(?:d\.?o\.?b\.?|born|date of birth|birth ?da(?:te|y)|geboren|geburtsdatum|né|née|date de naissance"
    r"|naissance|nacid[oa]|fecha de nacimiento|родил(?:ся|ась)|дата рождения|nato|nata|data de nascimento)(?![a-z])"
    r"|出生|生日|生于|生於|生年月日|誕生日|생년월일|تاريخ الميلاد)[^0-9\n]{0,16}\Z",
    re.IGNORECASE,
)
CONTEXT = 64
FIRST_YEAR, LAST_YEAR, LAST_DAY, CENTURY, LONG_YEAR = 1880, 2100, 31, 1900, 1000


def find_macs(text: str) -> Iterator[Span]:
    """Yield hardware addresses of six octets; not zero and not the broadcast address."""
    for match in MAC.finditer(text):
        if re.sub("[:.-]", "", match.group()).lower() not in NO_DEVICE:
            yield Span(match.start(), match.end(), "mac")


def find_ibans(text: str) -> Iterator[Span]:
    """Yield IBANs: structure and length of the country, check digits by ISO 7064 MOD 97-10."""
    for match in IBAN.finditer(text):
        start = match.start() - len("DE")
        candidate, seen = text[start : match.end()], 0
        for place, sign in enumerate(candidate):
            seen += sign.isalnum()
            following = candidate[place + 1 : place + 2]
            ends = seen in IBAN_LENGTHS and sign.isalnum() and not following.isalnum()
            if (
                ends
                and has_mod_97(candidate[: place + 1])
                and is_iban(candidate[: place + 1])
                and not _goes_on(text, start + place)
            ):
                yield Span(start, start + place + 1, "iban")
                break


@lru_cache(maxsize=8192)
def is_iban(candidate: str) -> bool:
    """Return whether a country has accounts of this form."""
    from stdnum import iban

    return bool(iban.is_valid(candidate, check_country=False))


def has_mod_97(candidate: str) -> bool:
    """Return whether the check digits are right by ISO 7064 MOD 97-10, which costs a tenth of looking up the country.

    >>> has_mod_97("GB82 WEST 1234 5698 7654 32"), has_mod_97("GB82 WEST 1234 5698 7654 33")
    (True, False)
    """
    signs = candidate.replace(" ", "").replace("-", "")
    digits = "".join(str(int(sign, 36)) for sign in signs[4:] + signs[:4])
    return int(digits) % 97 == 1


def _goes_on(text: str, place: int) -> bool:
    after = text[place + 1 : place + 2]
    return after.isascii() and (after.isalnum() or after == "_")


def find_ssns(text: str) -> Iterator[Span]:
    """Yield US social security numbers: in groups anywhere, as nine digits only after a word for one."""
    for match in search_numbers(SSN, text):
        if is_ssn(re.sub("[ -]", "", match.group())) and (
            match.group(1) == "-" or SSN_WORD.search(text[max(0, match.start() - CONTEXT) : match.start()])
        ):
            yield Span(match.start(), match.end(), "ssn")


def is_ssn(digits: str) -> bool:
    """Return whether nine digits may be a social security number (20 CFR 422.103; ranges never given out).

    >>> is_ssn("536904399"), is_ssn("666904399"), is_ssn("900904399"), is_ssn("536004399"), is_ssn("536900000")
    (True, False, False, False, False)
    """
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    barred = area in {"000", "666"} or area >= "900" or group == "00" or serial == "0000"
    return not barred and digits not in SSN_PRINTED


def find_passports(text: str) -> Iterator[Span]:
    """Yield passport numbers, 8 or 9 letters and digits, after a word for a passport."""
    for match in PASSPORT.finditer(text):
        number = match.group()
        digits = sum(map(str.isdigit, number))
        if digits >= MIN_PASSPORT_DIGITS and PASSPORT_WORD.search(
            text[max(0, match.start() - CONTEXT) : match.start()]
        ):
            yield Span(match.start(), match.end(), "passport")


def find_credentials(text: str) -> Iterator[Span]:
    """Yield `user:password` of URLs; not `user:password` itself nor placeholders."""
    for match in CREDENTIALS.finditer(text):
        if not NO_CREDENTIALS.match(match.group(1)):
            yield Span(match.start(1), match.end(1), "url_credentials")


def find_handles(text: str) -> Iterator[Span]:
    """Yield `@name` of 3 to 30 characters; not decorators, calls, packages and tags of documentation."""
    for match in HANDLE.finditer(text):
        if match.group()[1:].lower() not in NO_HANDLE:
            yield Span(match.start(), match.end(), "handle")


def find_wallets(text: str) -> Iterator[Span]:
    """Yield addresses of Bitcoin, by checksum, and of Ethereum, by shape (its checksum is optional)."""
    for match in WALLET.finditer(text):
        if is_wallet(match.group()):
            yield Span(match.start(), match.end(), "wallet")


def is_wallet(address: str) -> bool:
    """Return whether an address proves itself: Base58Check, bech32 or bech32m (BIP 173, 350), 0x and 40 digits.

    >>> is_wallet("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"), is_wallet("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb")
    (True, False)
    """
    if address.startswith("0x"):
        return len(set(address[2:].lower())) >= MIN_ETHEREUM_DIGITS
    if address.startswith("bc1"):
        return _bech32_rest("bc", address[3:]) in {1, 0x2BC830A3}
    number = 0
    for sign in address:
        number = number * 58 + BASE58.index(sign)
    if number >> 200:
        return False
    raw = number.to_bytes(25, "big")
    return raw[0] in {0, 5} and sha256(sha256(raw[:21]).digest()).digest()[:4] == raw[21:]


def _bech32_rest(prefix: str, data: str) -> int:
    rest = 1
    values = [ord(sign) >> 5 for sign in prefix] + [0] + [ord(sign) & 31 for sign in prefix]
    for value in values + [BECH32.index(sign) for sign in data]:
        top = rest >> 25
        rest = (rest & 0x1FFFFFF) << 5 ^ value
        for place, factor in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            rest ^= factor if top >> place & 1 else 0
    return rest


def find_births(text: str) -> Iterator[Span]:
    """Yield dates after a word for a birth, in the forms of the eight languages the words are in."""
    places = [match.span() for match in BIRTH.finditer(text)]
    for year in YEAR.finditer(text):
        from_here = max(0, year.start() - BEFORE_YEAR_WINDOW)
        before = BEFORE_YEAR.search(text[from_here : year.start()])
        if before:
            places.append((from_here + before.start(), year.end()))
    for start, end in places:
        if BIRTH_WORD.search(text[max(0, start - CONTEXT) : start]) and is_date(text[start:end]):
            yield Span(start, end, "birth_date")


def is_date(written: str) -> bool:
    """Return whether the numbers of a date can be one: year, month and day in one of the usual orders.

    >>> is_date("1990-02-29"), is_date("31.12.1990"), is_date("12/31/90"), is_date("4 May 1990")
    (False, True, True, True)
    """
    numbers = [int(number) for number in re.findall(r"[0-9]+", written)]
    if len(numbers) < len(("year", "month", "day")):  # the month is a word
        return 1 <= min(numbers) <= LAST_DAY and FIRST_YEAR <= max(numbers) <= LAST_YEAR
    first, second, third = numbers
    year = third + CENTURY if third < LONG_YEAR // 10 else third
    orders = [(first, second, third)] if first >= LONG_YEAR else [(year, second, first), (year, first, second)]
    return any(_exists(*order) for order in orders)


def _exists(year: int, month: int, day: int) -> bool:
    try:
        return FIRST_YEAR <= date(year, month, day).year <= LAST_YEAR
    except ValueError:
        return False
