"""`keyturn client` and `keyturn api`: one way to write, compare, remove and show a document."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.cli.running import keyturn

CLIENT = ("client", "add", "orders", "--audience", "orders", "--scope", "orders:read")
API = ("api", "add", "abc123", "--audience", "orders", "--route", "GET /orders=orders:read")
WRITTEN: dict[str, dict[str, Any]] = {
    "client": {"audiences": ["orders"], "subjects": "itself", "scopes": ["orders:read"]},
    "api": {"audience": "orders", "routes": {"GET /orders": "orders:read"}},
}
MANY = tuple(f"--subject=user-{number:0200}" for number in range(20))
ADD = {"client": CLIENT, "api": API}
PATHS = {"client": "/keyturn/demo/clients/orders", "api": "/keyturn/demo/apis/abc123"}
KINDS = pytest.mark.parametrize("kind", ["client", "api"])


def stored(cloud, kind: str):
    """The document as SSM holds it, None if there is none."""
    text = cloud.ssm.see(PATHS[kind], float("inf"))
    return json.loads(text) if text else None


def name_of(kind: str) -> str:
    """The name of the document that the tests write."""
    return PATHS[kind].rpartition("/")[2]


def changing(kind: str, verb: str) -> tuple[str, ...]:
    """The command that changes the document, or removes it."""
    return (*ADD[kind], "--audience", "mine") if verb == "add" else (kind, "remove", name_of(kind))


@KINDS
def test_the_options_are_written(deployment, cloud, kind):
    """`add` writes all options and nothing else; `show` prints the same."""
    result = keyturn(*ADD[kind], "--yes", "--json")
    assert result.exit_code == 0, result.stderr
    expected = {kind: name_of(kind), "before": None, "after": WRITTEN[kind], "written": True}
    assert json.loads(result.stdout) == expected
    assert stored(cloud, kind) == WRITTEN[kind]
    shown = json.loads(keyturn(kind, "show", name_of(kind), "--json").stdout)
    assert (shown["document"], shown["version"], shown["stack"]) == (WRITTEN[kind], 1, None)


@KINDS
@pytest.mark.parametrize("typed", ["demo", "other"])
def test_the_operator_confirms_with_the_stacks_name(deployment, cloud, kind, typed):
    """Any other answer writes nothing; exit status 2."""
    result = keyturn(*ADD[kind], "--stack", "demo", text=f"{typed}\n")
    assert result.exit_code == (0 if typed == "demo" else 2)
    assert stored(cloud, kind) == (WRITTEN[kind] if typed == "demo" else None)


@KINDS
@pytest.mark.parametrize("verb", ["add", "remove"])
def test_a_dry_run_changes_nothing_and_checks_permissions(
    deployment, cloud, kind, verb, monkeypatch
):
    """IAM simulates the call on this very parameter."""
    cloud.ssm.put(PATHS[kind], json.dumps(WRITTEN[kind]))
    questions = []

    def simulate(_caller, action, resource):
        questions.append((action, resource))
        return SimpleNamespace(value="allowed")

    monkeypatch.setattr(deployment, "caller", lambda: "arn:aws:iam::123456789012:user/ops")
    monkeypatch.setattr("keyturn.cli.preflight.simulate", simulate)
    result = json.loads(keyturn(*changing(kind, verb), "--dry-run", "--json").stdout)
    action = {"add": "ssm:PutParameter", "remove": "ssm:DeleteParameters"}[verb]
    assert (result["dry_run"], result["permissions"]) == (True, {action: "allowed"})
    assert questions == [(action, f"arn:aws:ssm:us-east-1:123456789012:parameter{PATHS[kind]}")]
    assert stored(cloud, kind) == WRITTEN[kind]


@KINDS
def test_a_second_time_changes_nothing(deployment, aws, kind):
    """The same `add` again asks no question and writes nothing."""
    assert keyturn(*ADD[kind], "--yes").exit_code == 0
    aws.reset()
    result = keyturn(*ADD[kind])
    assert (result.exit_code, "Nothing changes." in result.stdout) == (0, True)
    assert "ssm:PutParameter" not in aws.operations


@KINDS
@pytest.mark.parametrize(("verb", "there"), [("add", False), ("add", True), ("remove", True)])
def test_a_change_between_question_and_write_is_not_overwritten(
    deployment, cloud, monkeypatch, kind, verb, there
):
    """If another operator was faster, nothing is written; exit status 1."""
    if there:
        cloud.ssm.put(PATHS[kind], json.dumps(WRITTEN[kind]))
    theirs = {**WRITTEN[kind], ("audiences" if kind == "client" else "audience"): "theirs"}
    monkeypatch.setattr(
        "keyturn.cli.terminal.Terminal.confirm",
        lambda *_: cloud.ssm.put(PATHS[kind], json.dumps(theirs), overwrite=True),
    )
    result = keyturn(*changing(kind, verb))
    assert (result.exit_code, "changed meanwhile" in result.stderr) == (1, True)
    assert stored(cloud, kind) == theirs


@KINDS
def test_a_document_that_appears_at_the_last_moment_is_not_overwritten(
    deployment, cloud, aws, kind
):
    """It is not overwritten even after the last read: SSM creates a parameter only if it does not exist."""
    aws.meanwhile("ssm:PutParameter", lambda: cloud.ssm.put(PATHS[kind], '{"theirs": 1}'))
    result = keyturn(*ADD[kind], "--yes")
    assert (result.exit_code, "changed meanwhile" in result.stderr) == (1, True)
    assert stored(cloud, kind) == {"theirs": 1}


@KINDS
def test_a_change_at_the_last_moment_is_reported(deployment, cloud, aws, kind):
    """SSM has no conditional overwrite, but it counts versions: the command reports what it cannot undo."""
    cloud.ssm.put(PATHS[kind], "{}")
    aws.meanwhile("ssm:PutParameter", lambda: cloud.ssm.put(PATHS[kind], "[]", overwrite=True))
    result = keyturn(*ADD[kind], "--yes")
    assert (result.exit_code, "(version 3)" in result.stderr) == (1, True)
    assert f"`keyturn {kind} show {name_of(kind)}`" in result.stderr


@KINDS
@pytest.mark.parametrize("verb", ["add", "remove"])
def test_a_document_that_a_stack_declares_changes_only_with_drift(deployment, cloud, kind, verb):
    """A document with CloudFormation's tag changes only with --drift; the error names the stack in the tag."""
    cloud.ssm.put(PATHS[kind], json.dumps(WRITTEN[kind]))
    cloud.ssm.tags[PATHS[kind]] = {"aws:cloudformation:stack-name": "team-orders"}
    result = keyturn(*changing(kind, verb), "--yes")
    assert result.exit_code == 1
    assert "the stack team-orders declares" in result.stderr
    assert stored(cloud, kind) == WRITTEN[kind]
    assert keyturn(*changing(kind, verb), "--yes", "--drift").exit_code == 0
    assert stored(cloud, kind) != WRITTEN[kind]


