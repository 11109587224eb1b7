"""What deployment and teardown rely on in Step Functions (keyturn.aws.executions).

Source: Step Functions API Reference.
"""

from functools import partial

from tests.cloud.contract.clouds import Cloud, refused

INPUT = '{"mode": "scheduled"}'


def start(cloud: Cloud, text: str = INPUT) -> str:
    """StartExecution under an unused name; returns its ARN."""
    name = cloud.fresh("run-")
    answer = cloud.clients.states.start_execution(
        stateMachineArn=cloud.machine, name=name, input=text
    )
    return str(answer["executionArn"])


def status(cloud: Cloud, arn: str) -> str:
    """What DescribeExecution says."""
    return str(cloud.clients.states.describe_execution(executionArn=arn)["status"])


def running(cloud: Cloud) -> set[str]:
    """ListExecutions, every page."""
    pages = cloud.clients.states.get_paginator("list_executions").paginate(
        stateMachineArn=cloud.machine, statusFilter="RUNNING"
    )
    return {item["executionArn"] for page in pages for item in page["executions"]}


def test_an_execution_runs_with_its_input(cloud: Cloud) -> None:
    """Its ARN is that of the machine, with its own name at the end."""
    arn = start(cloud)
    assert status(cloud, arn) == "RUNNING"
    assert cloud.clients.states.describe_execution(executionArn=arn)["input"] == INPUT
    machine = cloud.machine.replace(":stateMachine:", ":execution:")
    assert arn.rpartition(":")[0] == machine


def test_a_stopped_execution_does_not_run(cloud: Cloud) -> None:
    """It is ABORTED and no longer listed; the others continue."""
    first, second = start(cloud), start(cloud)
    assert {first, second} <= running(cloud)
    cloud.clients.states.stop_execution(executionArn=first, cause="the stack is being deleted")
    assert (status(cloud, first), status(cloud, second)) == ("ABORTED", "RUNNING")
    assert first not in running(cloud)
    assert second in running(cloud)


def test_an_execution_that_does_not_exist_is_refused(cloud: Cloud) -> None:
    """The error has a code of its own."""
    describe = partial(
        cloud.clients.states.describe_execution, executionArn=f"{start(cloud)}-other"
    )
    assert refused(describe) == ("ExecutionDoesNotExist", 400)
