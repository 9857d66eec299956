"""The folder listing is the architecture: no stray folder, no module that hides its purpose."""

from collections.abc import Iterable
from pathlib import Path

from tests.repository.checkout import listed_files

FOLDERS = {"src", "specs", "tla", "tests", "docs", "bench", "examples", "deploy"}
FILES = {
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "pyproject.toml",
    "requirements.lock",
}
# What tools look for by name.
TOOL_FOLDERS = {".ci", ".github"}
TOOL_FILES = {
    ".dockerignore",
    ".editorconfig",
    ".gitattributes",
    ".gitignore",
    ".pre-commit-config.yaml",
    ".pre-commit-hooks.yaml",
}
# Names that say nothing about what is inside.
VAGUE_NAMES = {
    f"{stem}{ending}"
    for stem in ("util", "helper", "common", "misc")
    for ending in ("", "s", "_functions")
}


def strays(paths: Iterable[Path]) -> set[str]:
    """The top-level folders and files that the design does not name."""
    folders = {path.parts[0] for path in paths if len(path.parts) > 1}
    files = {path.name for path in paths if len(path.parts) == 1}
    return (folders - FOLDERS - TOOL_FOLDERS) | (files - FILES - TOOL_FILES)


def vaguely_named(paths: Iterable[Path]) -> list[str]:
    """The paths with a module or a folder whose name says nothing."""
    return [str(path) for path in paths if VAGUE_NAMES & {*path.parent.parts, path.stem.lower()}]


def test_only_the_folders_and_files_of_the_design_are_at_the_top() -> None:
    """A new top-level folder or file is a change of the design, made here too."""
    assert strays(listed_files()) == set()


def test_no_module_or_folder_hides_what_it_is_for() -> None:
    """Nothing is named after being left over."""
    assert vaguely_named(listed_files()) == []


def test_strays_finds_a_folder_and_a_file() -> None:
    """An unknown top-level folder and file are found, a known one and what it holds are not."""
    paths = [Path("src/anything.py"), Path("scripts/x.sh"), Path("notes.txt"), Path("Makefile")]
    assert strays(paths) == {"scripts", "notes.txt"}


def test_vaguely_named_finds_modules_and_folders() -> None:
    """Both a module and a folder are found, a longer telling name is not."""
    bad = ["src/grantproof/utils.py", "tests/helpers/x.py", "docs/misc/y.md"]
    assert vaguely_named(map(Path, [*bad, "src/grantproof/common_ancestor.py"])) == bad
