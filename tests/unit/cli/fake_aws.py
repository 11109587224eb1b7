"""A small AWS on loopback: one deployed stack, and who signed each request for which Region.

It answers what the command asks of a healthy stack, and no more. It checks no signature: a test
asks whose access key and Region the signature names.
"""
# ruff: noqa: N802, D102 - methods are named after the operations that they answer

import json
import re
import time
from base64 import b64encode
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keyturn.aws.key_policy import key_policy
from keyturn.keyset import document
from keyturn.keyset.model import Generation, Key, Keyset
from keyturn.keyset.states import State
from keyturn.keyset.timing import Limits, Times
from keyturn.keyset.transitions import revoke
from keyturn.tokens.jwk import PublicJwk
from tests.unit.cli.loopback import Signed, operation_of

ACCOUNT = "123456789012"
ASSUMED = "ASIAASSUMED"
_UNSIGNED = {"AssumeRoleWithWebIdentity", "GET /jwks", "GET /api/whoami"}
AGES = Limits()
_XML = "text/xml"


class FakeAws:
    """The stack `demo`; `requests` grows with every one that arrives."""

    def __init__(self, times: Times, keys: list[RSAPrivateKey]) -> None:
        self.requests: list[Signed] = []
        self.url = ""
        self._times = times
        self._public = [
            key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            for key in keys
        ]
        self.kids = [PublicJwk.from_der(der).kid for der in self._public]
        self.reset()

    def reset(self) -> None:
        """Active, standby and grace key; no executions, no requests."""
        self.requests.clear()
        self._revoked = False
        self._created = 0
        self._policies: dict[str, str] = {}
        self._objects: dict[str, tuple[dict[str, str], bytes]] = {}
        now = datetime.now(UTC).replace(microsecond=0)
        before = now - timedelta(seconds=6)
        states = (
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
            Key(kid, self._arn(number), lifetime=15, created=before - timedelta(days=2), **members)
            for number, (kid, members) in enumerate(zip(self.kids, states, strict=False))
        )
        text = document.dumps(Generation(1, "op-1", "tests", "trying", before, Keyset(keys)))
        self._parameters = {"/keyturn/demo/keyset/000000000001": text}

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

    def answer(self, method: str, target: str, headers, body: bytes) -> tuple:
        """Status, content type and body, perhaps more headers."""
        operation, arguments = operation_of(method, target, headers, body)
        match = re.search(r"Credential=([^/]+)/\d+/([^/]+)/", headers.get("Authorization", ""))
        self.requests.append(Signed(operation, *(match.groups() if match else ("", ""))))
        handler = getattr(self, re.sub(r"\W+", "_", operation), None)
        if handler is None:
            return 404, _XML, b"<Error><Code>NoSuchKey</Code></Error>"
        answer = handler(arguments)
        if isinstance(answer, tuple):
            return answer
        if isinstance(answer, str):
            wrapped = f"<R><{operation}Result>{answer}</{operation}Result></R>"
            return 200, _XML, wrapped.encode()
        return 200, "application/json", json.dumps(answer).encode()

    def _arn(self, number: int) -> str:
        return f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{number}"

    # ---- CloudFormation, STS and IAM speak XML.

    def DescribeStacks(self, _):
        outputs = {
            "StateMachineArn": f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:m",
            "JwksUrl": f"{self.url}/jwks",
            "TokenUrl": f"{self.url}/api/token",
            "ApiUrl": f"{self.url}/api",
            "BucketName": "bucket",
            "Issuer": self.url,
            "ApiStage": "abc/v1",
            "AuthorizerArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:authorize",
            "LogGroup": "logs",
            "ScheduleNames": "demo-rotation,demo-reconcile",
        }
        members = {**vars_of(self._times), "audience": "orders"}
        members |= {"deletion_window": 7, "route_scopes": ""}
        members |= {"flush_targets": ""}
        names = {
            "".join(part.title() for part in name.split("_")): members[name] for name in members
        }
        stack_arn = f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/demo/1"
        return (
            f"<Stacks><member><StackName>demo</StackName><StackId>{stack_arn}</StackId>"
            f"<CreationTime>2026-01-01T00:00:00Z"
            f"</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>"
            f"<Outputs>{_pairs('Output', outputs)}</Outputs>"
            f"<Parameters>{_pairs('Parameter', names)}</Parameters></member></Stacks>"
        )

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

    # ---- The others speak JSON.

    def GetParametersByPath(self, arguments):
        below = arguments["Path"] + "/"
        stored = [item for item in self._parameters.items() if item[0].startswith(below)]
        return {"Parameters": [_parameter(*item) for item in stored]}

    def GetParameters(self, arguments):
        stored = [(name, self._parameters.get(name)) for name in arguments["Names"]]
        return {"Parameters": [_parameter(*item) for item in stored if item[1]]}

    def PutParameter(self, arguments):
        self._parameters[arguments["Name"]] = arguments["Value"]
        self._revoked = True
        return {"Version": 1}

    def CreateKey(self, arguments):
        self._created += 1
        arn = self._arn(2 + self._created)
        self._policies[arn] = arguments["Policy"]
        return {"KeyMetadata": self._metadata(arn, datetime.now(UTC))}

    def GetKeyPolicy(self, arguments):
        own = key_policy(f"arn:aws:iam::{ACCOUNT}:role/keyturn/us-east-1/demo/")
        return {"Policy": self._policies.get(arguments["KeyId"], own)}

    def ListGrants(self, _):
        return {"Grants": [], "Truncated": False}

    def DescribeKey(self, arguments):
        return {"KeyMetadata": self._metadata(arguments["KeyId"])}

    def _metadata(self, arn: str, created: datetime | None = None):
        at = created or datetime(2026, 1, 1, tzinfo=UTC)
        names = {"KeyId": arn.rpartition("/")[2], "Arn": arn, "KeyState": "Enabled"}
        names |= {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY", "Origin": "AWS_KMS"}
        return {**names, "MultiRegion": False, "CreationDate": int(at.timestamp())}

    def GetPublicKey(self, arguments):
        number = int(arguments["KeyId"].rpartition("/")[2])
        return {"PublicKey": b64encode(self._public[number]).decode()}

    def DisableKey(self, _):
        return {}

    def GetResources(self, _):
        return {"ResourceTagMappingList": []}

    def ListExecutions(self, _):
        return {"executions": []}

    def StartExecution(self, arguments):
        if "emergency" in arguments["input"]:
            self._revoke(json.loads(arguments["input"])["kids"])
        arn = f"arn:aws:states:us-east-1:{ACCOUNT}:execution:m:1"
        return {"executionArn": arn, "startDate": 1767225600}

    def _revoke(self, kids):
        """As the state machine does, with one write."""
        name, text = max(self._parameters.items())
        last = document.loads(text)
        now = datetime.now(UTC).replace(microsecond=0)
        keyset = revoke(last.keyset, kids, now, times=self._times, limits=AGES)
        parent = document.digest(text)
        following = Generation(last.number + 1, "op-2", "tests", "drill", now, keyset, parent)
        self._parameters[f"{name[:-12]}{following.number:012d}"] = document.dumps(following)
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
        kept = {
            name: value
            for name, value in arguments["headers"].items()
            if name.lower().startswith(("x-amz-meta-", "cache-control"))
        }
        body = arguments["body"]
        if "aws-chunked" in arguments["headers"].get("Content-Encoding", ""):
            body = body.split(b"\r\n")[1]
        self._objects[arguments["path"]] = ({**kept, "ETag": '"1"'}, body)
        return 200, _XML, b"", {"ETag": '"1"'}

    def GET_restapis(self, _):
        return {"item": []}

    def GET_v2(self, _):
        return {"items": []}

    def DELETE_restapis(self, _):
        return 202, "application/json", b""

    def PUT_2015_03_31(self, _):
        return {}


def vars_of(times: Times) -> dict[str, int]:
    """The fields of a slotted dataclass."""
    return {name: getattr(times, name) for name in Times.__dataclass_fields__}


def _parameter(name: str, text: str) -> dict[str, str]:
    return {"Name": name, "Value": text, "Version": 1, "LastModifiedDate": time.time()}


def _pairs(kind: str, members) -> str:
    return "".join(
        f"<member><{kind}Key>{name}</{kind}Key><{kind}Value>{value}</{kind}Value></member>"
        for name, value in members.items()
    )
