"""An issuer as samples write it: boto3 clients, Powertools and pydantic at the top."""

import base64
import json
import time
import uuid
from types import SimpleNamespace
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from pydantic import BaseModel, Field

logger = Logger(service="sample")
tracer = Tracer(service="sample")
metrics = Metrics(namespace="Sample", service="sample")
ssm = boto3.client("ssm")
kms = boto3.client("kms")


class TokenRequest(BaseModel):
    """What may be asked for."""

    subject: str = Field(min_length=1)
    client_id: str = Field(min_length=1)
    scope: str = ""


def segment(members: dict[str, Any]) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=").decode()


@tracer.capture_lambda_handler
@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Find the active key and have KMS sign with it."""
    request = TokenRequest.model_validate(event)
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path="/keyturn/bench/keyset")
    [parameter] = [parameter for page in pages for parameter in page["Parameters"]]
    [active, *_] = json.loads(parameter["Value"])["keys"]
    now = int(time.time())
    claims = {
        "iss": "https://issuer.example",
        "sub": request.subject,
        "aud": "orders",
        "exp": now + 900,
        "iat": now,
        "jti": str(uuid.uuid4()),
        "client_id": request.client_id,
        "scope": request.scope,
    }
    signed = f"{segment({'alg': 'RS256', 'kid': active['kid'], 'typ': 'at+jwt'})}.{segment(claims)}"
    signature = kms.sign(
        KeyId=active["kms_key_arn"],
        Message=signed.encode(),
        MessageType="RAW",
        SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256",
    )["Signature"]
    logger.info("issued", extra={"kid": active["kid"]})
    metrics.add_metric(name="TokensIssued", unit=MetricUnit.Count, value=1)
    token = f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
    return {"access_token": token}


context = SimpleNamespace(
    function_name="bench",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:bench",
    aws_request_id="request-1",
)
answer = handler({"subject": "user-1", "client_id": "batch-1", "scope": "orders:read"}, context)
assert answer["access_token"]
print("decided", flush=True)
