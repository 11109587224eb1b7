"""The stack `demo` as CloudFormation describes it, in XML."""

from dataclasses import asdict

from keyturn.keyset.timing import Times

ACCOUNT = "123456789012"


def describe_stacks(url: str, times: Times) -> str:
    """DescribeStacks: the outputs of a stack whose documents and API are at `url`, and its parameters."""
    outputs = {
        "StateMachineArn": f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:m",
        "JwksUrl": f"{url}/jwks",
        "TokenUrl": f"{url}/api/token",
        "ApiUrl": f"{url}/api",
        "BucketName": "bucket",
        "Issuer": url,
        "ApiStage": "abc/v1",
        "AuthorizerArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:authorize",
        "LogGroup": "logs",
        "ScheduleNames": "demo-rotation,demo-reconcile",
    }
    members = asdict(times) | {
        "audience": "orders",
        "deletion_window": 7,
        "route_scopes": "",
        "flush_targets": "",
    }
    names = {"".join(part.title() for part in name.split("_")): members[name] for name in members}
    stack_arn = f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/demo/1"
    return (
        f"<Stacks><member><StackName>demo</StackName><StackId>{stack_arn}</StackId>"
        f"<CreationTime>2026-01-01T00:00:00Z"
        f"</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>"
        f"<Outputs>{_pairs('Output', outputs)}</Outputs>"
        f"<Parameters>{_pairs('Parameter', names)}</Parameters></member></Stacks>"
    )


def _pairs(kind: str, members) -> str:
    return "".join(
        f"<member><{kind}Key>{name}</{kind}Key><{kind}Value>{value}</{kind}Value></member>"
        for name, value in members.items()
    )
