"""A licence is named when a text says it in its own words, and never guessed."""

import pytest
from workbench_plugins.sources.code_licences import combined, is_licence_file, licence_in_header, licence_of_text

GRANT = "Permission is hereby granted, free of charge, to any person obtaining a copy of this software"
NOTICE = "The above copyright notice and this permission notice shall be included in all copies."
REDISTRIBUTION = (
    "Redistribution and use in source and binary forms, with or without\n * modification, are permitted. Redistributions "
    "in binary form must reproduce the above."
)
VERBATIM = "Everyone is permitted to copy and distribute verbatim copies of this license document"
ISC = "Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted"
CASES = {
    "MIT": f'{GRANT}. {NOTICE} THE SOFTWARE IS PROVIDED "AS IS".',
    "MIT-0": f'{GRANT}. THE SOFTWARE IS PROVIDED "AS IS".',
    "X11": f'{GRANT}. {NOTICE} "AS IS". Except as contained in this notice, the name of X shall not be used.',
    "BSD-2-Clause": REDISTRIBUTION,
    "BSD-3-Clause": f"{REDISTRIBUTION} Neither the name may be used to endorse or promote products.",
    "BSD-4-Clause": f"{REDISTRIBUTION} All advertising materials mentioning features must say so. Not endorse or promote products.",
    "ISC": f"{ISC}, provided that the above copyright notice appears.",
    "0BSD": f"{ISC}.",
    "Apache-2.0": "Apache License\n      Version 2.0, January 2004\nUnless required by applicable law",
    "GPL-3.0": f"GNU GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007\n{VERBATIM}",
    "GPL-2.0": f"GNU GENERAL PUBLIC LICENSE\n Version 2, June 1991\n{VERBATIM}",
    "AGPL-3.0": f"GNU AFFERO GENERAL PUBLIC LICENSE\nVersion 3\n{VERBATIM} … the GNU General Public License, version 3",
    "LGPL-2.1": f"GNU LESSER GENERAL PUBLIC LICENSE\nVersion 2.1, February 1999\n{VERBATIM}",
    "MPL-2.0": "Mozilla Public License Version 2.0\nEach Contributor hereby grants You … GNU General Public License, Version 2.0",
    "Unlicense": "This is free and unencumbered software released into the public domain.",
    "CC0-1.0": "CC0 1.0 Universal",
    "CC-BY-SA-4.0": "Attribution-ShareAlike 4.0 International",
    "CC-BY-4.0": "Attribution 4.0 International",
    "MulanPSL-2.0": "木兰宽松许可证, 第2版",
    "BSL-1.0": "Boost Software License - Version 1.0 - August 17th, 2003",
    "Zlib": "This software is provided 'as-is', without any express or implied\nwarranty. Altered source versions must be plainly marked",
}
UNKNOWN = {
    "nothing": "",
    "all-rights": "Copyright 2026. All rights reserved.",
    "mention": "This program is not under the GNU General Public License, version 2.",
    "proprietary": "You may not copy this. MIT is a university.",
    "json": f'{GRANT}. {NOTICE} "AS IS". The Software shall be used for Good, not Evil.',
    "commons-clause": f'"Commons Clause" License Condition v1.0. {GRANT}. {NOTICE} "AS IS".',
    "bundle": f'{GRANT}. {NOTICE} "AS IS".\n\n{REDISTRIBUTION}',
    "old-gpl": f"GNU GENERAL PUBLIC LICENSE\n Version 1, February 1989\n{VERBATIM}",
}


@pytest.mark.parametrize("identifier", CASES)
def test_a_licence_is_told_by_its_words(identifier):
    """However it is laid out."""
    text = CASES[identifier]
    assert licence_of_text(text) == identifier
    assert licence_of_text("# " + text.replace(" ", "  \r\n #  ").upper()) == identifier


@pytest.mark.parametrize("case", UNKNOWN)
def test_what_no_rule_fits_is_unknown(case):
    """Also what a rule would fit, if it were not for a restriction or a second licence."""
    assert licence_of_text(UNKNOWN[case]) == "unknown"


@pytest.mark.parametrize(
    "header, expected",
    [
        ("/* SPDX-License-Identifier: GPL-2.0-only */", "GPL-2.0-only"),
        ("# SPDX-License-Identifier: MIT", "MIT"),
        ("<!-- SPDX-License-Identifier: bsd-3-clause -->", "BSD-3-Clause"),
        ("// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception", "Apache-2.0 WITH LLVM-exception"),
        ("// SPDX-License-Identifier: LicenseRef-Mine", "LicenseRef-Mine"),
        ("// SPDX-License-Identifier: Whatever", "unknown"),
        ("// SPDX-License-Identifier:", None),
        ("// License: MIT", None),
        ('text = "# SPDX-License-Identifier: MIT"', None),
        ("#!/bin/sh\n# A tool.\n#\n#   SPDX-License-Identifier: MIT\n", "MIT"),
        ("x" * 5000 + "\\n# SPDX-License-Identifier: MIT", None),
    ],
)
def test_a_header_names_an_expression(header, expected):
    """Checked against the list of SPDX."""
    assert licence_in_header(header) == expected


def test_names_of_licence_files():
    """And of files that only sound like one."""
    yes = ("LICENSE", "license.md", "LICENCE.txt", "COPYING.LESSER", "LICENSE-MIT", "UNLICENSE", "MIT-LICENSE.txt")
    no = ("license.py", "licenses.json", "LICENSES", "copying_files.txt.go", "relicense", "my-license")
    assert [name for name in yes if not is_licence_file(name)] == []
    assert [name for name in no if is_licence_file(name)] == []


def test_files_beside_each_other():
    """The usual pair is a choice; whatever else is together holds together."""
    assert combined(["GPL-3.0", "LGPL-3.0"]) == "LGPL-3.0"
    assert combined([]) == "unknown"
