"""Least privilege: what a role grants is what its function does, no less and no more."""

import pytest

from keyturn.aws.keyset.key_policy import GRANTS, key_policy
from tests.permissions import recorded, roles
from tests.permissions.calls import Need
from tests.permissions.key_policy import KeyPolicy
from tests.permissions.policy import Statement, allowed
from tests.simulation.principals import ROLE_PREFIX

LOG_STREAM = f"arn:aws:logs:{roles.ACCOUNT}:log-group:logs:log-stream:2026/11/01/[$LATEST]0"
LOGGING = {Need(f"logs:{action}", LOG_STREAM) for action in ("CreateLogStream", "PutLogEvents")}
CALLS_NOTHING = {"CheckSettingsFunction", "WhoamiFunction", "ConcludeEmergencyFunction"}
ELSEWHERE = {"ReportFailureFunction"}  # Step Functions' own event wakes it; it tells, and no more
KEY_POLICY = KeyPolicy(key_policy(ROLE_PREFIX))
TELLING = Need(
    "events:PutEvents",
    "arn:aws:events:us-east-1:123456789012:event-bus/default",
    (("events:source", "keyturn"), ("events:detail-type", "RotationFailed")),
)
WITHOUT_ARN = {  # AWS offers nothing narrower
    ("kms:CreateKey",): "a key has no ARN before it exists",
    ("kms:TagResource",): "the same, when it is created with tags",
    ("tag:GetResources",): "this action knows no resources",
}


@pytest.fixture(scope="module")
def asked():
    """What each function asked of IAM."""
    recorded_needs = {**recorded.asked(), "ReportFailureFunction": {TELLING}}
    return {name: LOGGING | recorded_needs.get(name, set()) for name in roles.functions()}


def test_every_function_was_seen_at_work(asked):
    """A function that never ran would need nothing."""
    at_work = {name for name, needed in asked.items() if needed > LOGGING}
    assert at_work == roles.functions().keys() - CALLS_NOTHING


@pytest.mark.parametrize("function", sorted(roles.functions()))
def test_each_call_is_allowed(function, asked):
    """The function's own role or the key's policy allows it, with the conditions that they set."""
    statements, caller = roles.statements(function), roles.principal_of(function)
    refused = [
        need
        for need in asked[function]
        if not (
            KEY_POLICY.allows(caller, need.action, need.resource, dict(need.context))
            if need.is_of_a_key
            else allowed(statements, need.action, need.resource, dict(need.context))
        )
    ]
    assert refused == []


@pytest.mark.parametrize("function", sorted(roles.functions()))
def test_each_grant_is_used(function, asked):
    """A function that has the role uses it; an action that no call needs is taken away."""
    sharing = [f for f in roles.functions() if roles.role_of(f) == roles.role_of(function)]
    needed = {need for f in sharing for need in asked[f] if not need.is_of_a_key}
    unused = [
        (action, statement.resources)
        for statement in roles.statements(function)
        for action in statement.actions
        if not any(
            need.action == action
            and statement.allows(need.action, need.resource, dict(need.context))
            for need in needed
        )
    ]
    assert unused == []


@pytest.mark.parametrize("function", sorted(roles.functions()))
def test_no_role_has_an_iam_statement_on_a_key(function):
    """It would hold for other teams' keys, too, which leave the decision to IAM."""
    on_no_key = {"kms:CreateKey", "kms:TagResource"}  # what a key's creation needs
    for statement in roles.statements(function):
        assert {action for action in statement.actions if action.startswith("kms:")} <= on_no_key


@pytest.mark.parametrize("statement", sorted(GRANTS))
def test_each_grant_of_the_key_policy_is_used(statement, asked):
    """Every role that it names uses it; the roles are those of the template, at the paths that it gives them."""
    actions, names = GRANTS[statement]
    for name in names:
        sharing = [f for f in roles.functions() if roles.role_of(f) == name]
        assert sharing, f"the template has no {name}"
        used = {need.action for f in sharing for need in asked[f] if need.is_of_a_key}
        assert set(actions) <= used, name


@pytest.mark.parametrize("function", sorted(roles.functions()))
def test_no_wildcards_but_where_aws_offers_nothing_else(function):
    """No action with a star; no resource that is only a star, but for those listed here."""
    assert set(roles.managed_policies(function)) <= roles.resources().keys()  # none of AWS's
    assert len(roles.managed_policies(function)) <= 10  # IAM's quota
    for statement in roles.statements(function):
        assert not any("*" in action for action in statement.actions)
        if "*" in statement.resources:
            assert statement.actions in WITHOUT_ARN


GENERATION = f"arn:aws:ssm:{roles.ACCOUNT}:parameter/keyturn/sim/keyset/000000000001"
JWKS = "arn:aws:s3:::bucket/.well-known/jwks.json"
KEY = f"arn:aws:kms:{roles.ACCOUNT}:key/1"
CREATING = {"CreateKey", "ReplaceKeys", "Reconcile"}
BORN = {"aws:RequestTag/keyturn:stack": "sim"}
KEPT = "arn:aws:s3:::bucket/history/000000000001-digest.json"


@pytest.mark.parametrize(
    ("action", "resource", "context", "who"),
    [
        ("ssm:PutParameter", GENERATION, {"ssm:Overwrite": "true"}, set()),
        ("ssm:PutParameter", GENERATION, {}, set()),
        ("ssm:DeleteParameters", GENERATION, {}, {"Reconcile", "Keyset", "RecordChanges"}),
        ("s3:PutObject", JWKS, {}, set()),
        ("s3:PutObject", KEPT, {}, set()),
        ("s3:PutObject", KEPT, {"s3:if-match": '"etag"'}, {"RecordChanges", "Reconcile"}),
        ("s3:PutObject", KEPT, {"s3:if-none-match": "*"}, {"RecordChanges", "Reconcile"}),
        ("kms:CreateKey", "*", {"kms:KeySpec": "RSA_2048", "kms:KeyUsage": "SIGN_VERIFY"}, set()),
        ("kms:TagResource", KEY, {}, CREATING),
        ("kms:TagResource", KEY, {"aws:TagKeys": ("keyturn:stack",)}, CREATING),
        ("kms:TagResource", KEY, {"aws:TagKeys": ("keyturn:stack", "keyturn:op_id")}, CREATING),
        ("kms:TagResource", KEY, {**BORN, "aws:TagKeys": ("keyturn:stack",)}, CREATING),
        ("kms:TagResource", KEY, {**BORN, "aws:TagKeys": ("keyturn:stack", "team")}, set()),
        ("kms:TagResource", KEY, {"aws:RequestTag/keyturn:stack": "another"}, set()),
        ("logs:CreateLogGroup", "arn:aws:logs:us-east-1:123456789012:log-group:logs", {}, set()),
        ("logs:PutLogEvents", LOG_STREAM.replace(":logs:log", ":other:log"), {}, set()),
    ],
)
def test_who_may(action, resource, context, who):
    """The calls that a security review asks about."""
    may = {f for f in roles.functions() if allowed(roles.statements(f), action, resource, context)}
    assert {name.removesuffix("Function") for name in may} == who


def test_the_evaluator_refuses_what_it_does_not_know():
    """A Deny or a new operator must not be overlooked."""
    deny = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}
    with pytest.raises(NotImplementedError):
        Statement.from_document(deny)
    odd = {**deny, "Effect": "Allow", "Condition": {"DateLessThan": {"aws:CurrentTime": "2026"}}}
    with pytest.raises(NotImplementedError):
        Statement.from_document(odd).allows("s3:GetObject", "x", {"aws:CurrentTime": "2025"})
