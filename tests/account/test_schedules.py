"""A schedule starts its one target, with a role that may do just that."""

import re

from tests.account.resolve import Deployment
from tests.permissions.policy import Statement
from tests.synthesized import Template, mutated, synthesized
from tests.template import TEMPLATE

_ACTIONS = {
    "<RotationStateMachine>": "states:StartExecution",
    "<ReconcileFunction.Arn>": "lambda:InvokeFunction",
    "<PublishApisFunction.Arn>": "lambda:InvokeFunction",
}


def targets(template: Template) -> set[tuple[str, str]]:
    """What the schedules do: an action, and on what."""
    schedules = Deployment(template).resources("AWS::Scheduler::Schedule").values()
    arns = [schedule["Target"]["Arn"] for schedule in schedules]
    return {(_ACTIONS[arn], arn) for arn in arns}


def grants(template: Template) -> set[tuple[str, str]]:
    """What the roles of the schedules allow."""
    deployment = Deployment(template)
    schedules = deployment.resources("AWS::Scheduler::Schedule").values()
    names = {s["Target"]["RoleArn"].strip("<>").removesuffix(".Arn") for s in schedules}
    statements = [
        Statement.from_document(text)
        for name in names
        for policy in deployment.resources("AWS::IAM::Role")[name]["Policies"]
        for text in policy["PolicyDocument"]["Statement"]
    ]
    return {(action, arn) for s in statements for action in s.actions for arn in s.resources}


def test_the_role_allows_what_the_schedules_do_and_no_more() -> None:
    """Source: EventBridge Scheduler User Guide, "Execution role"."""
    assert grants(dict(synthesized())) == targets(dict(synthesized()))

    def forget(template: Template) -> None:
        [policy] = template["Resources"]["SchedulesRole"]["Properties"]["Policies"]
        policy["PolicyDocument"]["Statement"].pop()

    assert targets(mutated(forget)) - grants(mutated(forget)) == {
        ("lambda:InvokeFunction", "<ReconcileFunction.Arn>"),
        ("lambda:InvokeFunction", "<PublishApisFunction.Arn>"),
    }


def test_only_the_scheduler_takes_the_role() -> None:
    """No function of the account can take it."""
    role = Deployment(dict(synthesized())).resources("AWS::IAM::Role")["SchedulesRole"]
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "scheduler.amazonaws.com"}


def test_doctor_checks_every_schedule() -> None:
    """CloudFormation does not notice that one is disabled or gone: `doctor` reads the output ScheduleNames."""
    names = re.findall(r"\$\{(\w+)\}", TEMPLATE["Outputs"]["ScheduleNames"]["Value"]["Fn::Sub"])
    schedules = Deployment(dict(synthesized())).resources("AWS::Scheduler::Schedule")
    assert sorted(names) == sorted(schedules)
