"""A small AWS on loopback: one deployed stack, and who signed each request for which Region.

It answers what the command asks of a healthy stack, and no more. It checks no signature: a test
asks whose access key and Region the signature names.
"""
# ruff: noqa: N802, D102 - methods are named after the operations that they answer

import json
import re
import time
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from keyturn.aws.keyset.key_policy import key_policy
from keyturn.keyset import document
from keyturn.keyset.lineage import trace
from keyturn.keyset.model import Generation, Key, Keyset
from keyturn.keyset.states import State
from keyturn.keyset.timing import Limits, Times
from keyturn.keyset.transitions import revoke
from keyturn.tokens.jwk import PublicJwk
from tests.cloud.account import Account
from tests.cloud.material import key_material
from tests.cloud.wire import DirectWire
from tests.definition import snake
from tests.unit.cli.described_stack import ACCOUNT, describe_stacks
from tests.unit.cli.loopback import Signed, operation_of

ASSUMED = "ASIAASSUMED"
_UNSIGNED = {"AssumeRoleWithWebIdentity", "GET /jwks", "GET /api/whoami"}
AGES = Limits()
_XML = "text/xml"
_KEYSET = "/keyturn/demo/keyset"
_BLOBS = {"Message", "Signature"}
_PAGED = {  # the client, and what is listed
    "get_parameters_by_path": ("ssm", "Parameters"),
    "get_resources": ("tagging", "ResourceTagMappingList"),
}