@KINDS
def test_a_document_that_does_not_parse_is_shown_and_replaced(deployment, cloud, kind):
    """The problem names the parameter and the member."""
    cloud.ssm.put(PATHS[kind], '{"audience": 5, "audiences": 5}')
    result = keyturn(kind, "show", name_of(kind), "--json")
    assert result.exit_code == 1
    problem = json.loads(result.stdout)["problem"]
    assert problem.startswith(f"{PATHS[kind]}: ")
    assert "audience" in problem
    assert keyturn(*ADD[kind], "--yes").exit_code == 0
    assert stored(cloud, kind) == WRITTEN[kind]


@KINDS
def test_a_document_is_removed(deployment, cloud, kind):
    """After `remove`, `remove` and `show` are invalid usage, and name the command that lists the names."""
    assert keyturn(*ADD[kind], "--yes").exit_code == 0
    result = keyturn(kind, "remove", name_of(kind), "--yes", "--json")
    assert json.loads(result.stdout)["after"] is None
    assert stored(cloud, kind) is None
    for verb in ("remove", "show"):
        result = keyturn(kind, verb, name_of(kind))
        assert (result.exit_code, f"`keyturn {kind} list`" in result.stderr) == (2, True)


@KINDS
@pytest.mark.parametrize("name", ["../keyset/000000000001", "a b", ""])
@pytest.mark.parametrize("verb", ["add", "remove", "show"])
def test_an_invalid_name_reaches_no_parameter(deployment, aws, kind, name, verb):
    """An invalid name ends with exit status 2, before any call."""
    aws.reset()
    arguments = (*ADD[kind][:2], name, *ADD[kind][3:]) if verb == "add" else (kind, verb, name)
    assert keyturn(*arguments).exit_code == 2
    assert aws.operations == []


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((*CLIENT, "--scope", "a b"), "scopes:"),
        ((*CLIENT, "--max-lifetime", "0"), "max_lifetime:"),
        ((*CLIENT, "--claim", "a", "--claim", "a"), "claims:"),
        (
            (*CLIENT, "--subject", "any", "--subject", "x"),
            "--subject any cannot be combined with others",
        ),
        ((*API, "--route", "GET /orders=x"), "--route GET /orders is there twice"),
        ((*API, "--route", "GET /orders"), "names no scopes"),
        ((*CLIENT, *MANY), "a parameter can hold 4096"),
        ((*API, "--route", "GET /*=x"), "routes: `GET /*`"),
        ((*API, "--route", "GET /{a}=x", "--route", "GET /{b}=x"), "the same route as `GET /{a}`"),
    ],
)
def test_an_invalid_document_is_invalid_usage(deployment, aws, arguments, named):
    """The error names the option or member, and nothing is written."""
    result = keyturn(*arguments, "--yes")
    assert (result.exit_code, named in result.stderr) == (2, True), result.stderr
    assert "ssm:PutParameter" not in aws.operations


