"""The licence of a source file, as an SPDX expression: what its header says, else the nearest licence file.

A licence is named only when the text says it in its own words: each rule is a set of phrases that all have to stand in
the text and some that must not. What no rule fits stays `unknown`; a licence is never guessed. Of the GPL family the
text does not tell "only" from "or later", so the name has neither (`GPL-3.0`). Identifiers: SPDX licence list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

UNKNOWN = "unknown"
HEAD_CHARACTERS = 4096
TEXT_CHARACTERS = 64 << 10  # the longest of them, GPL 3, has 35,000
_FILE_NAME = re.compile(r"(?:un|mit-)?(?:licen[cs]e|copying)(?:[._-][\w.+-]{1,40})?", re.IGNORECASE)
_NO_TEXT = (".py", ".js", ".ts", ".go", ".c", ".h", ".rs", ".java", ".rb", ".json", ".html", ".xml", ".yml", ".yaml")
# Only in a comment: a program may hold the same words in a string.
_HEADER = re.compile(
    r"^[ \t]*(?://+|#+|/?\*+|--+|;+|%+|<!--|\(\*|\{-|\"\"\"|'''|!|rem)[ \t]*SPDX-License-Identifier:"
    r"[ \t]*([A-Za-z0-9.+()\- ]{2,120})",
    re.MULTILINE | re.IGNORECASE,
)
VERBATIM = "everyone is permitted to copy and distribute verbatim copies"
_BLANK = re.compile(r"[\s,*#/\"'“”‘’;<>|_-]+")

# (identifier, phrases that all stand there, phrases of which none does), longer licences before those they contain.
_RULES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("EUPL-1.2", ("european union public licence", "1.2"), ()),
    ("MPL-2.0", ("mozilla public license version 2.0", "each contributor hereby grants you"), ()),
    ("EPL-2.0", ("eclipse public license v 2.0",), ()),
    ("EPL-1.0", ("eclipse public license v 1.0",), ()),
    ("AGPL-3.0", ("gnu affero general public license version 3", VERBATIM), ()),
    ("LGPL-3.0", ("gnu lesser general public license version 3", VERBATIM), ()),
    ("LGPL-2.1", ("gnu lesser general public license version 2.1", VERBATIM), ()),
    ("LGPL-2.0", ("gnu library general public license version 2", VERBATIM), ()),
    ("GPL-3.0", ("gnu general public license version 3", VERBATIM), ()),
    ("GPL-2.0", ("gnu general public license version 2", VERBATIM), ()),
    ("Apache-2.0", ("apache license version 2.0", "unless required by applicable law"), ()),
    ("MPL-1.1", ("mozilla public license version 1.1",), ()),
    ("CDDL-1.0", ("common development and distribution license", "version 1.0"), ()),
    ("MulanPSL-2.0", ("mulan permissive software license", "v2"), ()),
    ("MulanPSL-2.0", ("木兰宽松许可证", "第2版"), ()),
    ("OFL-1.1", ("sil open font license version 1.1",), ()),
    ("Artistic-2.0", ("the artistic license 2.0",), ()),
    ("PSF-2.0", ("python software foundation license version 2",), ()),
    ("CC0-1.0", ("cc0 1.0 universal",), ()),
    ("CC-BY-NC-SA-4.0", ("attribution noncommercial sharealike 4.0 international",), ()),
    ("CC-BY-NC-4.0", ("attribution noncommercial 4.0 international",), ()),
    ("CC-BY-ND-4.0", ("attribution noderivatives 4.0 international",), ()),
    ("CC-BY-SA-4.0", ("attribution sharealike 4.0 international",), ()),
    ("CC-BY-4.0", ("attribution 4.0 international",), ()),
    ("BSL-1.0", ("boost software license version 1.0",), ()),
    ("Unlicense", ("this is free and unencumbered software released into the public domain",), ()),
    ("WTFPL", ("do what the fuck you want to public license",), ()),
    ("Zlib", ("this software is provided as is without any express or implied warranty", "altered source versions must be plainly marked"), ()),
    ("PostgreSQL", ("permission to use, copy, modify, and distribute this software and its documentation for any purpose, without fee",), ()),
    ("NCSA", ("deal with the software without restriction", "neither the names of"), ()),
    ("BSD-4-Clause", ("redistribution and use in source and binary forms", "all advertising materials mentioning features"), ()),
    ("BSD-3-Clause", ("redistribution and use in source and binary forms", "endorse or promote products", "without modification, are permitted"), ("advertising materials", "subject to the limitations")),
    ("BSD-3-Clause-Clear", ("redistribution and use in source and binary forms", "subject to the limitations in the disclaimer below"), ()),
    ("BSD-2-Clause", ("redistribution and use in source and binary forms", "redistributions in binary form must reproduce", "without modification, are permitted"), ("endorse or promote", "advertising materials")),
    ("ISC", ("permission to use, copy, modify, and or distribute this software for any purpose with or without fee is hereby granted, provided that the above copyright notice",), ()),
    ("ISC", ("permission to use, copy, modify, and distribute this software for any purpose with or without fee is hereby granted, provided that the above copyright notice",), ()),
    ("0BSD", ("permission to use, copy, modify, and or distribute this software for any purpose with or without fee is hereby granted.",), ()),
    ("MIT", ("permission is hereby granted, free of charge, to any person obtaining a copy", "the above copyright notice and this permission notice", "as is"), ("advertising", "except as contained in this notice")),
    ("X11", ("permission is hereby granted, free of charge, to any person obtaining a copy", "the above copyright notice and this permission notice", "except as contained in this notice"), ()),
    ("MIT-0", ("permission is hereby granted, free of charge, to any person obtaining a copy", "as is"), ("the above copyright notice",)),
)  # fmt: skip
# Terms that make another licence of the text they stand beside.
_RESTRICTIONS = (
    "commons clause",
    "shall be used for good, not evil",
    "business source license",
    "additional restriction",
)


def is_licence_file(name: str) -> bool:
    """Return whether a file of this name holds a licence.

    >>> is_licence_file("LICENSE-MIT"), is_licence_file("COPYING.LESSER"), is_licence_file("license.py")
    (True, True, False)
    """
    return bool(_FILE_NAME.fullmatch(name)) and not name.lower().endswith(_NO_TEXT)


def licence_in_header(head: str) -> str | None:
    """Return the SPDX expression in the head of a file, `unknown` for one that is none, None where there is none.

    >>> licence_in_header("// SPDX-License-Identifier: (mit OR apache-2.0)")
    '(MIT OR Apache-2.0)'
    """
    matched = _HEADER.search(head[:HEAD_CHARACTERS])
    if not matched:
        return None
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    given = matched[1].strip().strip("-").strip()
    try:
        return str(canonicalize_license_expression(given))
    except InvalidLicenseExpression:
        return UNKNOWN


def licence_of_text(text: str) -> str:
    """Return the identifier of the licence that a text is, `unknown` when no rule fits.

    A text that holds several (the bundle of a vendor's notices) is `unknown` too, unless the second is one that the
    first refers to.
    """
    flat = _flat(text[:TEXT_CHARACTERS])
    if any(_flat(restriction) in flat for restriction in _RESTRICTIONS):
        return UNKNOWN
    found = [
        name
        for name, needed, excluded in _RULES
        if all(_flat(phrase) in flat for phrase in needed) and not any(phrase in flat for phrase in excluded)
    ]
    families = {_FAMILY.get(name, name) for name in found}
    return found[0] if len(families) == 1 else UNKNOWN


# Licences whose texts name or contain each other; the first rule that fits is the licence.
_FAMILY = {
    name: family
    for family, names in {
        "GNU": (
            "EUPL-1.2",
            "MPL-2.0",
            "EPL-2.0",
            "EPL-1.0",
            "AGPL-3.0",
            "LGPL-3.0",
            "LGPL-2.1",
            "LGPL-2.0",
            "GPL-3.0",
            "GPL-2.0",
        ),
        "CC": ("CC-BY-NC-SA-4.0", "CC-BY-NC-4.0", "CC-BY-ND-4.0", "CC-BY-SA-4.0", "CC-BY-4.0"),
        "ISC": ("ISC", "0BSD"),
    }.items()
    for name in names
}


def combined(identifiers: Iterable[str]) -> str:
    """Return the expression for the licence files of one folder.

    MIT beside Apache 2.0 is the usual choice between them; whatever else stands together is taken to hold together.

    >>> combined(["MIT", "Apache-2.0"]), combined(["MIT", "MPL-2.0"]), combined(["MIT", "unknown"])
    ('Apache-2.0 OR MIT', 'MIT AND MPL-2.0', 'unknown')
    """
    names = set(identifiers)
    if names == {"GPL-3.0", "LGPL-3.0"}:  # the lesser one is written as an addition to the other
        return "LGPL-3.0"
    if not names or UNKNOWN in names:
        return UNKNOWN
    return (" OR " if names == {"Apache-2.0", "MIT"} else " AND ").join(sorted(names))


def _flat(text: str) -> str:
    """Return a text in lower case, without marks and line ends, so that layout makes no difference."""
    return _BLANK.sub(" ", text.lower().replace("(c)", " ")).strip()
