"""Source code: every file of a tree is in the ledger, with its language and licence, and nothing outside it is read."""

import json
import os

import pytest
from pydantic import ValidationError
from workbench_plugins.sources.code import Code
from workbench_plugins.sources.code_languages import KINDS, LANGUAGES, language_of

from workbench.errors import EnvironmentProblem
from workbench.files.digest import digest_file
from workbench.testing.trials import trial

MIT = """MIT License

Copyright (c) 2026 Somebody

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction.

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND.
"""
APACHE = "Apache License\nVersion 2.0, January 2004\n\nUnless required by applicable law or agreed to in writing"


def write(folder, files):
    for name, content in files.items():
        path = folder / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def read(folder, files=(), **settings):
    write(folder, dict(files))
    corpus = trial(Code(**{"paths": ("tree",), "max_bad_share": 1.0, **settings}), {}, folder)
    assert corpus.ledger.read == corpus.ledger.kept + corpus.ledger.rejected.total() + corpus.ledger.quarantined
    return corpus


def meta(corpus):
    return {(row := json.loads(value))["path"]: row for value in corpus.scan().collect()["meta"]}


def rejected(corpus):
    frame = corpus.rejects().collect()
    return dict(zip(frame["source"].str.strip_prefix("tree/"), frame["reason"], strict=True))


def test_a_file_is_a_document_with_what_is_known_of_it(tmp_path):
    """Line ends become one, the text is as it stands otherwise."""
    corpus = read(tmp_path, {"src/a.py": "# 注释\r\nprint(1)\r\n", "LICENSE": MIT})
    frame = corpus.scan().collect()
    assert frame["text"].to_list()[1] == "# 注释\nprint(1)\n"
    assert frame["source"].to_list() == ["tree/LICENSE", "tree/src/a.py"]
    assert meta(corpus)["src/a.py"] == {
        "path": "src/a.py",
        "repository": "tree",
        "language": "Python",
        "licence": "MIT",
        "licence_from": "LICENSE",
        "lines": 2,
        "encoding": "utf-8",
    }


TOLD = {
    "a.py": ("", "Python"),
    "a.PY": ("", "Python"),
    "a.cpp": ("", "C++"),
    "a.c": ("", "C"),
    "plain.h": ("int add(int, int);\n", "C"),
    "plus.h": ("#pragma once\nnamespace a {\nclass B;\n}\n", "C++"),
    "objective.h": ("#import <Foundation/Foundation.h>\n@interface A\n@end\n", "Objective-C"),
    "a.m": ("function y = f(x)\n% text\ny = x;\nend\n", "MATLAB"),
    "b.m": ("#import <UIKit/UIKit.h>\n@implementation B\n@end\n", "Objective-C"),
    "a.pl": ("use strict;\nprint 1;\n", "Perl"),
    "b.pl": (":- module(b, []).\nparent(a, b).\n", "Prolog"),
    "a.v": ("module a(input b);\nendmodule\n", "Verilog"),
    "b.v": ("Require Import Arith.\nTheorem a : True.\n", "Rocq"),
    "a.ts": ("const a: number = 1\n", "TypeScript"),
    "b.ts": ('<?xml version="1.0"?>\n<!DOCTYPE TS>\n<TS/>\n', "XML"),
    "a.cls": ("\\ProvidesClass{a}\n", "TeX"),
    "b.cls": ("VERSION 1.0 CLASS\n", "VBA"),
    "a.rs": ("", "Rust"),
    "a.go": ("", "Go"),
    "a.kt": ("", "Kotlin"),
    "a.R": ("", "R"),
    "a.f90": ("", "Fortran"),
    "a.sv": ("", "SystemVerilog"),
    "Makefile": ("", "Makefile"),
    "Dockerfile.dev": ("", "Dockerfile"),
    "CMakeLists.txt": ("", "CMake"),
    "notes.txt": ("", "Text"),
    "BUILD.bazel": ("", "Starlark"),
    "run": ("#!/bin/sh\n", "Shell"),
    "run2": ("#!/usr/bin/env python3.11\n", "Python"),
    "run3": ("#! /usr/bin/env -S node --no-warnings\n", "JavaScript"),
    "run4": ("#!/usr/bin/env FOO=1 perl -w\n", "Perl"),
    "run5": ("#!/opt/unknown\n", None),
    "feed": ("<?xml version='1.0'?>\n", "XML"),
    "blob.xyz": ("", None),
    "noname": ("", None),
}


@pytest.mark.parametrize("name", TOLD)
def test_the_language_is_told_by_name_first_line_or_content(name):
    """In the names of Linguist."""
    head, expected = TOLD[name]
    found = language_of(f"folder.py/{name}", head)
    assert (found.name if found else None) == expected