def test_routes_that_no_cached_answer_can_tell_apart_are_refused(deployment, aws):
    """The error names both, and what to do instead."""
    routes = ("--route", "GET /users/{id}=a", "--route", "GET /users/{id}/secrets=b")
    result = keyturn(*API, *routes, "--cached", "--yes")
    assert result.exit_code == 2
    assert "`GET /users/{id}`" in result.stderr
    assert "`GET /users/{id}/secrets`" in result.stderr
    assert "do not cache" in result.stderr
    assert "ssm:PutParameter" not in aws.operations
    assert keyturn(*API, *routes, "--yes").exit_code == 0


@pytest.mark.parametrize(
    ("options", "written"),
    [
        ((), "itself"),
        (("--subject", "any"), "any"),
        (("--subject", "alice", "--subject", "bob"), ["alice", "bob"]),
    ],
)
def test_subjects(deployment, cloud, options, written):
    """A client may have its own subject, any subject, or those of a list."""
    assert keyturn(*CLIENT, *options, "--yes").exit_code == 0
    assert stored(cloud, "client")["subjects"] == written


def test_the_lifetime_of_earlier_tokens_is_named(deployment, cloud):
    """Earlier tokens end by the client's own bound if it has one: C + τ + 5 s + λ + G + ε = 14 s."""
    cloud.ssm.put(PATHS["client"], '{"audiences": ["orders"], "max_lifetime": 5}')
    assert "for 14 s at most" in keyturn(*CLIENT, "--dry-run").stdout
    cloud.ssm.put(PATHS["client"], '{"audiences": ["orders"]}', overwrite=True)
    assert "for 24 s at most" in keyturn(*CLIENT, "--dry-run").stdout


def test_a_client_can_be_narrowed_while_the_keyset_cannot_be_read(deployment, cloud):
    """The line about earlier tokens is not essential."""
    cloud.ssm.put(PATHS["client"], '{"audiences": ["orders", "billing"]}')
    deployment.keysets.remove(one.name for one in deployment.keysets.list_parameters())
    assert keyturn(*CLIENT, "--yes").exit_code == 0
    assert stored(cloud, "client") == WRITTEN["client"]