class FakeAws:
    """The stack `demo`; `requests` grows with every one that arrives."""

    def __init__(self, times: Times) -> None:
        self.requests: list[Signed] = []
        self.url = ""
        self._times = times
        self.reset()

    def reset(self) -> None:
        """Active, standby and grace key; no executions, no requests."""
        self.requests.clear()
        self._revoked = False
        self._objects: dict[str, tuple[dict[str, str], bytes]] = {}
        self._wire, self._epoch = DirectWire(), time.time() - 2 * 86_400
        epoch = datetime.fromtimestamp(self._epoch, UTC)
        self._cloud = Account(self._wire, epoch, key_material())
        own = key_policy(f"arn:aws:iam::{ACCOUNT}:role/keyturn/us-east-1/demo/")
        arns = [self._cloud.kms.create_tagged("demo", own) for _ in range(3)]
        self.kids = [PublicJwk.from_der(self._cloud.kms.keys[arn].der).kid for arn in arns]
        self._wire.instant = time.time() - self._epoch
        now = datetime.now(UTC).replace(microsecond=0)
        before = now - timedelta(seconds=6)
        states: tuple[dict[str, Any], ...] = (
            {"state": State.ACTIVE, "published": before, "activated": before},
            {"state": State.STANDBY, "published": before},
            {
                "state": State.GRACE,
                "published": before - timedelta(days=1),
                "activated": before - timedelta(days=1),
                "superseded": before,
                "verify_until": now + timedelta(hours=1),
            },
        )
        keys = tuple(
            Key(kid, arn, lifetime=15, created=before - timedelta(days=2), **members)
            for kid, arn, members in zip(self.kids, arns, states, strict=True)
        )
        text = document.dumps(Generation(1, "op-1", "tests", "trying", before, Keyset(keys)))
        self._cloud.ssm.put(f"{_KEYSET}/000000000001", text)

    @property
    def signed(self) -> set[tuple[str, str]]:
        """The access keys and Regions of all requests that are to be signed."""
        return {
            (one.access_key, one.region)
            for one in self.requests
            if one.operation not in _UNSIGNED and one.operation not in {"AssumeRole"}
        }

    @property
    def operations(self) -> list[str]:
        """What was asked for, in order."""
        return [one.operation for one in self.requests]

    def answer(self, method: str, target: str, headers, body: bytes) -> tuple[Any, ...]:
        """Status, content type and body, perhaps more headers."""
        operation, arguments = operation_of(method, target, headers, body)
        match = re.search(r"Credential=([^/]+)/\d+/([^/]+)/", headers.get("Authorization", ""))
        self.requests.append(Signed(operation, *(match.groups() if match else ("", ""))))
        handler = getattr(self, re.sub(r"\W+", "_", operation), None)
        self._wire.instant = time.time() - self._epoch
        if handler:
            answer = handler(arguments)
        elif "X-Amz-Target" in headers:
            answer = self._ask_account(operation, arguments)
        else:
            return 404, _XML, b"<Error><Code>NoSuchKey</Code></Error>"
        if isinstance(answer, tuple):
            return answer
        if isinstance(answer, str):
            wrapped = f"<R><{operation}Result>{answer}</{operation}Result></R>"
            return 200, _XML, wrapped.encode()
        return 200, "application/json", json.dumps(answer, default=_as_json).encode()

    # ---- CloudFormation, STS and IAM speak XML.

    def DescribeStacks(self, _):
        return describe_stacks(self.url, self._times)

    def DescribeStackResource(self, _):
        detail = "<PhysicalResourceId>issuer</PhysicalResourceId>"
        return f"<StackResourceDetail>{detail}</StackResourceDetail>"

    def PutRolePolicy(self, _):
        return ""

    def GetCallerIdentity(self, _):
        return f"<Arn>arn:aws:iam::{ACCOUNT}:user/ops</Arn><Account>{ACCOUNT}</Account>"

    def AssumeRole(self, _):
        return (
            f"<Credentials><AccessKeyId>{ASSUMED}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
            "<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>"
            "</Credentials><AssumedRoleUser><Arn>a</Arn><AssumedRoleId>i</AssumedRoleId>"
            "</AssumedRoleUser>"
        )

    AssumeRoleWithWebIdentity = AssumeRole

    def SimulatePrincipalPolicy(self, _):
        return (
            "<EvaluationResults><member><EvalActionName>a</EvalActionName>"
            "<EvalDecision>allowed</EvalDecision></member></EvaluationResults>"
        )

    # ---- The others speak JSON; what is not here is asked of the account.

    def _ask_account(self, operation: str, arguments):
        name, clients = snake(operation), self._cloud.clients()
        blobs = {part: b64decode(arguments[part]) for part in arguments if part in _BLOBS}
        try:
            if name in _PAGED:
                service, items = _PAGED[name]
                pages = getattr(clients, service).get_paginator(name).paginate(**arguments)
                return {items: [item for page in pages for item in page[items]]}
            client = next(one for one in vars(clients).values() if hasattr(one, name))
            return getattr(client, name)(**{**arguments, **blobs}) or {}
        except ClientError as error:
            refusal = {"__type": error.response["Error"]["Code"]}
            return 400, "application/json", json.dumps(refusal).encode()

    def PutParameter(self, arguments):
        self._revoked = True
        return self._ask_account("PutParameter", arguments)

    def ListExecutions(self, _):
        return {"executions": []}

    def StartExecution(self, arguments):
        if "emergency" in arguments["input"]:
            self._revoke(json.loads(arguments["input"])["kids"])
        arn = f"arn:aws:states:us-east-1:{ACCOUNT}:execution:m:1"
        return {"executionArn": arn, "startDate": 1767225600}

    def _revoke(self, kids):
        """As the state machine does, with one write."""
        lineage = trace(self._cloud.ssm.stored(_KEYSET))
        assert lineage, "there is no keyset"
        last = lineage.head
        now = datetime.now(UTC).replace(microsecond=0)
        keyset = revoke(last.keyset, kids, now, times=self._times, limits=AGES)
        parent = document.digest(last.text)
        following = Generation(last.number + 1, "op-2", "tests", "drill", now, keyset, parent)
        self._cloud.ssm.put(f"{_KEYSET}/{following.number:012d}", document.dumps(following))
        self._revoked = True

    def DescribeExecution(self, _):
        return {"status": "SUCCEEDED", "input": "{}", "executionArn": "a", "startDate": 1767225600}

    def GetExecutionHistory(self, _):
        entered = {"id": 1, "timestamp": 1767225600, "type": "SucceedStateEntered"}
        return {"events": [{**entered, "stateEnteredEventDetails": {"name": "Rotated"}}]}

    def GET_schedules(self, _):
        return {"Name": "s", "State": "ENABLED", "ScheduleExpression": "rate(1 day)"}

    def POST_api_token_operator(self, _):
        return {"access_token": "a.b.c", "token_type": "Bearer", "expires_in": 60, "scope": ""}

    def GET_api_whoami(self, _):
        return (401 if self._revoked else 200), "application/json", b"{}"

    def GET_jwks(self, _):
        return {"keys": [{"kid": kid} for kid in self.kids[:3]]}

    def GET_bucket(self, arguments):
        """The object, with its metadata."""
        if arguments["path"] not in self._objects:
            return 404, _XML, b"<Error><Code>NoSuchKey</Code></Error>"
        headers, body = self._objects[arguments["path"]]
        return 200, "application/json", body, headers

    def PUT_bucket(self, arguments):
        metadata = {
            name: value
            for name, value in arguments["headers"].items()
            if name.lower().startswith(("x-amz-meta-", "cache-control"))
        }
        body = arguments["body"]
        if "aws-chunked" in arguments["headers"].get("Content-Encoding", ""):
            body = body.split(b"\r\n")[1]
        self._objects[arguments["path"]] = ({**metadata, "ETag": '"1"'}, body)
        return 200, _XML, b"", {"ETag": '"1"'}

    def GET_restapis(self, _):
        return {"item": []}

    def GET_v2(self, _):
        return {"items": []}

    def DELETE_restapis(self, _):
        return 202, "application/json", b""

    def PUT_2015_03_31(self, _):
        return {}


def _as_json(value):
    return b64encode(value).decode() if isinstance(value, bytes) else value.timestamp()
