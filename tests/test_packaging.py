"""What is installed holds every file of the packages: an editable install would not show that one is left out."""

import tomllib
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]


def home(package: str) -> Path:
    """Return the folder of a package."""
    first, *rest = package.split(".")
    return ROOT.joinpath(SETTINGS["package-dir"][first], *rest)


def test_every_package_is_named():
    """Every folder with modules is a package that pyproject.toml lists."""
    folders = {home(package) for package in SETTINGS["packages"]}
    tops = [ROOT / top for top in SETTINGS["package-dir"].values()]
    found = {file.parent for top in tops for file in top.rglob("*.py")}
    assert len(found) > 20
    assert found - folders == set()


def test_every_other_file_is_installed():
    """Every file that is no module matches a pattern of its package."""
    patterns = SETTINGS["package-data"]
    installed = {
        file
        for package in SETTINGS["packages"]
        for pattern in (*patterns["*"], *patterns.get(package, []))
        for file in home(package).glob(pattern)
    }
    tops = [ROOT / top for top in SETTINGS["package-dir"].values()]
    files = {file for top in tops for file in top.rglob("*") if file.is_file() and "__pycache__" not in file.parts}
    others = {file for file in files if not fnmatch(file.name, "*.py") and not file.name.startswith(".")}
    assert len(others) > 10
    assert others - installed == set()
