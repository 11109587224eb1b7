"""`keyturn client` and `keyturn api`: one way to write, compare, remove and show a document."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from keyturn.cli.differences import differences, rows
from tests.unit.cli.running import keyturn, transcript

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


def stored(cloud, name: str):
    """What a parameter holds, None if there is none."""
    text = cloud.ssm.see(name, float("inf"))
    return json.loads(text) if text else None


def put(cloud, deployment, name: str, text: str, **more):
    """Write a parameter, past the command."""
    cloud.ssm.put(name, text, **more)


def name_of(kind):
    """Of the document that the tests write."""
    return PATHS[kind].rpartition("/")[2]


@KINDS
def test_what_the_options_say_is_written(deployment, cloud, kind):
    """All of it and nothing else; then `show` says the same."""
    result = keyturn(*ADD[kind], "--yes", "--json")
    assert result.exit_code == 0, result.stderr
    expected = {kind: name_of(kind), "before": None, "after": WRITTEN[kind], "written": True}
    assert json.loads(result.stdout) == expected
    assert stored(cloud, PATHS[kind]) == WRITTEN[kind]
    shown = json.loads(keyturn(kind, "show", name_of(kind), "--json").stdout)
    assert (shown["document"], shown["version"], shown["stack"]) == (WRITTEN[kind], 1, None)


@KINDS
@pytest.mark.parametrize("typed", ["demo", "other"])
def test_it_asks_for_the_stacks_name(deployment, cloud, kind, typed):
    """Anything else writes nothing, with exit status 2."""
    result = keyturn(*ADD[kind], "--stack", "demo", text=f"{typed}\n")
    assert result.exit_code == (0 if typed == "demo" else 2)
    assert stored(cloud, PATHS[kind]) == (WRITTEN[kind] if typed == "demo" else None)


@KINDS
@pytest.mark.parametrize("verb", ["add", "remove"])
def test_a_dry_run_changes_nothing_and_says_whether_it_would_be_allowed(
    deployment, cloud, kind, verb, monkeypatch
):
    """IAM is asked about the very parameter."""
    put(cloud, deployment, PATHS[kind], json.dumps(WRITTEN[kind]))
    asked = []

    def simulate(_caller, action, resource):
        asked.append((action, resource))
        return SimpleNamespace(value="allowed")

    monkeypatch.setattr(deployment, "caller", lambda: "arn:aws:iam::123456789012:user/ops")
    monkeypatch.setattr(
        "keyturn.cli.preflight.simulate",
        simulate,
    )
    arguments = (
        (*ADD[kind], "--audience", "other") if verb == "add" else (kind, "remove", name_of(kind))
    )
    said = json.loads(keyturn(*arguments, "--dry-run", "--json").stdout)
    action = {"add": "ssm:PutParameter", "remove": "ssm:DeleteParameters"}[verb]
    assert (said["dry_run"], said["permissions"]) == (True, {action: "allowed"})
    assert asked == [(action, f"arn:aws:ssm:us-east-1:123456789012:parameter{PATHS[kind]}")]
    assert stored(cloud, PATHS[kind]) == WRITTEN[kind]


@KINDS
def test_a_second_time_changes_nothing(deployment, aws, kind):
    """Nothing is asked and nothing is written."""
    assert keyturn(*ADD[kind], "--yes").exit_code == 0
    aws.reset()
    result = keyturn(*ADD[kind])
    assert (result.exit_code, "Nothing changes." in result.stdout) == (0, True)
    assert "ssm:PutParameter" not in aws.operations


@KINDS
@pytest.mark.parametrize(("verb", "there"), [("add", False), ("add", True), ("remove", True)])
def test_a_change_between_question_and_write_is_kept(
    deployment, cloud, monkeypatch, kind, verb, there
):
    """A colleague was faster: nothing is overwritten, exit status 1."""
    if there:
        put(cloud, deployment, PATHS[kind], json.dumps(WRITTEN[kind]))
    theirs = {**WRITTEN[kind], ("audiences" if kind == "client" else "audience"): "theirs"}
    monkeypatch.setattr(
        "keyturn.cli.terminal.Terminal.confirm",
        lambda *_: put(cloud, deployment, PATHS[kind], json.dumps(theirs), overwrite=True),
    )
    arguments = (
        (*ADD[kind], "--audience", "mine") if verb == "add" else (kind, "remove", name_of(kind))
    )
    result = keyturn(*arguments)
    assert (result.exit_code, "changed meanwhile" in result.stderr) == (1, True)
    assert stored(cloud, PATHS[kind]) == theirs


@KINDS
def test_a_document_that_appears_in_the_last_moment_is_kept(deployment, cloud, aws, kind):
    """Even after it was looked for once more: SSM creates only what does not exist."""
    aws.meanwhile("ssm:PutParameter", lambda: put(cloud, deployment, PATHS[kind], '{"theirs": 1}'))
    result = keyturn(*ADD[kind], "--yes")
    assert (result.exit_code, "changed meanwhile" in result.stderr) == (1, True)
    assert stored(cloud, PATHS[kind]) == {"theirs": 1}


@KINDS
def test_a_change_in_the_last_moment_is_noticed(deployment, cloud, aws, kind):
    """SSM replaces on no condition, but it counts versions: the command says what it cannot undo."""
    put(cloud, deployment, PATHS[kind], "{}")
    aws.meanwhile(
        "ssm:PutParameter", lambda: put(cloud, deployment, PATHS[kind], "[]", overwrite=True)
    )
    result = keyturn(*ADD[kind], "--yes")
    assert (result.exit_code, "(version 3)" in result.stderr) == (1, True)
    assert f"`keyturn {kind} show {name_of(kind)}`" in result.stderr


@KINDS
@pytest.mark.parametrize("verb", ["add", "remove"])
def test_what_a_stack_declares_is_changed_on_purpose_only(deployment, cloud, kind, verb):
    """CloudFormation's tag names the stack; `--drift` is the purpose."""
    put(cloud, deployment, PATHS[kind], json.dumps(WRITTEN[kind]))
    cloud.ssm.tags[PATHS[kind]] = {"aws:cloudformation:stack-name": "team-orders"}
    arguments = (
        (*ADD[kind], "--audience", "mine") if verb == "add" else (kind, "remove", name_of(kind))
    )
    result = keyturn(*arguments, "--yes")
    assert result.exit_code == 1
    assert "the stack team-orders declares" in result.stderr
    assert stored(cloud, PATHS[kind]) == WRITTEN[kind]
    assert keyturn(*arguments, "--yes", "--drift").exit_code == 0
    assert stored(cloud, PATHS[kind]) != WRITTEN[kind]


