"""One name in three spellings: the state, its function's resource and the function's file agree."""

import re
from itertools import pairwise

import pytest

from keyturn.aws.events import InvalidEvent
from keyturn.keyset.timing import BOUNDS, Limits
from tests.cloud.interpreter import patience
from tests.definition import DEFINITION, ROOT, STATES, snake
from tests.template import RESOURCES, TEMPLATE
from tests.unit.rotation.emergency import paths

TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
LAMBDA_ERRORS = {
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
}


@pytest.mark.parametrize("name", TASKS)
def test_state_resource_and_file_agree(name: str) -> None:
    """State `X` or `XAfterY` runs `XFunction`, whose handler is `rotation/x.py`."""
    step = name.split("After")[0]
    assert TASKS[name]["Resource"] == f"${{{step}FunctionArn}}"
    function = RESOURCES[f"{step}Function"]["Properties"]
    assert function["Handler"] == f"keyturn.rotation.{snake(step)}.handler"
    assert (ROOT / f"functions/keyturn/rotation/{snake(step)}.py").exists()
    properties = RESOURCES["RotationStateMachine"]["Properties"]
    substitution = properties["DefinitionSubstitutions"][f"{step}FunctionArn"]
    assert substitution == {"Fn::GetAtt": [f"{step}Function", "Arn"]}
    invoked = [policy["LambdaInvokePolicy"]["FunctionName"] for policy in properties["Policies"]]
    assert {"Ref": f"{step}Function"} in invoked


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_bounded_and_outlasts_a_minute_without_concurrency(name: str) -> None:
    """Each Task has a timeout and a last retrier, without jitter, that tries for over 60 s.

    ConcludeEmergency retries Lambda's own errors only: what it raises itself is its answer.
    """
    task = TASKS[name]
    assert 0 < task["TimeoutSeconds"] <= 930
    *others, retrier = task["Retry"]
    assert not others or name == "PlanRotation"
    assert 60 < patience(retrier) <= 900
    wanted = LAMBDA_ERRORS if name == "ConcludeEmergency" else {"States.ALL"}
    assert set(retrier["ErrorEquals"]) == wanted


def test_input_that_is_not_understood_fails_at_once() -> None:
    """Input that the step rejects is not retried; Lambda reports the error by its class name."""
    assert TASKS["PlanRotation"]["Retry"][0] == {
        "ErrorEquals": [InvalidEvent.__name__],
        "MaxAttempts": 0,
    }


def test_the_probe_outlasts_the_birth_of_a_key() -> None:
    """KMS may not know a new key for "several minutes" (KMS Developer Guide, eventual consistency)."""
    [retrier] = TASKS["ProbeKey"]["Retry"]
    assert patience(retrier) > 300


@pytest.mark.parametrize("name", TASKS)
def test_a_task_that_creates_keys_is_tried_few_times(name: str) -> None:
    """Such a Task has few attempts, because each may leave a KMS key behind."""
    if TASKS[name]["Resource"] in ("${CreateKeyFunctionArn}", "${ReplaceKeysFunctionArn}"):
        [retrier] = TASKS[name]["Retry"]
        assert retrier["MaxAttempts"] <= 6


@pytest.mark.parametrize("step", ["CreateKey", "ReplaceKeys"])
def test_a_function_that_creates_keys_outlasts_the_birth_of_one(step: str) -> None:
    """The function outlasts the wait for its key, which it would leave behind if killed; the state waits longer."""
    timeout = RESOURCES[f"{step}Function"]["Properties"]["Timeout"]
    assert timeout >= Limits().newborn_age.total_seconds() + 60
    assert timeout < TASKS[step]["TimeoutSeconds"]


def test_an_emergency_goes_on_within_seconds_once_lambda_has_concurrency() -> None:
    """No pause between two attempts exceeds 8 s until the keys are revoked and the JWKS is published."""
    for name in ("PlanRotation", "RevokeKeys", "DisableKeys", "PublishJwksAfterRevoke"):
        assert TASKS[name]["Retry"][-1]["MaxDelaySeconds"] <= 8


EMERGENCY = paths.EMERGENCY[3:-1]  # from the first step behind the plan to the last Task


def test_the_emergency_goes_in_order_and_is_held_up_by_nothing() -> None:
    """The order is revoke, disable, publish, replace, publish, wait, flush; an error leads to the next state."""
    for name, following in pairwise(EMERGENCY):
        assert STATES[name]["Next"] == following
        if STATES[name]["Type"] == "Task":
            (caught,) = STATES[name]["Catch"]
            assert caught["ErrorEquals"] == ["States.ALL"]
            assert caught["Next"] == following
            assert caught["ResultPath"] == STATES[name]["ResultPath"]
    assert "Catch" not in STATES["ConcludeEmergency"]


def test_a_scheduled_task_catches_nothing() -> None:
    """No Task of a rotation catches an error, so the alarm fires and a redrive resumes the failed step."""
    assert not [name for name in TASKS.keys() - set(EMERGENCY) if "Catch" in TASKS[name]]


def test_the_definition_stays_in_the_subset_that_every_engine_runs() -> None:
    """The definition uses only what all engines read alike: JSONPath, Lambda ARNs, Choice on outcomes."""
    assert "QueryLanguage" not in DEFINITION
    types = {"Task", "Choice", "Wait", "Succeed", "Pass"}
    assert {state["Type"] for state in STATES.values()} <= types
    for state in STATES.values():
        assert not {"Parameters", "InputPath", "OutputPath", "ResultSelector"} & state.keys()


def test_every_state_can_be_reached() -> None:
    """Every state can be reached from the first one."""
    reached, open_ = set(), [DEFINITION["StartAt"]]
    while open_:
        name = open_.pop()
        if name not in reached:
            reached.add(name)
            state = STATES[name]
            following = [state.get("Next"), state.get("Default")]
            following += [choice["Next"] for choice in state.get("Choices", [])]
            open_ += [state for state in following if state]
    assert reached == set(STATES)


def test_every_handler_of_the_template_exists() -> None:
    """Each function's handler is a module of ours with a `handler`."""
    handlers = [
        resource["Properties"]["Handler"]
        for resource in RESOURCES.values()
        if resource["Type"] in ("AWS::Serverless::Function", "AWS::Lambda::Function")
    ]
    assert len(handlers) == len(set(handlers))
    for handler in handlers:
        module, _, name = handler.rpartition(".")
        source = (ROOT / "functions" / module.replace(".", "/")).with_suffix(".py").read_text()
        assert re.search(rf"^(def {name}\(|{name} = )", source, re.MULTILINE), handler


@pytest.mark.parametrize("name", BOUNDS)
def test_the_template_knows_the_bounds(name: str) -> None:
    """A time has the same bounds as a parameter as it has in `keyset/timing.py`."""
    parameter = TEMPLATE["Parameters"]["".join(word.capitalize() for word in name.split("_"))]
    assert (parameter["MinValue"], parameter["MaxValue"]) == BOUNDS[name]
    times = RESOURCES["CheckSettings"]["Properties"]["times"]["Fn::Sub"]
    assert f'"{name}":' in times
