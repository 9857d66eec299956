"""The action and the hooks, as pipelines run them: their own commands, in a repository of git."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.processes import bare
from tests.repository.checkout import ROOT
from tests.warm import programs

ACTION = ROOT / "deploy" / "github-action"
EXPRESSION = re.compile(r"\$\{\{ ([a-z._-]+) \}\}")
SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
"""As a runner runs `shell: bash`."""


POLICY = """\
apiVersion: grantproof/v1
kind: Organization
id: shop
kinds: [{id: document}]
principals: [{id: ann}, {id: bob}]
roles: [{id: viewer}]
resources: [{id: plan, kind: document}]
claims:
- id: read-plan
  role: viewer
  action: read
  resource: plan
guardrails:
- id: keep
  type: forbidden
  access: {action: delete, resource: "*"}
assignments:
- principal: ann
  role: viewer
"""
GRANTS = POLICY + "- principal: bob\n  role: viewer\n"
BREAKS = POLICY.replace("action: read\n", "action: delete\n")


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request: the repository with its head checked out, and the commit of its base."""

    folder: Path
    base: str
    environment: dict[str, str]

    def run(
        self, *command: str, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the repository."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment | (environment or {}),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def propose(self, text: str) -> None:
        """Commit the policy, on top of the base."""
        (self.folder / "policy" / "shop.yaml").write_text(text)
        self.run("git", "commit", "--quiet", "--all", "--allow-empty", "--message", "proposed")


@pytest.fixture
def pull(tmp_path: Path) -> Pull:
    """A repository with a policy; the program is found as an installed one is."""
    who = {f"GIT_{a}_{b}": "ann" for a in ("AUTHOR", "COMMITTER") for b in ("NAME", "EMAIL")}
    path = f"{programs()}:{os.environ['PATH']}"
    environment = bare(PATH=path, HOME=str(tmp_path), RUNNER_TEMP=str(tmp_path), **who)
    folder = tmp_path / "checkout"
    (folder / "policy").mkdir(parents=True)
    (folder / "policy" / "shop.yaml").write_text(POLICY)
    empty = Pull(folder, "", environment)
    for command in ("init --quiet", "add --all", "commit --quiet --message base"):
        assert empty.run("git", *command.split()).returncode == 0
    return Pull(folder, empty.run("git", "rev-parse", "HEAD").stdout.strip(), environment)


def action() -> dict[str, Any]:
    """The action, as it is written."""
    return dict(YAML(typ="safe").load(ACTION / "action.yml"))


def carried_out(
    pull: Pull, **inputs: str
) -> tuple[subprocess.CompletedProcess[str], dict[str, str], str]:
    """The step that verifies, as a runner runs it; its outputs, and the summary of the job."""
    described = action()
    _, step = described["runs"]["steps"]
    given = {name: one.get("default", "") for name, one in described["inputs"].items()}
    known = {f"inputs.{name}": held for name, held in (given | inputs).items()}
    known["github.event.pull_request.base.sha"] = pull.base
    environment = {
        name: EXPRESSION.sub(lambda found: known[found[1]], written)
        for name, written in step["env"].items()
    }
    files = {name: pull.folder.parent / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for file in files.values():
        file.write_text("")
    around = {name: str(file) for name, file in files.items()}
    environment |= {**around, "GITHUB_ACTION_PATH": str(ACTION)}
    done = pull.run(*SHELL, step["run"], environment=environment)
    lines = files["GITHUB_OUTPUT"].read_text().splitlines()
    outputs = dict(line.split("=", 1) for line in lines)
    return done, outputs, files["GITHUB_STEP_SUMMARY"].read_text()


def test_what_a_pull_request_grants_is_summarised(pull: Pull) -> None:
    """In the summary of the job and in a file for a comment; every promised output is there."""
    pull.propose(GRANTS)
    done, outputs, summary = carried_out(pull, paths="policy", command="grantproof")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"What this grants, compared with `git:{pull.base}`: 1 request in 1 class" in summary
    assert "| bob | read | plan | `bob read plan` |" in summary
    assert Path(outputs["markdown"]).read_text() == summary
    assert outputs.keys() == action()["outputs"].keys()
    assert (outputs["exit-code"], '"note"' in Path(outputs["sarif"]).read_text()) == ("0", True)


def test_what_is_forbidden_fails_the_pull_request(pull: Pull) -> None:
    """A broken guardrail with its counterexample; something gained where nothing may be."""
    pull.propose(BREAKS)
    done, outputs, summary = carried_out(pull, paths="policy", command="grantproof")
    why = "guardrail `keep` forbids that `ann` may delete `plan` by claim `read-plan`"
    assert (done.returncode, outputs["exit-code"]) == (1, "1")
    assert f"policy/shop.yaml:14:3: error: {why}" in done.stdout
    assert why in summary
    assert why.replace("`", "") in Path(outputs["junit"]).read_text().replace("`", "")
    pull.propose(GRANTS)
    inputs = {"no-new-access": "true", "paths": "policy", "command": "grantproof"}
    assert carried_out(pull, **inputs)[0].returncode == 1
    assert carried_out(pull, **inputs, base="git:HEAD")[0].returncode == 0


def test_what_is_given_to_the_action_is_never_run(pull: Pull) -> None:
    """Several paths a line each, with blanks and with what a shell would obey."""
    strange = '$(touch ran) `touch ran`; "x" \' *.yaml'
    (pull.folder / strange).write_text(POLICY)
    done, _, _ = carried_out(pull, paths=f"\n{strange}\n", command="grantproof", base="git:;id")
    assert (done.returncode, (pull.folder / "ran").exists()) == (2, False)
    assert "git does not know the revision `;id`" in done.stdout
    assert "organization `shop` in 1 file: no problems" in done.stdout
    assert all("${{" not in step["run"] for step in action()["runs"]["steps"])
    nothing, _, _ = carried_out(pull, paths="\n", command="grantproof")
    assert (nothing.returncode, "no policy to verify" in nothing.stderr) == (2, True)


def test_the_action_installs_what_is_locked(pull: Pull, tmp_path: Path) -> None:
    """Unless a program is named: the script that makes our own environments is asked for one."""
    step, _ = action()["runs"]["steps"]
    assert step["if"] == "inputs.command == ''"
    stand_in = tmp_path / "bin" / "python3"
    stand_in.parent.mkdir()
    stand_in.write_text("#!/bin/sh\nexit 1\n")
    stand_in.chmod(0o755)
    path = f"{stand_in.parent}:{pull.environment['PATH']}"
    around = {"GITHUB_ACTION_PATH": str(ACTION), "PATH": path}
    done = pull.run(*SHELL, step["run"], environment=around)
    assert done.returncode == 1
    assert done.stderr.startswith("grantproof: `python3` does not start")
    assert step["run"].endswith('.ci/venv python3 "$RUNNER_TEMP/grantproof"')
    written = (ACTION / "verify").read_text("utf-8")
    assert "command=${VERIFY_COMMAND:-$RUNNER_TEMP/grantproof/bin/grantproof}" in written


PARTS = ("src", "deploy", ".ci", "pyproject.toml", "requirements.lock", "README.md", "LICENSE")


def checked_out(folder: Path) -> Path:
    """What the action is in, as a runner has it: a checkout of its own."""
    folder.mkdir()
    for name in PARTS:
        part = ROOT / name
        copy = shutil.copytree if part.is_dir() else shutil.copy
        copy(part, folder / name)
    return folder / "deploy" / "github-action"


def with_locked_packages(venv: Path) -> None:
    """An environment that holds the packages of the lock: links to ours, but to the product.

    So nothing is fetched. What is installed into it is installed there, and nowhere else.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True, timeout=60)
    ours, theirs = (Path(sysconfig.get_path("purelib", vars=of)) for of in ({}, at(venv)))
    for entry in ours.iterdir():
        if "grantproof" not in entry.name and entry.name != "__pycache__":
            (theirs / entry.name).symlink_to(entry)
    shutil.copy(ROOT / "requirements.lock", venv / ".requirements.lock")


def at(venv: Path) -> dict[str, str]:
    """The variables that say where an environment has its packages."""
    return {"base": str(venv), "platbase": str(venv)}


def test_both_steps_of_the_action_work_together(pull: Pull, tmp_path: Path) -> None:
    """What the first installs, out of a checkout of its own, the second runs; without a network."""
    path, environment = checked_out(tmp_path / "action"), tmp_path / "grantproof"
    with_locked_packages(environment)
    step, _ = action()["runs"]["steps"]
    # The runner's `python3` is the Python that the packages are of.
    programs = f"{Path(sys.executable).parent}:{pull.environment['PATH']}"
    offline = {"GITHUB_ACTION_PATH": str(path), "PIP_NO_INDEX": "1", "PATH": programs}
    kept = {name: held for name, held in pull.environment.items() if name != "PYTHONPATH"}
    alone = replace(pull, environment=kept)
    installed = alone.run(*SHELL, step["run"], environment=offline)
    assert (installed.returncode, installed.stderr) == (0, "")
    asked = "import grantproof; print(grantproof.__file__)"
    found = alone.run(str(environment / "bin" / "python"), "-c", asked).stdout
    assert Path(found.strip()).is_relative_to(tmp_path / "action" / "src")
    alone.propose(BREAKS)
    done, outputs, summary = carried_out(alone, paths="policy")
    assert (done.returncode, outputs["exit-code"]) == (1, "1"), done.stderr
    assert "guardrail `keep` forbids" in summary


def test_every_step_is_a_script_that_bash_reads() -> None:
    """The steps, and the files that they run."""
    scripts = [step["run"] for step in action()["runs"]["steps"]]
    scripts += [(ROOT / name).read_text("utf-8") for name in ("deploy/github-action/verify",)]
    for script in scripts:
        read = subprocess.run(
            ["bash", "-n"], input=script, capture_output=True, text=True, check=False, timeout=60
        )
        assert (read.returncode, read.stderr) == (0, ""), script


def test_the_hooks_pass_and_fail_as_they_say(pull: Pull) -> None:
    """Each command, with the arguments it has unless told otherwise, on good and bad policies."""
    hooks = YAML(typ="safe").load(ROOT / ".pre-commit-hooks.yaml")
    fields = {"id", "name", "entry", "args", "language", "files", "pass_filenames"}
    assert all(set(hook) == fields and hook["pass_filenames"] is False for hook in hooks)
    codes: dict[str, list[int]] = {hook["id"]: [] for hook in hooks}
    misnamed = POLICY.replace("role: viewer\n", "role: vewer\n", 1)
    for text in (POLICY, BREAKS, misnamed, POLICY.replace("[{id: viewer}]", "[ {id: viewer} ]")):
        pull.propose(text)
        for hook in hooks:
            done = pull.run(*shlex.split(hook["entry"]), *hook["args"])
            codes[hook["id"]].append(done.returncode)
    assert codes == {
        "grantproof-check": [0, 0, 1, 0],
        "grantproof-fmt": [0, 0, 0, 1],
        "grantproof-verify": [0, 1, 1, 0],
    }
