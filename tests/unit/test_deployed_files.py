"""What is shipped to deploy with is held to the product: settings, ports, probes, users, times."""

import json
import re
import shlex
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

import pytest
from fastapi.routing import iter_route_contexts
from ruamel.yaml import YAML

from grantproof.api.administration import administration_app
from grantproof.cli.server import LINGER_SECONDS, SHUTDOWN_SECONDS_MAX
from grantproof.settings import Settings
from tests.repository.reference.named import unknown_word

ROOT: Final = Path(__file__).resolve().parents[2]
DEPLOY: Final = ROOT / "deploy"
DOCKERFILE: Final = (DEPLOY / "container" / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
COMPOSE: Final[Any] = YAML(typ="safe").load(DEPLOY / "compose" / "compose.yaml")
MANIFESTS: Final[dict[str, Any]] = {
    found["kind"]: found
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for found in [YAML(typ="safe").load(path)]
}
POD: Final = MANIFESTS["Deployment"]["spec"]["template"]
(CONTAINER,) = POD["spec"]["containers"]
SERVICE: Final = COMPOSE["services"]["grantproof"]
PREFIX: Final = "GRANTPROOF_"
SPEAKS_OF: Final = {"GRANTPROOF_SERVER", "GRANTPROOF_ORG", "GRANTPROOF_KEY"}
"""What the command line takes of the environment beside the settings."""
MIB: Final = {"Mi": 1, "Gi": 1024}
OWN_MIB: Final = 300
"""What a process of a hundred thousand principals takes, by docs/deployment.md, rounded up."""


def instructions(name: str) -> list[str]:
    """What follows an instruction of the Dockerfile, each time that it stands there."""
    return re.findall(rf"^{name} +(.+)$", DOCKERFILE, re.MULTILINE)


def image_environment() -> dict[str, str]:
    """The environment that the image sets for whoever runs it."""
    return dict(pair.split("=", 1) for line in instructions("ENV")[-1:] for pair in line.split())


def environments() -> dict[str, dict[str, str]]:
    """The environment in which the service runs, in each way to deploy it."""
    image = image_environment()
    pods = {one["name"]: one["value"] for one in CONTAINER["env"]}
    return {
        "image": image,
        "compose": image | SERVICE["environment"],
        "kubernetes": image | pods,
    }


def settings_of(environment: dict[str, str]) -> Settings:
    """The settings as the service would read them, strictly those of the environment."""
    given = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX)
    }
    assert given.keys() <= Settings.model_fields.keys()
    return Settings.model_validate(given)


