"""E-mail and IP addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network

from workbench_plugins.filters.pii_spans import Span

# Letters of the local part: what RFC 5321 allows and mail systems give out, and letters with accents, Greek and
# Cyrillic, so that no half of an address stays; but no Han, Kana or Thai, which stand beside one without a space, and
# none of `=?&/`, which stand before one in links.
LOCAL = re.compile(r"[A-Za-z0-9.%+~_'\-À-ÖØ-öø-ɏͰ-ӿ]*")  # read backwards from the sign
LOCAL_EDGE = ".%+~'-"
# What stands before the sign is a password in a URL, and the host behind it is no mail domain.
IN_URL = re.compile(r"://[^\s/?#@:]{1,64}:[^\s/?#@]{0,128}\Z")
URL_WINDOW = 200
# The longest address, RFC 5321 section 4.5.3.1.3. A local part has 64 octets at most; of a longer one nothing may stay.
MAX_LOCAL = 254
# A label is ASCII, accented, Greek or Cyrillic, or purely Han; never Han after ASCII, which is the next sentence.
DOMAIN = re.compile(
    r"(?:(?:[A-Za-z0-9À-ÖØ-öø-ɏͰ-ӿ](?:[A-Za-z0-9\-À-ÖØ-öø-ɏͰ-ӿ]{0,61}[A-Za-z0-9À-ÖØ-öø-ɏͰ-ӿ])?|[一-鿿]{1,30})\.){1,8}"
    r"(?:xn--[A-Za-z0-9\-]{2,59}|[A-Za-z]{2,24})"
)
# What looks like a top-level domain and is a file or an attribute: icon@2x.png, q@k.transpose(…).
FILE_ENDINGS = frozenset(
    [
        "png",
        "jpg",
        "jpeg",
        "gif",
        "svg",
        "webp",
        "bmp",
        "ico",
        "css",
        "scss",
        "js",
        "ts",
        "jsx",
        "tsx",
        "json",
        "html",
        "htm",
        "php",
        "xml",
        "txt",
        "pdf",
        "exe",
        "dll",
        "jar",
        "gz",
        "tar",
        "whl",
        "yml",
        "yaml",
        "toml",
    ]
)
IPV4 = re.compile(
    r"[0-9](?<![0-9A-Za-z_.\-].)[0-9]{0,2}\.(?:[0-9]{1,3}\.){2}[0-9]{1,3}(?![0-9A-Za-z_])(?!\.[0-9])(?!-[0-9A-Za-z])"
)
IPV6 = re.compile(
    r"[0-9A-Fa-f:](?<![0-9A-Za-z:._].)(?:(?<=:)(?=:)|(?<=[0-9A-Fa-f])[0-9A-Fa-f]{0,3}(?=:))(?::[0-9A-Fa-f]{0,4}){2,7}(?:(?<=:)[0-9]{1,3}(?:\.[0-9]{1,3}){3})?(?![0-9A-Za-z:_])"
)
MAYBE_IPV6 = re.compile(r":[0-9A-Fa-f]{0,4}:")  # searched by its colon: most texts have none
# An address in 2000::/3 begins with four digits, the first of them 2 or 3, which spares all text with `::`.
GLOBAL_IPV6 = re.compile(
    r"[23](?<![0-9A-Za-z:._].)[0-9A-Fa-f]{3}(?=:)(?::[0-9A-Fa-f]{0,4}){2,7}(?:(?<=:)[0-9]{1,3}(?:\.[0-9]{1,3}){3})?(?![0-9A-Za-z:_])"
)
# Words before four numbers that say they are a version, a section or an object identifier.
NOT_AN_ADDRESS = re.compile(
    r"(?:\bv|\bver|\bversions?|\brelease|\bbuild|\bfirmware|\bsection|\bchapter|\bclause|\bfigure|\btable|\boid|版本号?|固件|章节?|[<>~^=!]=|[<>~^]|[A-Za-z]/)[\s.:：#=]{0,3}\Z",
    re.IGNORECASE,
)
# What the words end in, of which at most three other characters follow: most text needs no expression.
LAST_SIGNS = frozenset("vVrRnNsSſeEdD本号件章节=<>~^/")
CONTEXT = 24
# Addresses that say nothing about a person: own network, own machine, own link, nobody, everybody.
LOCAL_NETWORKS = tuple(
    (int(IPv4Network(network).network_address), int(IPv4Network(network).netmask))
    for network in ("0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3")
)  # fmt: skip
GLOBAL_UNICAST = IPv6Network("2000::/3")


def find_emails(text: str) -> Iterator[Span]:
    """Yield e-mail addresses: around every `@`, at most 254 characters back and 255 on, so time is linear."""
    at = text.find("@")
    while at >= 0:
        local = LOCAL.match(text[max(0, at - MAX_LOCAL) : at][::-1])
        name = local.group().rstrip(LOCAL_EDGE) if local else ""
        domain = DOMAIN.match(text, at + 1, at + 256) if name and name[0] != "." else None
        if domain and is_mail_domain(text, domain, at):
            yield Span(at - len(name), domain.end(), "email")
        at = text.find("@", at + 1)


def is_mail_domain(text: str, domain: re.Match[str], at: int) -> bool:
    """Return whether what follows an `@` may be a domain, and not a file name, an attribute or the host of a URL."""
    before = text[max(0, at - URL_WINDOW) : at]
    if "://" in before and IN_URL.search(before):
        return False
    following = text[domain.end() : domain.end() + 1]
    return domain.group().rpartition(".")[2].lower() not in FILE_ENDINGS and following not in {"(", "_", "="}


def find_ips(text: str, *, private: bool) -> Iterator[Span]:
    """Yield IP addresses of version 4 and 6; those of private and local networks only if wanted."""
    for match in IPV4.finditer(text):
        before = text[max(0, match.start() - CONTEXT) : match.start()]
        is_other = not LAST_SIGNS.isdisjoint(before[-4:]) and NOT_AN_ADDRESS.search(before)
        if not is_other and is_ipv4(match.group(), private=private):
            yield Span(match.start(), match.end(), "ip")
    if not MAYBE_IPV6.search(text):
        return
    for match in (IPV6 if private else GLOBAL_IPV6).finditer(text):
        if is_ipv6(match.group(), private=private):
            yield Span(match.start(), match.end(), "ip")


def is_ipv4(address: str, *, private: bool) -> bool:
    """Return whether four numbers are an address.

    >>> is_ipv4("8.8.8.8", private=False), is_ipv4("192.168.0.1", private=False), is_ipv4("8.8.8.800", private=True)
    (True, False, False)
    """
    try:
        parsed = IPv4Address(address)
    except AddressValueError:
        return False
    number = int(parsed)
    return private or not any(number & mask == network for network, mask in LOCAL_NETWORKS)


def is_ipv6(address: str, *, private: bool) -> bool:
    """Return whether hexadecimal groups are an address; without private ones it must be in 2000::/3."""
    try:
        parsed = IPv6Address(address)
    except AddressValueError:
        return False
    return parsed in GLOBAL_UNICAST or (private and any(map(str.isdigit, address)))