@KINDS
def test_a_document_that_does_not_parse_is_shown_and_replaced(deployment, cloud, kind):
    """The problem names the parameter and the member."""
    put(cloud, deployment, PATHS[kind], '{"audience": 5, "audiences": 5}')
    result = keyturn(kind, "show", name_of(kind), "--json")
    assert result.exit_code == 1
    problem = json.loads(result.stdout)["problem"]
    assert problem.startswith(f"{PATHS[kind]}: ")
    assert "audience" in problem
    assert keyturn(*ADD[kind], "--yes").exit_code == 0
    assert stored(cloud, PATHS[kind]) == WRITTEN[kind]


@KINDS
def test_removed_is_removed(deployment, cloud, kind):
    """And cannot be removed or shown again: invalid usage, with the way to the names."""
    assert keyturn(*ADD[kind], "--yes").exit_code == 0
    result = keyturn(kind, "remove", name_of(kind), "--yes", "--json")
    assert json.loads(result.stdout)["after"] is None
    assert stored(cloud, PATHS[kind]) is None
    for verb in ("remove", "show"):
        result = keyturn(kind, verb, name_of(kind))
        assert (result.exit_code, f"`keyturn {kind} list`" in result.stderr) == (2, True)


@KINDS
@pytest.mark.parametrize("name", ["../keyset/000000000001", "a b", ""])
@pytest.mark.parametrize("verb", ["add", "remove", "show"])
def test_what_is_no_name_reaches_no_parameter(deployment, aws, kind, name, verb):
    """Exit status 2, before any call."""
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
def test_what_says_nothing_usable_is_bad_usage(deployment, aws, arguments, named):
    """The option or member is named, nothing is written."""
    result = keyturn(*arguments, "--yes")
    assert (result.exit_code, named in result.stderr) == (2, True), result.stderr
    assert "ssm:PutParameter" not in aws.operations


