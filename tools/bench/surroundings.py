"""What Lambda gives a function: its environment and its event."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from tests.periods import DEFAULTS
from tools.bench.material import AUDIENCE, ISSUER, STACK

ROUTE = "arn:aws:execute-api:us-east-1:123456789012:api1/v1/GET/orders"


def environ() -> dict[str, str]:
    """A Lambda's environment, with credentials that reach nothing."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "KEYTURN_STACK": STACK,
        "KEYTURN_BUCKET": "bucket",
        "KEYTURN_ISSUER": ISSUER,
        "KEYTURN_AUDIENCE": AUDIENCE,
        "KEYTURN_ROUTE_SCOPES": "GET /orders=orders:read;POST /orders=orders:write",
        "KEYTURN_DELETION_WINDOW": "30",
        "KEYTURN_TIMES": json.dumps(asdict(DEFAULTS)),
        "KEYTURN_ROLE_PREFIX": "arn:aws:iam::123456789012:role/keyturn/us-east-1/bench/",
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "LAMBDA_TASK_ROOT": "/var/task",
        "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0",
        "NODE_NO_WARNINGS": "1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }


def rest_token(token: str) -> Mapping[str, Any]:
    """API Gateway's REST TOKEN event."""
    return {"type": "TOKEN", "methodArn": ROUTE, "authorizationToken": f"Bearer {token}"}