def test_the_table_is_sound():
    """At least 60 languages, no name twice, every suffix and file with one owner but for those told by content."""
    names = [language.name for language in LANGUAGES]
    assert len(names) == len(set(names)) >= 60
    assert sorted(names, key=str.lower) == names or len({*names}) == len(names)
    assert {language.kind for language in LANGUAGES} == set(KINDS)
    owners: dict[str, set[str]] = {}
    for language in LANGUAGES:
        for sign in (*language.suffixes.split(), *language.files.split(), *language.interpreters.split()):
            owners.setdefault(sign, set()).add(language.name)
    shared = {sign for sign, names in owners.items() if len(names) > 1}
    assert shared <= {".h", ".m", ".pl", ".ts", ".v", ".cls", ".editorconfig"}


LONG = "var a=" + "x+" * 400 + "1;"
AWAY = {
    "node_modules/x/index.js": ("x", "vendored"),
    "a/third_party/x.c": ("int x;", "vendored"),
    "picture.py": (b"\x89PNG\r\n\x1a\n\x00\x00", "binary"),
    "late.py": (b"# text\n" * 500 + b"\x00", "binary"),
    "strange.xyz": ("what is this", "unknown-language"),
    "a.pb.go": ("package a\n", "generated"),
    "b.go": ("// Code generated by protoc-gen-go. DO NOT EDIT.\npackage b\n", "generated"),
    "c.java": ("/*\n * This file was automatically generated by the tool.\n */\nclass C {}\n", "generated"),
    "d.cs": ("// <auto-generated>\n//  此文件由工具自动生成，请勿修改\n", "generated"),
    "package-lock.json": ("{}", "generated"),
    "e.js": (LONG, "minified"),
    "jquery.min.js": ("var a", "minified"),
    "data.json": ('{"a": 1}', "other-kind"),
    "big.py": ("x = 1\n" * 200_000, "file-too-long"),
    "empty.py": ("", "empty"),
}


@pytest.mark.parametrize("name", AWAY)
def test_what_nobody_wrote_is_rejected_with_its_reason(tmp_path, name):
    """And what was written beside it is kept."""
    content, reason = AWAY[name]
    corpus = read(tmp_path, {name: content, "main.py": "print('do not edit what was generated here')\n"})
    assert rejected(corpus) == {name: reason}
    assert corpus.ledger.kept == 1


def test_what_is_rejected_can_be_asked_for(tmp_path):
    """Vendored, generated and minified files, and data."""
    files = {
        name: content for name, (content, reason) in AWAY.items() if reason in ("vendored", "generated", "minified")
    }
    corpus = read(tmp_path, files, vendored=True, generated=True, minified=True, kinds=KINDS)
    assert corpus.ledger.kept == len(files)


def test_languages_and_licences_can_be_chosen(tmp_path):
    """A language by name counts whatever its kind; a name that is none is refused with a near one."""
    files = {
        "a.py": "x",
        "b.go": "x",
        "c.json": "{}",
        "d.py": "# SPDX-License-Identifier: GPL-2.0-only\n",
        "LICENSE": MIT,
    }
    corpus = read(tmp_path, files, languages=("Python", "JSON"), licences=("MIT",))
    assert sorted(meta(corpus)) == ["a.py", "c.json"]
    assert rejected(corpus) == {"b.go": "other-language", "d.py": "other-licence", "LICENSE": "other-language"}
    with pytest.raises(ValidationError, match="did you mean 'Python'"):
        Code(paths=("x",), languages=("python",))


def test_the_nearest_licence_counts(tmp_path):
    """A header comes first, then the folder, then those above it, and none above the tree."""
    (tmp_path / "LICENSE").write_text(MIT)
    files = {
        "a.c": "int a;",
        "rust/LICENSE-MIT": MIT,
        "rust/LICENSE-APACHE": APACHE,
        "rust/src/b.rs": "fn b() {}",
        "odd/COPYING": "Do as you like, on Sundays.",
        "odd/c.c": "int c;",
        "odd/d.c": "// SPDX-License-Identifier: (apache-2.0 or MIT)\nint d;",
        "odd/e.c": "// SPDX-License-Identifier: My-Own\nint e;",
    }
    found = {path: (row["licence"], row.get("licence_from")) for path, row in meta(read(tmp_path, files)).items()}
    assert found["a.c"] == ("unknown", None)
    assert found["rust/src/b.rs"] == ("Apache-2.0 OR MIT", "rust/LICENSE-APACHE, rust/LICENSE-MIT")
    assert found["odd/c.c"] == ("unknown", "odd/COPYING")
    assert found["odd/d.c"] == ("(Apache-2.0 OR MIT)", "header")
    assert found["odd/e.c"] == ("unknown", "header")


