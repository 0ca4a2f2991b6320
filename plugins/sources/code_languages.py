"""The language of a source file: by its name, its suffix, its first line, and where a suffix has two by its content.

A table of our own, in the names of GitHub Linguist, which data sets of code use: a library's table would change what is
read with every release. To add a language: one line here, and one in the test.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

Kind = Literal["programming", "markup", "prose", "data"]
KINDS: tuple[Kind, ...] = ("programming", "markup", "prose", "data")


@dataclass(frozen=True, slots=True)
class Language:
    """One language: its name, what kind it is, and how its files are told."""

    name: str
    kind: Kind
    suffixes: str = ""
    files: str = ""
    interpreters: str = ""


# fmt: off
LANGUAGES = (
    Language("ABAP", "programming", ".abap"),
    Language("Ada", "programming", ".adb .ads .ada"),
    Language("Agda", "programming", ".agda"),
    Language("ANTLR", "programming", ".g4"),
    Language("APL", "programming", ".apl .dyalog"),
    Language("AppleScript", "programming", ".applescript", "", "osascript"),
    Language("Assembly", "programming", ".asm .s .nasm"),
    Language("Astro", "markup", ".astro"),
    Language("AutoHotkey", "programming", ".ahk"),
    Language("Awk", "programming", ".awk .gawk", "", "awk gawk mawk"),
    Language("Batchfile", "programming", ".bat .cmd"),
    Language("BibTeX", "markup", ".bib"),
    Language("Bicep", "programming", ".bicep"),
    Language("C", "programming", ".c .h"),
    Language("C#", "programming", ".cs .csx", "", "dotnet-script"),
    Language("C++", "programming", ".cc .cpp .cxx .c++ .hh .hpp .hxx .h++ .ipp .tpp"),
    Language("Clojure", "programming", ".clj .cljs .cljc .edn", "", "bb"),
    Language("CMake", "programming", ".cmake", "CMakeLists.txt"),
    Language("COBOL", "programming", ".cob .cbl .cpy .cobol"),
    Language("CoffeeScript", "programming", ".coffee", "Cakefile", "coffee"),
    Language("Common Lisp", "programming", ".lisp .lsp .cl .asd", "", "sbcl clisp"),
    Language("Crystal", "programming", ".cr", "", "crystal"),
    Language("CSS", "markup", ".css"),
    Language("CSV", "data", ".csv .tsv"),
    Language("Cuda", "programming", ".cu .cuh"),
    Language("Cython", "programming", ".pyx .pxd .pxi"),
    Language("D", "programming", ".d .di", "", "rdmd"),
    Language("Dart", "programming", ".dart", "", "dart"),
    Language("Dockerfile", "programming", ".dockerfile", "Dockerfile Containerfile"),
    Language("Elixir", "programming", ".ex .exs", "mix.lock", "elixir"),
    Language("Elm", "programming", ".elm"),
    Language("Emacs Lisp", "programming", ".el", ".emacs"),
    Language("Erlang", "programming", ".erl .hrl", "rebar.config", "escript"),
    Language("F#", "programming", ".fs .fsi .fsx"),
    Language("Fish", "programming", ".fish", "", "fish"),
    Language("Forth", "programming", ".fth .4th .forth"),
    Language("Fortran", "programming", ".f .f77 .f90 .f95 .f03 .f08 .for"),
    Language("GDScript", "programming", ".gd"),
    Language("Gherkin", "programming", ".feature"),
    Language("GLSL", "programming", ".glsl .vert .frag .comp .geom"),
    Language("Go", "programming", ".go", "go.mod"),
    Language("GraphQL", "data", ".graphql .gql"),
    Language("Groovy", "programming", ".groovy .gradle .gvy", "Jenkinsfile", "groovy"),
    Language("Haskell", "programming", ".hs .lhs .hsc", "", "runghc runhaskell stack"),
    Language("HCL", "programming", ".tf .tfvars .hcl"),
    Language("HLSL", "programming", ".hlsl .fx"),
    Language("HTML", "markup", ".html .htm .xhtml"),
    Language("Idris", "programming", ".idr"),
    Language("INI", "data", ".ini .cfg .properties .editorconfig", ".editorconfig .gitconfig"),
    Language("Java", "programming", ".java", "", "java"),
    Language("JavaScript", "programming", ".js .jsx .mjs .cjs", "", "node nodejs bun"),
    Language("Jinja", "markup", ".jinja .jinja2 .j2"),
    Language("JSON", "data", ".json .jsonc .json5 .geojson .webmanifest", ".eslintrc .babelrc"),
    Language("Julia", "programming", ".jl", "", "julia"),
    Language("Jupyter Notebook", "markup", ".ipynb"),
    Language("Kotlin", "programming", ".kt .kts", "", "kotlin kotlinc"),
    Language("Lean", "programming", ".lean"),
    Language("Less", "markup", ".less"),
    Language("LLVM", "programming", ".ll"),
    Language("Lua", "programming", ".lua .rockspec", "", "lua luajit"),
    Language("Makefile", "programming", ".mk .mak", "Makefile makefile GNUmakefile", "make"),
    Language("Markdown", "prose", ".md .markdown .mdown .mdx"),
    Language("MATLAB", "programming", ".m .matlab"),
    Language("Mermaid", "markup", ".mmd .mermaid"),
    Language("Meson", "programming", "", "meson.build meson_options.txt meson.options"),
    Language("Mojo", "programming", ".mojo"),
    Language("Nim", "programming", ".nim .nims .nimble", "", "nim"),
    Language("Ninja", "programming", ".ninja"),
    Language("Nix", "programming", ".nix"),
    Language("Objective-C", "programming", ".m"),
    Language("Objective-C++", "programming", ".mm"),
    Language("OCaml", "programming", ".ml .mli .mll .mly", "dune dune-project", "ocaml"),
    Language("OpenCL", "programming", ".opencl"),
    Language("Org", "prose", ".org"),
    Language("Pascal", "programming", ".pas .pp .dpr .lpr"),
    Language("Perl", "programming", ".pl .pm .t .pod", "cpanfile", "perl"),
    Language("PHP", "programming", ".php .phtml .php5", "", "php"),
    Language("PowerShell", "programming", ".ps1 .psm1 .psd1", "", "pwsh powershell"),
    Language("Prolog", "programming", ".pl .pro .prolog", "", "swipl"),
    Language("Protocol Buffer", "data", ".proto"),
    Language("PureScript", "programming", ".purs"),
    Language("Python", "programming", ".py .pyi .pyw", "SConstruct SConscript wscript", "python python2 python3 pypy pypy3 uv"),
    Language("QML", "programming", ".qml"),
    Language("R", "programming", ".r .rmd", ".Rprofile", "Rscript"),
    Language("Racket", "programming", ".rkt", "", "racket"),
    Language("Raku", "programming", ".raku .rakumod .p6", "", "raku perl6"),
    Language("reStructuredText", "prose", ".rst"),
    Language("Rocq", "programming", ".v"),
    Language("Ruby", "programming", ".rb .rake .gemspec .ru", "Rakefile Gemfile Vagrantfile Podfile", "ruby jruby"),
    Language("Rust", "programming", ".rs", "", "rust-script"),
    Language("Sass", "markup", ".sass"),
    Language("Scala", "programming", ".scala .sc .sbt", "", "scala"),
    Language("Scheme", "programming", ".scm .ss .sld", "", "guile gsi"),
    Language("SCSS", "markup", ".scss"),
    Language("Shell", "programming", ".sh .bash .zsh .ksh .bats", ".bashrc .profile .zshrc PKGBUILD", "sh bash zsh ksh dash ash"),
    Language("Smalltalk", "programming", ".st"),
    Language("Solidity", "programming", ".sol"),
    Language("SQL", "programming", ".sql .ddl .dml .psql .plsql"),
    Language("Standard ML", "programming", ".sml .sig .fun"),
    Language("Starlark", "programming", ".bzl .star", "BUILD BUILD.bazel WORKSPACE MODULE.bazel"),
    Language("Svelte", "markup", ".svelte"),
    Language("SVG", "data", ".svg"),
    Language("Swift", "programming", ".swift", "", "swift"),
    Language("SystemVerilog", "programming", ".sv .svh"),
    Language("Tcl", "programming", ".tcl .tk", "", "tclsh wish"),
    Language("TeX", "markup", ".tex .sty .ltx .dtx .cls"),
    Language("Text", "prose", ".txt .text", "README LICENSE COPYING AUTHORS NEWS INSTALL CHANGES TODO"),
    Language("Thrift", "programming", ".thrift"),
    Language("TOML", "data", ".toml", "Pipfile"),
    Language("TypeScript", "programming", ".ts .tsx .mts .cts", "", "deno ts-node tsx"),
    Language("Typst", "markup", ".typ"),
    Language("Vala", "programming", ".vala .vapi"),
    Language("Verilog", "programming", ".v .vh"),
    Language("VHDL", "programming", ".vhd .vhdl"),
    Language("Vim Script", "programming", ".vim", ".vimrc"),
    Language("Visual Basic .NET", "programming", ".vb"),
    Language("VBA", "programming", ".bas .frm .cls"),
    Language("Vue", "markup", ".vue"),
    Language("WebAssembly", "programming", ".wat .wast"),
    Language("WGSL", "programming", ".wgsl"),
    Language("Wolfram Language", "programming", ".wl .wls .nb", "", "wolframscript"),
    Language("XML", "data", ".xml .xsd .xsl .xslt .csproj .vbproj .fsproj .props .targets .plist .ts .xaml"),
    Language("YAML", "data", ".yaml .yml", ".clang-format .clang-tidy"),
    Language("Zig", "programming", ".zig .zon"),
)
# fmt: on

# What tells the languages of one suffix apart: the first rule that is found says which; the last is the usual one.
_APART: dict[str, tuple[tuple[str, str], ...]] = {
    ".h": (
        (r"^\s*(?:@interface|@protocol|@class|#import\b)", "Objective-C"),
        (
            r"^\s*(?:template\s*<|namespace\s+[\w:]+|class\s+\w+[^;]*$|using\s+|(?:public|private|protected):)|\bstd::",
            "C++",
        ),
        ("", "C"),
    ),
    ".m": (
        (r"^\s*(?:@interface|@implementation|@protocol|@end|#import\b|#include\b|//)", "Objective-C"),
        ("", "MATLAB"),
    ),
    ".pl": ((r"^\s*:-\s*\w|^[a-z]\w*\([^)]*\)\s*:-|^\s*\?-", "Prolog"), ("", "Perl")),
    ".ts": ((r"\A\s*(?:<\?xml|<!DOCTYPE TS|<TS\b)", "XML"), ("", "TypeScript")),
    ".v": ((r"^\s*(?:Require\b|Theorem\b|Lemma\b|Definition\b|Inductive\b|Proof\b)", "Rocq"), ("", "Verilog")),
    ".cls": ((r"\A\s*VERSION \d|^Attribute VB_", "VBA"), ("", "TeX")),
}
_RULES = {suffix: [(re.compile(rule, re.MULTILINE), name) for rule, name in rules] for suffix, rules in _APART.items()}
_BY_NAME = {language.name: language for language in LANGUAGES}
_BY_FILE = {file: language for language in LANGUAGES for file in language.files.split()}
_BY_SUFFIX = {
    suffix: language for language in LANGUAGES for suffix in language.suffixes.split() if suffix not in _APART
}
_BY_INTERPRETER = {program: language for language in LANGUAGES for program in language.interpreters.split()}
_SHEBANG = re.compile(
    r"#!\s*(?:\S*/)?(?:env\s+(?:-\S+\s+)*(?:\w+=\S*\s+)*)?(?:\S*/)?([A-Za-z][\w+-]*?)(?:[\d.]*)(?=\s|$)"
)


def language_of(name: str, head: str) -> Language | None:
    r"""Return the language of a file, None when nobody knows.

    Args:
        name: Its name, with or without folders.
        head: Its first characters.

    >>> language_of("a/b.PY", "").name, language_of("run", "#!/usr/bin/env -S python3 -u\n").name, language_of("x.bin", "")
    ('Python', 'Python', None)
    """
    path = PurePosixPath(name)
    if path.name in _BY_FILE:
        return _BY_FILE[path.name]
    suffix = path.suffix.lower()
    if suffix in _RULES:
        return next(_BY_NAME[language] for rule, language in _RULES[suffix] if rule.search(head))
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    stem = path.name.partition(".")[0]
    if stem in ("Dockerfile", "Makefile", "Containerfile"):  # Dockerfile.dev
        return _BY_FILE[stem]
    return _by_first_line(head)


def _by_first_line(head: str) -> Language | None:
    line = head.partition("\n")[0][:200]
    matched = _SHEBANG.match(line)
    if matched:
        return _BY_INTERPRETER.get(matched[1])
    return _BY_NAME["XML"] if line.startswith("<?xml") else None
