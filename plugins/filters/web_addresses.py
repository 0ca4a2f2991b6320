"""Web addresses: the host and the path that a URL means, whatever tricks it is written with.

Parsing is that of browsers (WHATWG URL, by Ada): case, ports, user names before an `@`, backslashes, percent signs and
full-width letters in hosts, IPv4 addresses in odd notations, dots in paths, international names as punycode.
"""

from __future__ import annotations

import re
from typing import NamedTuple

PLAIN_DOMAIN = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?\Z"
)
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?=[/\\])")
IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}\Z")
HOSTS_FILE = re.compile(r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:]*::?[0-9a-fA-F:]*(?:%\w+)?)\Z")
OWN_NAMES = frozenset(("localhost", "localhost.localdomain", "local", "broadcasthost", "0.0.0.0"))  # noqa: S104
BROKEN = re.compile(r"[\s^|*$]|@@|##")  # marks of rules that say more than where
LONGEST_HOST = 253  # characters, RFC 1035 section 2.3.4: nothing lies at a longer one
HIDING = re.compile(r"[\s./\\]*")


class Address(NamedTuple):
    """Where a document lies.

    Attributes:
        host: In lower case, international names as punycode, without a dot at its end; an IPv6 address in brackets.
        path: From its first `/` on, with the query, without the fragment; empty for the root.
    """

    host: str
    path: str


def address_of(url: str) -> Address | None:
    """Return the address that a URL means, or None when it names no host. A missing scheme is taken for `http`.

    >>> address_of("HTTPS://good.example@Bücher.example.:8080/a/./b?q=1#top")
    Address(host='xn--bcher-kva.example', path='/a/b?q=1')
    >>> address_of("mailto:somebody") is None
    True
    """
    import can_ada

    url = url.strip()
    if not SCHEME.match(url):
        if ":" in url.partition("/")[0] and not _has_port(url):
            return None
        url = f"http://{HIDING.sub('', url, count=1)}"
    try:
        parsed = can_ada.parse(url)
    except ValueError:
        return None
    host = parsed.hostname.rstrip(".")
    path = parsed.pathname.rstrip("/") if not parsed.search else parsed.pathname
    return Address(host, f"{path}{parsed.search}") if 0 < len(host) <= LONGEST_HOST else None


def _has_port(url: str) -> bool:
    rest = url.partition("/")[0].rpartition(":")[2]
    return rest.isdecimal() or rest.endswith("]")


def _is_own(name: str) -> bool:
    return name in OWN_NAMES or name.startswith("ip6-")


def is_numeric(host: str) -> bool:
    """Return whether a host is an IP address, which lies in no domain.

    >>> is_numeric("10.0.0.1"), is_numeric("[::1]"), is_numeric("10.example")
    (True, True, False)
    """
    return host.startswith("[") or IPV4.match(host) is not None


def listed_addresses(line: str) -> list[str] | None:
    """Return the keys (`host` or `host/path`) that a line of a list names; None when it is neither domain nor URL.

    A domain without a dot (`.ru`, `*.zip`) counts only with the mark that it is meant; names that hosts files give to
    the machine itself, comments and headers give no key.

    >>> listed_addresses("0.0.0.0 Ads.example tracker.example # two"), listed_addresses("||bad.example^")
    (['ads.example', 'tracker.example'], ['bad.example'])
    >>> listed_addresses("https://user@bad.example:8080/dir/#x"), listed_addresses(".zip"), listed_addresses("zip")
    (['bad.example/dir'], ['zip'], None)
    """
    if line.startswith(("!", "[Adblock")):
        return []
    line = line.partition(" #")[0].partition("\t#")[0].strip()
    words = line.split()
    if len(words) > 1 and HOSTS_FILE.match(words[0]):
        return [key for word in words[1:] if not _is_own(word) for key in listed_addresses(word) or []]
    if len(words) > 1:
        return None
    if line.startswith("||"):
        line = line[2:].removesuffix("^")
    line = line.removesuffix("/*")
    bare = line.removeprefix("*.").removeprefix(".")
    if PLAIN_DOMAIN.match(bare.lower()):
        return [bare.lower()]
    if BROKEN.search(bare):
        return None
    address = address_of(bare)
    if address is None or ("." not in address.host and not is_numeric(address.host) and bare == line):
        return None
    return [f"{address.host}{address.path}"]
