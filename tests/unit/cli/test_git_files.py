"""Policy files at a revision of git: the same as were in the folder then, whatever it is called."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from grantproof.cli.exits import Stop
from grantproof.cli.git_files import texts_at

Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """Run git in an empty repository, which is the current folder; nobody's settings are read."""
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "nobody"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "ann")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "ann@example.org")

    def ran(*arguments: str) -> str:
        done = subprocess.run(
            ("git", *arguments),
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    ran("init", "--quiet")
    return ran


def committed(git: Git, files: dict[str, str]) -> str:
    """Commit the files, and return the commit."""
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    git("add", "--all")
    git("commit", "--quiet", "--message", "x")
    return git("rev-parse", "HEAD")


def test_files_are_as_they_were(git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the paths only, tests and names with a dot left out; from any folder, by any name."""
    then = {"p/a.yaml": "one\n", "p/b/c d\n.json": "two", "p/a_test.yaml": "", "p/.x/y.yaml": ""}
    first = committed(git, {**then, "p/notes.txt": "", "q.yaml": "\ufeffthree"})
    committed(git, {"p/a.yaml": "later", "p/new.yaml": "new"})
    expected = [f"git:{first}:p/a.yaml", f"git:{first}:p/b/c d\n.json"]
    assert sorted(texts_at(first, ["p"])) == expected
    assert texts_at("HEAD~1", ["p/a.yaml", "p", "q.yaml"]) == {
        "git:HEAD~1:p/a.yaml": "one\n",
        "git:HEAD~1:p/b/c d\n.json": "two",
        "git:HEAD~1:q.yaml": "three",
    }
    assert texts_at(first, ["p/new.yaml"]) == {}
    assert len(texts_at(first, ["."])) == 3
    here = Path.cwd()
    # A hook of git is told where it is, which is not where the paths are.
    monkeypatch.setenv("GIT_DIR", "nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "nowhere")
    monkeypatch.chdir("/")
    assert sorted(texts_at(first, [str(here / "p")])) == expected
    monkeypatch.chdir(here / "p" / "b")
    assert sorted(texts_at(first, [".."])) == expected


def test_what_git_cannot_tell_ends_it(
    git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line that says why: no revision, no repository, a link, no text, no git."""
    Path("link.yaml").symlink_to("/etc/hostname")
    commit = committed(git, {"p/a.yaml": "a"})
    Path("p/bad.yaml").write_bytes(b"x\n\xff")
    wrong: list[tuple[str, str, str]] = [
        ("never", "p", "git does not know the revision `never`: fetch it first"),
        ("--all", "p", "`--all` is no revision of git"),
        ("", "p", "`` is no revision of git"),
        (commit, "-", "the standard input was not at any revision of git"),
        (commit, "link.yaml", f"at `{commit}` `link.yaml` is a link, which is not followed"),
        (commit, "/", "git cannot read the base: not a git repository"),
        (committed(git, {}), "p", f"git:{git('rev-parse', 'HEAD')}:p/bad.yaml:2:1: not UTF-8"),
    ]
    for revision, path, line in wrong:
        with pytest.raises(Stop) as ended:
            texts_at(revision, [path])
        assert (ended.value.code, ended.value.lines[0].startswith(line)) == (2, True), line
    with pytest.raises(Stop, match="is not in the git repository"):
        texts_at(commit, ["p", str(tmp_path.parent)])
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Stop, match="needs the program `git`, which is not installed"):
        texts_at(commit, ["p"])
