"""Write a complete third-party plugin: a distribution with a filter, tests that pass, and a pipeline that runs.

`workbench plugins new NAME` calls this. The files stand in `template/`, so that what is written can be read there;
`@name@`, `@module@` and `@Class@` are the plugin's name in its three spellings.
"""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from workbench.errors import UsageError
from workbench.files.atomic import write_text

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")


def write_plugin(name: str, folder: Path) -> list[Path]:
    """Write the distribution `workbench-NAME` into `folder`/workbench-NAME and return its files.

    Raises `UsageError` when the name is not lower-case words joined by hyphens, or the folder is not empty.
    """
    if not NAME.match(name):
        raise UsageError(
            f"{name!r} cannot be the name of a plugin",
            expected="lower-case words joined by hyphens, such as legal-text",
        )
    target = folder / f"workbench-{name}"
    if target.exists() and any(target.iterdir()):
        raise UsageError(
            "the folder is not empty", where=str(target), advice="choose another name or folder; nothing was written"
        )
    words = {"name": name, "module": name.replace("-", "_"), "Class": name.title().replace("-", "")}
    written = []
    for path, content in sorted(_templates(files("workbench.testing") / "template", "")):
        file = target / _fill(path.removesuffix(".tmpl"), words)
        write_text(file, _fill(content, words))
        written.append(file)
    return written


def _templates(folder: Traversable, prefix: str) -> list[tuple[str, str]]:
    found = []
    for item in folder.iterdir():
        if item.is_dir():
            found.extend(_templates(item, f"{prefix}{item.name}/"))
        elif item.name.endswith(".tmpl"):
            found.append((prefix + item.name, item.read_text("utf-8")))
    return found


def _fill(text: str, words: dict[str, str]) -> str:
    return re.sub(r"@(name|module|Class)@", lambda match: words[match[1]], text)