def test_routes_that_no_cached_answer_can_tell_apart_are_refused(deployment, aws):
    """Both are named, and what to do instead."""
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
    """Itself, any, or a list."""
    assert keyturn(*CLIENT, *options, "--yes").exit_code == 0
    assert stored(cloud, PATHS["client"])["subjects"] == written


def test_how_long_earlier_tokens_live(deployment, cloud):
    """By the client's own bound where it has one: C + τ + 5 s + λ + G + ε = 14 s."""
    put(cloud, deployment, PATHS["client"], '{"audiences": ["orders"], "max_lifetime": 5}')
    assert "for 14 s at most" in keyturn(*CLIENT, "--dry-run").stdout
    put(cloud, deployment, PATHS["client"], '{"audiences": ["orders"]}', overwrite=True)
    assert "for 24 s at most" in keyturn(*CLIENT, "--dry-run").stdout


def test_a_client_can_be_narrowed_while_the_keyset_cannot_be_read(deployment, cloud):
    """What the operator is told about earlier tokens is nice to know, and no more."""
    put(cloud, deployment, PATHS["client"], '{"audiences": ["orders", "billing"]}')
    deployment.keysets.remove(one.name for one in deployment.keysets.list_parameters())
    assert keyturn(*CLIENT, "--yes").exit_code == 0
    assert stored(cloud, PATHS["client"]) == WRITTEN["client"]


def test_a_change_is_told_member_by_member(deployment, cloud):
    """Before and after, from when it counts, and what becomes of earlier tokens."""
    put(
        cloud,
        deployment,
        PATHS["client"],
        '{"audiences": ["orders", "billing"], "scopes": ["orders:read"], "subjects": "any"}',
    )
    options = ("--scope", "orders:write", "--max-lifetime", "300", "--claim", "tenant")
    transcript(
        cloud, "client-add-80", keyturn(*CLIENT, *options, "--stack", "demo", text="demo\n").stdout
    )


def test_routes_are_told_one_by_one(deployment, cloud):
    """The one that changes, the new one and the one that goes."""
    routes = {"GET /orders": "orders:list", "POST /orders": "orders:write", "GET /": "a"}
    put(cloud, deployment, PATHS["api"], json.dumps({"audience": "orders", "routes": routes}))
    more = ("--route", "GET /=a", "--route", "GET /new=", "--cached")
    transcript(cloud, "api-add-80", keyturn(*API, *more, "--stack", "demo", text="demo\n").stdout)


def test_a_route_that_needs_no_scope_is_not_one_that_goes():
    """Both have nothing on one side: the words tell them apart."""
    before = rows({"routes": {"GET /": "a", "GET /gone": "a"}}, {"routes": "all"})
    after = rows({"routes": {"GET /": ""}}, {"routes": "all"})
    assert list(differences(before, after)) == [
        "routes GET /      a → no scope",
        "routes GET /gone  a → –",
    ]


def test_a_document_is_shown(deployment, cloud):
    """Every member, also those that were left out, and the stack that declares it."""
    put(cloud, deployment, PATHS["client"], '{"audiences": ["orders"], "subjects": ["a b", "c"]}')
    cloud.ssm.tags[PATHS["client"]] = {"aws:cloudformation:stack-name": "team-orders"}
    transcript(cloud, "client-show-80", keyturn("client", "show", "orders").stdout)
