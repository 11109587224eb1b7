"""The end of a run, whether it conforms or not: delete its stacks, and report what remains."""

import time

import boto3
from botocore.exceptions import ClientError

from tools.conformance.items import World
from tools.conformance.order import stack_status
from tools.demo.story import DoesNotHold, active_key, hold, reach, rotation_of

_DELETION_SECONDS = 3600  # CloudFront, and functions in no VPC


def leaves_a_rotation_waiting(world: World) -> str:
    """Deleting a stack must not wait for a rotation: start one, and leave it in its second wait."""
    active = active_key(world.deployment)
    execution = world.deployment.start(rotation_of(active.kid, "conformance"))
    reach(world.deployment, execution, "WaitForGrace")
    return "a rotation waits for the grace to end"


def delete_stacks(world: World) -> list[str]:
    """Delete the stacks that the run created, the last one first; returns what could not be deleted."""
    problems = []
    for stack in reversed(world.created):
        try:
            if problem := _delete(stack):
                problems.append(f"{stack}: {problem}")
        except Exception as error:
            problems.append(f"{stack}: {error}")
    for stack in world.created:
        try:
            world.place.discard_artefacts(stack)
        except Exception as error:
            problems.append(f"what `sam deploy` uploaded below {stack}/: {error}")
    return problems


def _delete(stack: str) -> str | None:
    """Delete a stack; returns what keeps it from being deleted."""
    cloudformation = boto3.client("cloudformation")
    if stack_status(stack) is None:
        return None
    [described] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    cloudformation.delete_stack(StackName=stack)
    until = time.monotonic() + _DELETION_SECONDS
    while (status := stack_status(described["StackId"])) not in (None, "DELETE_FAILED"):
        if time.monotonic() > until:
            return f"still {status}"
        time.sleep(1)
    if status is None:
        return None
    resources = cloudformation.list_stack_resources(StackName=stack)["StackResourceSummaries"]
    names = [
        f"{resource['LogicalResourceId']} ({resource.get('ResourceStatusReason', 'no reason')})"
        for resource in resources
        if resource["ResourceStatus"] == "DELETE_FAILED"
    ]
    return ", ".join(names) or "DELETE_FAILED"


def leaves_nothing(world: World) -> str:
    """No parameter, schedule, bucket or log group remains, and every KMS key is pending deletion."""
    deployment = world.deployment
    hold(deployment.keysets.read_texts() == {}, "parameters are left")
    keys = deployment.kms.list_own()
    hold(all(key.pending_deletion for key in keys), f"KMS keys are left: {keys}")
    schedules = boto3.client("scheduler").list_schedules(NamePrefix=f"{world.order.stack}-")
    hold(not schedules["Schedules"], f"schedules are left: {schedules['Schedules']}")
    bucket = deployment.outputs["BucketName"]
    try:
        boto3.client("s3").head_bucket(Bucket=bucket)
    except ClientError:
        pass
    else:
        raise DoesNotHold(f"the bucket {bucket} is left")
    group = deployment.outputs["LogGroup"]
    groups = boto3.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    hold(not groups, f"the log group {group} is left")
    return f"{len(keys)} KMS keys pending deletion, which cost nothing; nothing else"