def test_encodings_are_found(tmp_path):
    """A cookie, a mark, UTF-8, then what fits; what does not fit is counted."""
    files = {
        "cookie.py": "# -*- coding: gbk -*-\nx = '中文注释'\n".encode("gbk"),
        "mark.cs": "class 类 {}".encode("utf-16"),
        "page.js": 'var a = "<meta charset=gbk>"; // 中文\n',
        "broken.c": b'char *a = "\xff\xfe\xe4\xb8";' + " // 中文".encode() * 9,
    }
    corpus = read(tmp_path, files)
    texts = dict(zip(corpus.scan().collect()["source"], corpus.scan().collect()["text"], strict=True))
    assert "中文注释" in texts["tree/cookie.py"]
    assert texts["tree/mark.cs"] == "class 类 {}"
    assert "中文" in texts["tree/page.js"]
    assert meta(corpus)["cookie.py"]["encoding"] == "gb18030"
    assert corpus.ledger.kept == 4


@pytest.mark.parametrize("codec", ["raw_unicode_escape", "unicode_escape", "undefined", "idna"])
def test_a_codec_that_is_none_of_text_is_not_believed(tmp_path, codec):
    """Half a pair would come out of it, or an error."""
    corpus = read(tmp_path, {"a.py": f'# -*- coding: {codec} -*-\nx = "\\ud800 中文"\n'})
    assert corpus.scan().collect()["text"].to_list() == [f'# -*- coding: {codec} -*-\nx = "\\ud800 中文"\n']


def test_a_tree_within_another_is_read_twice(tmp_path):
    """What is not read has an id for each time it is met, too."""
    corpus = read(tmp_path, {"a/vendor/x.py": "x", "a/y.py": "y"}, paths=("tree", "tree/a"))
    assert (corpus.ledger.kept, dict(corpus.ledger.rejected)) == (2, {"vendored": 2})


def test_links_lead_nowhere(tmp_path):
    """Neither out of the tree, nor in circles; history and pipes are not looked into, and the log says so."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.py").write_text("key = 1")
    write(tmp_path, {"a.py": "x", ".git/config": "x", "sub/.git/hooks/a.py": "x"})
    tree = tmp_path / "tree"
    (tree / "out").symlink_to(outside)
    (tree / "out.py").symlink_to(outside / "secret.py")
    (tree / "LICENSE").symlink_to(outside / "secret.py")
    (tree / "sub" / "loop").symlink_to(tree)
    os.mkfifo(tree / "pipe.py")
    corpus = read(tmp_path)
    assert list(meta(corpus)) == ["a.py"]
    assert corpus.ledger.read == 1


def test_equal_files_are_documents_of_their_own(tmp_path):
    """At two places, and at the same place of two trees."""
    write(tmp_path, {"a/x.py": "same", "b/x.py": "same"})
    (tmp_path / "other" / "a").mkdir(parents=True)
    (tmp_path / "other" / "a" / "x.py").write_text("same")
    corpus = read(tmp_path, paths=("tree", "other"))
    assert corpus.scan().collect()["id"].n_unique() == 3


def test_odd_names_do_no_harm(tmp_path):
    """Bytes that are no UTF-8, line ends and escapes."""
    (tmp_path / "tree").mkdir()
    for name in (b"caf\xe9.py", b"a\nb.py", b"\x1b[31m.py"):
        (tmp_path / "tree" / os.fsdecode(name)).write_text("x")
    assert read(tmp_path).ledger.kept == 3


def test_digests_follow_every_file_that_is_read(tmp_path):
    """And the names of the others; a tree that is not there is said."""
    write(tmp_path, {"a.py": "x", "node_modules/b.js": "x", "LICENSE": MIT})
    component = Code(paths=("tree",))
    digests = [component.digests(tmp_path, digest_file)]
    for files in ({"a.py": "y"}, {"LICENSE": APACHE}, {"node_modules/c.js": "x"}):
        write(tmp_path, files)
        digests.append(component.digests(tmp_path, digest_file))
    assert list(digests[0]) == ["tree"]
    assert len({str(digest) for digest in digests}) == 4
    write(tmp_path, {"node_modules/b.js": "y"})
    assert component.digests(tmp_path, digest_file) == digests[-1]
    with pytest.raises(EnvironmentProblem, match="no folder at 'gone'"):
        Code(paths=("gone",)).files(tmp_path)
