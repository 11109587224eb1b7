"""Tokens and caches of three APIs: the stack's own, another REST API, an HTTP API."""

import json

import boto3
import jwt

from tools.conformance.items import Item, World
from tools.demo import story
from tools.demo.story import hold
from tools.local_stacks import ORDERS, status_of

_LOGS_SECONDS = 90  # until a line can be found in CloudWatch Logs


def protects(world: World, kind: str, example: str, expected: list[int]) -> str:
    """Deploy an example as a stack of its own; compare its answers to no, a bad, a wrong and a right token."""
    stack = f"{world.order.stack}-{kind}"
    world.created.append(stack)
    outputs = world.consumers[kind] = world.place.deploy_example(stack, example, world.deployment)
    url = world.place.orders_url(outputs)
    wrong, right = _orders_tokens(world, kind)
    answers = [status_of(url, token) for token in (None, f"{right[:-4]}AAAA", wrong, right)]
    hold(answers == expected, f"answers {answers}, not {expected}")
    return f"{', '.join(map(str, answers))}: no token, changed token, wrong scope, right scope"


def rest_api(world: World) -> str:
    """A REST API that uses the authorizer by its ARN."""
    return protects(world, "rest", "protected-api", [401, 401, 403, 200])


def http_api(world: World) -> str:
    """An HTTP API, whose 403 for a bad token is API Gateway's."""
    return protects(world, "http", "protected-http-api", [401, 403, 403, 200])


def caches_as_told(world: World) -> str:
    """API Gateway's own TTL of each authorizer is G for the stack, and 0 for the examples."""
    ttl = int(str(world.place.parameters.get("ResultTtl", 0)))
    rest, http = boto3.client("apigateway"), boto3.client("apigatewayv2")
    stages = {"the stack": (world.deployment.outputs["ApiStage"], ttl)}
    stages |= {kind: (outputs["Stage"], 0) for kind, outputs in world.consumers.items()}
    for name, (stage, expected) in stages.items():
        protocol, _, api = stage.partition("/")[0].rpartition(":")
        if protocol == "http":
            http_authorizers = http.get_authorizers(ApiId=api)["Items"]
            ttls = {one.get("AuthorizerResultTtlInSeconds") for one in http_authorizers}
        else:
            rest_authorizers = rest.get_authorizers(restApiId=api)["items"]
            ttls = {one.get("authorizerResultTtlInSeconds") for one in rest_authorizers}
        hold(ttls == {expected}, f"{name}: authorizerResultTtlInSeconds is {ttls}, not {expected}")
    return ", ".join(f"{name} {expected} s" for name, (_, expected) in stages.items())


def updates_flush_targets(world: World) -> str:
    """An update of the live stack names the caches of both examples."""
    targets = ",".join(outputs["Stage"] for outputs in world.consumers.values())
    parameters = {**world.place.parameters, "FlushTargets": targets}
    world.deployment = world.place.deploy(world.order.stack, parameters)
    story.at_rest(world.deployment)
    return f"FlushTargets={targets}"


def tells_the_audit_line(world: World) -> str:
    """A token's line in the log has its jti and kid, and no part of the token."""
    token = _token(world, "whoami:read")
    jti = jwt.decode(token, options={"verify_signature": False})["jti"]
    story.wait_until(
        lambda: any(jti in line for line in world.deployment.log_lines("token_issued")),
        _LOGS_SECONDS,
        f"no audit line within {_LOGS_SECONDS} s",
        pause=1,
    )
    signature = token.rpartition(".")[2]
    hold(not world.deployment.log_lines(signature), "the log holds a token")
    return "one line with jti and kid, none with the token"


def _orders_tokens(world: World, kind: str) -> list[str]:
    """A token of the wrong and one of the right scope, by a client that may ask for the example's audience."""
    client, scopes = f"conformance-{kind}", ["whoami:read", "orders:read"]
    documents = world.deployment.client_documents
    documents.put(client, json.dumps({"audiences": [ORDERS], "scopes": scopes, "subjects": "any"}))
    try:
        return [_token(world, scope, client) for scope in scopes]
    finally:
        documents.remove(client)


def _token(world: World, scope: str, client: str = "operator") -> str:
    answer = world.deployment.post_token({"subject": "alice", "scope": scope}, client=client)
    hold(answer.status == 200, f"POST /token: {answer.status} {answer.body}")
    return str(answer.body["access_token"])


APIS = (
    Item("token", "A token opens the route", lambda world: story.lets_in(world.deployment)),
    Item("others", "Others verify it", lambda world: story.others_verify(world.deployment)),
    Item("rest_api", "Another REST API is protected", rest_api),
    Item("http_api", "An HTTP API is protected", http_api, aws_only=True),
    Item("cache_ttl", "Caches live as long as told", caches_as_told),
    Item("flush_targets", "A live stack is updated", updates_flush_targets, aws_only=True),
    Item("audit", "Each token leaves an audit line", tells_the_audit_line),
)
