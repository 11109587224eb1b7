"""Keyturn itself, and the bare RSA verification that everything is held against."""

import base64
import os
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from rounds import insist, load, serve

from keyturn.api import authorize, issue_token
from keyturn.aws.stack import Stack
from keyturn.tokens import base64url
from keyturn.tokens.claims import Expectations, check_claims
from keyturn.tokens.jws import UnverifiedToken
from keyturn.tokens.verify import verify_signature

material = load()
der = base64url.decode(material["der"])
public: Any = load_der_public_key(der)
keys = {material["kid"]: public}
expected = Expectations(material["issuer"], material["audience"], 30)
parameters = {
    name: {**each, "LastModifiedDate": datetime.fromtimestamp(each["LastModifiedDate"], UTC)}
    for name, each in material["parameters"].items()
}
page = {"Parameters": [parameters[each["Name"]] for each in material["page"]["Parameters"]]}
stack = Stack.from_environment()
clients: Any = SimpleNamespace(
    ssm=SimpleNamespace(
        get_paginator=lambda _: SimpleNamespace(paginate=lambda **_: [page]),
        get_parameters=lambda **asked: {
            "Parameters": [parameters[name] for name in asked["Names"] if name in parameters]
        },
    ),
    kms=SimpleNamespace(
        get_public_key=lambda **_: {"PublicKey": der},
        sign=lambda **_: {"Signature": bytes(256)},
    ),
)
stack.clients = clients
context = SimpleNamespace(
    function_name="bench",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:bench",
    aws_request_id="7d0c4f3a-95cf-4d7d-a6f3-63b7a7d0a0aa",
)
ROUTE = os.environ["BENCH_ROUTE"]
handler_names = vars(authorize)
log_decision = handler_names["log_decision"]


def raw(token: str) -> None:
    """One RSA verification, as pyca's documentation shows it, and the base64 around it."""
    signed, _, signature = token.rpartition(".")
    public.verify(base64.urlsafe_b64decode(signature + "=="), signed.encode(), PKCS1v15(), SHA256())


def strict(token: str) -> object:
    """Every strict check, in a warm container."""
    parsed = UnverifiedToken.parse(token)
    claims = verify_signature(parsed, keys[parsed.kid])
    check_claims(claims, expected, lifetime=3_600, now=time.time())
    return claims


def authorized(token: str) -> object:
    """The whole handler with its log line and metric."""
    event = {"type": "TOKEN", "methodArn": ROUTE, "authorizationToken": f"Bearer {token}"}
    return authorize.handler(event, context)


def silent(token: str) -> object:
    """The handler with its telemetry taken out."""
    handler_names["log_decision"] = lambda *_, **__: None
    try:
        return authorized(token)
    finally:
        handler_names["log_decision"] = log_decision


def issued(_token: str) -> object:
    """The issuer, with a `kms:Sign` that takes no time."""
    event = {"subject": "user-1", "client": "batch-1", "scope": "orders:read", "lifetime": 900}
    return issue_token.handler(event, context)


serve(
    {
        "raw pyca verify": insist(raw, material, checks=False),
        "Keyturn verify": insist(strict, material),
        "Keyturn handler, no telemetry": insist(silent, material),
        "Keyturn handler": insist(authorized, material),
        "Keyturn issuer": issued,
    },
    material,
)
