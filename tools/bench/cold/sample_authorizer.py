"""An authorizer as samples write it: boto3 clients, Powertools, pydantic and PyJWT at the top."""

import json
import sys
from types import SimpleNamespace
from typing import Any

import boto3
import jwt
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pydantic import BaseModel

logger = Logger(service="sample")
tracer = Tracer(service="sample")
metrics = Metrics(namespace="Sample", service="sample")
ssm = boto3.client("ssm")
kms = boto3.client("kms")


class Event(BaseModel):
    """API Gateway's TOKEN event."""

    type: str
    methodArn: str  # noqa: N815 - API Gateway's name
    authorizationToken: str  # noqa: N815 - API Gateway's name


@tracer.capture_lambda_handler
@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Find the key, verify the token, answer with a policy."""
    parsed = Event.model_validate(event)
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path="/keyturn/bench/keyset")
    [parameter] = [parameter for page in pages for parameter in page["Parameters"]]
    [active, *_] = json.loads(parameter["Value"])["keys"]
    der = kms.get_public_key(KeyId=active["kms_key_arn"])["PublicKey"]
    public: Any = load_der_public_key(der)
    claims = jwt.decode(
        parsed.authorizationToken.removeprefix("Bearer "),
        public,
        algorithms=["RS256"],
        issuer="https://issuer.example",
        audience="orders",
    )
    logger.info("accepted", extra={"kid": active["kid"]})
    metrics.add_metric(name="TokensAccepted", unit=MetricUnit.Count, value=1)
    statement = {
        "Action": "execute-api:Invoke",
        "Effect": "Allow",
        "Resource": parsed.methodArn,
    }
    return {
        "principalId": claims["sub"],
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }


context = SimpleNamespace(
    function_name="bench",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:bench",
    aws_request_id="request-1",
)
answer = handler(json.loads(sys.argv[1]), context)
assert answer["policyDocument"]["Statement"][0]["Effect"] == "Allow"
print("decided", flush=True)
