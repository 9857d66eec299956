"""`grantproof policy convert`: other systems' policies as our documents."""

import io
import json
import sys
from pathlib import Path

import pytest

from grantproof.core.limits import ROLE_DEPTH_MAX
from tests.unit.cli.conftest import Run

ROLE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: view}
rules:
- {verbs: [get], apiGroups: [""], resources: [pods]}
"""
LOUD = ROLE + "- {verbs: ['*'], apiGroups: [''], resources: [secrets]}\n"
NOTE = (
    ":6:3: verb `*`: it grants every verb but those called"
    " administer, assign, delegate, review, revoke"
)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A file with one role, of which all is translated."""
    path = tmp_path / "roles.yaml"
    path.write_text(ROLE)
    return path


def test_what_is_converted_can_be_imported(run: Run, manifest: Path, tmp_path: Path) -> None:
    """Written to a file in either form, under the name given or the other system's."""
    converted = run("policy", "convert", "--from", "kubernetes", str(manifest))
    assert (converted.code, converted.err) == (0, "")
    for name in ("out.yaml", "out.json"):
        out = str(tmp_path / name)
        arguments = ("--from", "kubernetes", str(manifest), "--output", out, "--org", name)
        written = run("policy", "convert", *arguments)
        assert (written.code, written.out, written.err) == (0, "", "")
        assert run("import", out).code == 0
        assert run("role", "list", "--org", name, "--json").json[0]["id"] == "view"
    assert converted.out == Path(tmp_path / "out.yaml").read_text().replace(
        "id: out.yaml", "id: kubernetes"
    )


def test_what_is_not_translated_is_a_line_on_the_standard_error(run: Run, manifest: Path) -> None:
    """The document is whole all the same; for programs both are one value."""
    manifest.write_text(LOUD)
    ended = run("policy", "convert", "--from", "kubernetes", str(manifest))
    assert (ended.code, ended.err) == (0, f"{manifest}{NOTE}\n")
    assert ended.out.startswith("apiVersion: grantproof/v1\n")
    told = run("policy", "convert", "--from", "kubernetes", str(manifest), "--json").json
    assert told["document"]["id"] == "kubernetes"
    assert [(note["line"], note["column"], note["what"]) for note in told["untranslated"]] == [
        (6, 3, "verb `*`")
    ]


def test_strict_writes_nothing_unless_all_is_translated(
    run: Run, manifest: Path, tmp_path: Path
) -> None:
    """Code 1 and the notes, or what it would be without."""
    out = tmp_path / "out.yaml"
    arguments = ("--from", "kubernetes", str(manifest), "--output", str(out), "--strict")
    manifest.write_text(LOUD)
    ended = run("policy", "convert", *arguments)
    assert (ended.code, ended.out, out.exists()) == (1, "", False)
    assert ended.err == f"{manifest}{NOTE}\nnot all was translated (notes above: 1)\n"
    told = run("policy", "convert", "--from", "kubernetes", str(manifest), "--strict", "--json")
    assert (told.code, list(told.json)) == (1, ["untranslated"])
    manifest.write_text(ROLE)
    assert run("policy", "convert", *arguments).code == 0
    assert out.exists()


def test_every_problem_is_a_line_with_its_place(run: Run, manifest: Path, tmp_path: Path) -> None:
    """Code 2, and nothing is written."""
    manifest.write_text(ROLE.replace("[get]", "get").replace("name: view", "nme: view"))
    out = tmp_path / "out.yaml"
    ended = run("policy", "convert", "--from", "kubernetes", str(manifest), "--output", str(out))
    assert (ended.code, ended.out, out.exists()) == (2, "", False)
    assert ended.err.splitlines() == [
        f"{manifest}:3:1: metadata.name: is required",
        f"{manifest}:5:11: rules[0].verbs: must be a list",
    ]


def test_a_domain_is_chosen_for_casbin_only(run: Run, tmp_path: Path) -> None:
    """The model and the policy are told apart by their endings."""
    model = tmp_path / "m.conf"
    model.write_text(
        "[request_definition]\nr = sub, dom, obj, act\n[policy_definition]\n"
        "p = sub, dom, obj, act\n[role_definition]\ng = _, _, _\n[policy_effect]\n"
        "e = some(where (p.eft == allow))\n[matchers]\n"
        "m = g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act\n"
    )
    policy = tmp_path / "p.csv"
    policy.write_text("p, a, one, x, read\np, a, two, y, read\n")
    files = (str(model), str(policy))
    assert run("policy", "convert", "--from", "casbin", *files).code == 2
    ended = run("policy", "convert", "--from", "casbin", *files, "--domain", "two", "--json")
    assert [one["id"] for one in ended.json["document"]["resources"]] == ["y"]
    wrong = run("policy", "convert", "--from", "keycloak", str(policy), "--domain", "two")
    assert (wrong.code, wrong.line) == (2, "--domain is for --from casbin")


def test_a_realm_is_read_from_the_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dash stands for it."""
    text = '{"realm": "shop", "users": [], "roles": {"realm": [{"name": "seller"}]}}'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    ended = run("policy", "convert", "--from", "keycloak", "-", "--org", "shop", "--json")
    assert [one["id"] for one in ended.json["document"]["roles"]] == ["seller"]


def test_a_file_that_cannot_be_written_is_one_line(run: Run, manifest: Path) -> None:
    """As one that cannot be read."""
    ended = run("policy", "convert", "--from", "kubernetes", str(manifest), "--output", "/no/x")
    assert (ended.code, ended.line) == (
        2,
        "the file `/no/x` cannot be written: no such file or directory",
    )
    assert run("policy", "convert", "--from", "kubernetes", "/no/x").code == 2


def test_what_no_organization_can_be_is_refused_as_an_import_would(
    run: Run, tmp_path: Path
) -> None:
    """Bounds and rules are looked at before anything is written: code 1, with the part."""
    links = ROLE_DEPTH_MAX + 2
    roles = [
        {"name": f"r{one}", "composites": {"realm": [f"r{one + 1}"]} if one < links else {}}
        for one in range(links + 1)
    ]
    realm, out = tmp_path / "realm.json", tmp_path / "out.json"
    realm.write_text(json.dumps({"realm": "shop", "roles": {"realm": roles}}))
    ended = run("policy", "convert", "--from", "keycloak", str(realm), "--output", str(out))
    first, *lines = ended.err.splitlines()
    assert (ended.code, first, out.exists()) == (1, "no organization can be what these say", False)
    roles[links // 2]["composites"] = {}
    assert lines != []
    assert all(line.startswith("roles[") for line in lines), lines
    realm.write_text(json.dumps({"realm": "shop", "roles": {"realm": roles}}))
    again = run("policy", "convert", "--from", "keycloak", str(realm), "--output", str(out))
    assert (again.code, again.err) == (0, "")