def test_every_setting_that_is_named_exists() -> None:
    """In every file to deploy with, comments included."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | SPEAKS_OF
    files = (path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix != ".pyc")
    texts = [path.read_text("utf-8") for path in files]
    named = {name for text in texts for name in re.findall(r"GRANTPROOF_[A-Z_]*[A-Z]", text)}
    assert len(named) > 10
    assert named - known == set()


@pytest.mark.parametrize("where", environments())
def test_every_value_is_one_that_the_service_takes(where: str) -> None:
    """It listens for others on one port, and keeps what it keeps where the image lets it write."""
    settings = settings_of(environments()[where])
    assert (settings.host, settings.port) == ("0.0.0.0", 9090)  # noqa: S104 - in a container
    served = settings.database_is_served
    assert served is (where != "image")
    assert served or settings.database_url == "sqlite:////var/lib/grantproof/grantproof.db"
    assert served is (settings.audit_key_file is not None)
    assert settings.cases is None or settings.cases.is_relative_to("/var/lib/grantproof")


def test_the_image_runs_a_command_that_there_is() -> None:
    """By its program and not through a shell, so that a signal reaches it."""
    entry, command = (json.loads(instructions(name)[-1]) for name in ("ENTRYPOINT", "CMD"))
    assert unknown_word([*entry, *command]) is None
    assert "command" not in SERVICE
    assert not {"command", "args"} & CONTAINER.keys()
    told = [line for line in DOCKERFILE.splitlines() if line.startswith("# `docker run IMAGE`")]
    (words,) = re.findall(r"`docker run IMAGE (.+?)`", told[0])
    assert unknown_word(["grantproof", *shlex.split(words)]) is None


def test_the_python_of_the_image_is_one_that_we_support() -> None:
    """Both stages are of the same, whose tag names a minor version and a Debian."""
    (tag,) = re.findall(r"^ARG PYTHON=python:(\d+\.\d+)-slim-\w+$", DOCKERFILE, re.MULTILINE)
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert f'"Programming Language :: Python :: {tag}"' in project
    assert [line.split()[0] for line in instructions("FROM")] == ["${PYTHON}", "${PYTHON}"]


def test_everything_is_installed_by_hash_or_without_an_index() -> None:
    """And what runs holds nothing that installs."""
    installs = [
        one.strip()
        for line in instructions("RUN")
        for one in line.split("&&")
        if "pip install" in one
    ]
    assert len(installs) == 3
    for one in installs:
        assert "--require-hashes --only-binary :all:" in one or "--no-deps --no-index" in one
    assert "/opt/grantproof/bin/pip uninstall --yes pip" in DOCKERFILE


def test_the_image_is_compiled_whatever_the_times_of_its_files() -> None:
    """After the last thing is installed, for a process there may keep nothing that it compiles."""
    (last,) = [line for line in instructions("RUN") if "wheels/*.whl" in line]
    installed, compiled = last.split("wheels/*.whl")
    assert "compileall" not in installed
    assert "compileall -q -f -j 0 --invalidation-mode unchecked-hash /opt/grantproof/" in compiled
    of_it = [line for line in instructions("RUN") if "/opt/grantproof/bin/pip install" in line]
    assert all("/opt/grantproof/bin/pip install --no-compile" in line for line in of_it)


def test_what_is_copied_is_there_and_let_into_the_build() -> None:
    """The ignore file lets in what the image is made of, and neither tests nor repository."""
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]

    def is_let_in(path: str) -> bool:
        parts = path.split("/")
        above = ["/".join(parts[: length + 1]) for length in range(len(parts))]
        let = True
        for rule in rules:
            pattern = rule.removeprefix("!")
            if any(fnmatch(one, pattern) and one.count("/") == pattern.count("/") for one in above):
                let = rule.startswith("!")
        return let

    taken = [
        word for line in instructions("COPY") if "--from" not in line for word in line.split()[:-1]
    ]
    assert {"src", "requirements.lock", "deploy/release/locked.py"} <= set(taken)
    for path in taken:
        assert (ROOT / path).exists(), path
        assert is_let_in(path), path
    assert not any(map(is_let_in, (".git/HEAD", "tests/conftest.py", "deploy/compose/secrets")))


def test_nobody_runs_as_root() -> None:
    """One user, by number, everywhere."""
    (user,) = instructions("USER")
    uid, gid = map(int, user.split(":"))
    context = POD["spec"]["securityContext"]
    assert uid == gid == context["runAsUser"] == context["runAsGroup"] == context["fsGroup"]
    assert f"uid={uid},gid={gid}" in SERVICE["tmpfs"][1]
    assert f"--owner {uid} --group {gid} /var/lib/grantproof" in DOCKERFILE


def test_pods_fit_the_strictest_profile() -> None:
    """Which the namespace enforces: a pod that does not fit it is not started."""
    labels = MANIFESTS["Namespace"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    context = POD["spec"]["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert POD["spec"]["automountServiceAccountToken"] is False
    # The Service would set GRANTPROOF_PORT to tcp://...
    assert MANIFESTS["Service"]["metadata"]["name"] == "grantproof"
    assert POD["spec"]["enableServiceLinks"] is False


def test_containers_of_compose_are_as_closed() -> None:
    """Read-only, without capabilities, and without a way to get any."""
    for name, service in COMPOSE["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
    assert SERVICE["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert "healthcheck" in COMPOSE["services"]["database"]


def test_a_service_has_the_time_to_end_well() -> None:
    """To drain, to let those linger who are connected, and to end what is under way."""
    graces = {
        "compose": int(SERVICE["stop_grace_period"].removesuffix("s")),
        "kubernetes": POD["spec"]["terminationGracePeriodSeconds"],
    }
    for where, grace in graces.items():
        drain = settings_of(environments()[where]).drain_seconds
        assert drain >= 10
        assert grace > drain + LINGER_SECONDS + SHUTDOWN_SECONDS_MAX, where
    probe = CONTAINER["readinessProbe"]
    drain = settings_of(environments()["kubernetes"]).drain_seconds
    assert drain > probe["periodSeconds"] * probe["failureThreshold"]


def test_probes_ask_what_there_is() -> None:
    """On the port that is listened on; only readiness asks for the database."""
    routes = {context.path_format for context in iter_route_contexts(administration_app().routes)}
    asked = {name: one["httpGet"] for name, one in CONTAINER.items() if name.endswith("Probe")}
    assert {name: get["path"] for name, get in asked.items()} == {
        "startupProbe": "/livez",
        "livenessProbe": "/livez",
        "readinessProbe": "/readyz",
    }
    assert {get["path"] for get in asked.values()} <= routes
    (check,) = instructions("HEALTHCHECK")
    assert "'/livez'" in check
    (port,) = CONTAINER["ports"]
    (service_port,) = MANIFESTS["Service"]["spec"]["ports"]
    (exposed,) = instructions("EXPOSE")
    (rule,) = MANIFESTS["NetworkPolicy"]["spec"]["ingress"]
    assert {get["port"] for get in asked.values()} == {port["name"], service_port["targetPort"]}
    ports = {port["containerPort"], service_port["port"], int(exposed), rule["ports"][0]["port"]}
    assert ports == {Settings.model_fields["port"].default}


def test_every_selector_finds_the_pods() -> None:
    """Of the service, the deployment, the budget and the policy, all in the one namespace."""
    labels = POD["metadata"]["labels"]
    selectors = [
        MANIFESTS["Service"]["spec"]["selector"],
        MANIFESTS["Deployment"]["spec"]["selector"]["matchLabels"],
        MANIFESTS["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        MANIFESTS["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        *(one["labelSelector"]["matchLabels"] for one in POD["spec"]["topologySpreadConstraints"]),
    ]
    assert selectors == [labels] * len(selectors)
    names = {one["metadata"].get("namespace") for one in MANIFESTS.values()}
    assert names == {None, MANIFESTS["Namespace"]["metadata"]["name"]}
    budget = MANIFESTS["PodDisruptionBudget"]["spec"]["minAvailable"]
    assert 0 < budget < MANIFESTS["Deployment"]["spec"]["replicas"]


def test_the_proxy_sends_a_change_once() -> None:
    """Of POST and PATCH nginx sees to it; every other method that changes something is named."""
    text = (DEPLOY / "nginx" / "grantproof.conf").read_text("utf-8")
    (named,) = re.findall(r"if \(\$request_method ~ \^\(([A-Z|]+)\)\$\) { return 418; }", text)
    contexts = iter_route_contexts(administration_app().routes)
    methods = {method for context in contexts for method in context.methods or ()}
    assert methods - {"GET", "HEAD", "POST", "PATCH"} == set(named.split("|"))
    within = dict(
        re.findall(r"^    location ([^{]+) {\n(.*?)^    }$", text, re.MULTILINE | re.DOTALL)
    )
    assert "error_page 418 = @once;" in within["/"]
    assert "proxy_next_upstream off;" in within["@once"]
    again = [place for place, said in within.items() if "non_idempotent" in said]
    assert again == ["~ ^/(evaluate|evaluate/batch|explain|what-if)$"]


def test_secrets_are_files() -> None:
    """No password in an address, none in an environment; what is named is mounted."""
    for where in ("compose", "kubernetes"):
        environment = environments()[where]
        assert "@" not in environment["GRANTPROOF_DATABASE_URL"]
        assert not any("PASSWORD" in name for name in environment)
    (mounted,) = [one for one in CONTAINER["volumeMounts"] if one["name"] == "secrets"]
    pods, composed = environments()["kubernetes"], environments()["compose"]
    for name in ("PGSERVICEFILE", "GRANTPROOF_AUDIT_KEY_FILE"):
        file = Path(composed[name]).name
        assert Path(pods[name]) == Path(mounted["mountPath"]) / file
        assert composed[name] == f"/run/secrets/{file}"
        assert file in SERVICE["secrets"]
        assert COMPOSE["secrets"][file] == {"file": f"secrets.d/{file}"}


def test_a_pod_has_the_memory_for_its_solvers() -> None:
    """Otherwise the system ends the service with them."""
    limit = CONTAINER["resources"]["limits"]["memory"]
    settings = settings_of(environments()["kubernetes"])
    solvers = settings.solvers_max * settings.solver_memory_mib_max
    assert int(limit[:-2]) * MIB[limit[-2:]] >= 2 * OWN_MIB + solvers
