"""A stack that is broken and fixed: each finding for real, each remedy as the doctor gives it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from keyturn.aws.operator.deployment import Deployment
from keyturn.rotation.record_changes import record_changes
from tests.e2e.conftest import finish, keyturn, start_rotation
from tools.demo import story

JWKS = ".well-known/jwks.json"
Breaking = Callable[[Deployment], None]


@pytest.fixture(autouse=True)
def well(deployment: Deployment) -> Iterator[None]:
    """The doctor has no finding before a test, nor after it."""
    story.at_rest(deployment)
    assert keyturn("doctor")["findings"] == []
    yield
    assert keyturn("doctor")["findings"] == []


def codes(answer: dict[str, Any]) -> set[str]:
    """The codes of the findings."""
    return {finding["code"] for finding in answer["findings"]}


def disable_schedule(deployment: Deployment) -> None:
    """Disable the schedule of rotations."""
    scheduler = boto3.client("scheduler")
    [name] = [n for n in deployment.outputs["ScheduleNames"].split(",") if "Rotation" in n]
    known: dict[str, Any] = {**scheduler.get_schedule(Name=name)}
    names = ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    scheduler.update_schedule(**{name: known[name] for name in names}, State="DISABLED")


def delete_jwks(deployment: Deployment) -> None:
    """Delete the JWKS."""
    boto3.client("s3").delete_object(Bucket=deployment.outputs["BucketName"], Key=JWKS)


def rewrite_jwks(deployment: Deployment, **changes: Any) -> None:
    """Store the JWKS again with these changes to the object."""
    s3, bucket = boto3.client("s3"), deployment.outputs["BucketName"]
    stored: Any = s3.get_object(Bucket=bucket, Key=JWKS)
    headers = {name: stored[name] for name in ("ContentType", "CacheControl", "Metadata")}
    s3.put_object(Bucket=bucket, Key=JWKS, **{"Body": stored["Body"].read(), **headers, **changes})


def jwks(deployment: Deployment) -> Any:
    """The document in the bucket."""
    bucket = deployment.outputs["BucketName"]
    return json.load(boto3.client("s3").get_object(Bucket=bucket, Key=JWKS)["Body"])


def cache_for_a_year(deployment: Deployment) -> None:
    """Have verifiers cache the JWKS for a year."""
    rewrite_jwks(deployment, CacheControl="public, max-age=31536000")


def show_an_old_generation(deployment: Deployment) -> None:
    """Have the JWKS name an old generation, as after a backup was restored."""
    body = json.dumps({**jwks(deployment), "generation": 1})
    rewrite_jwks(deployment, Body=body, Metadata={"keyturn-generation": "1"})


def change_by_hand(deployment: Deployment) -> None:
    """Put a foreign key into the JWKS under our generation, as anyone with `s3:PutObject` can."""
    document = jwks(deployment)
    forged = {**document["keys"][0], "kid": "forged"}
    body = json.dumps({**document, "keys": [forged, *document["keys"][1:]]})
    rewrite_jwks(deployment, Body=body)


@pytest.mark.parametrize(
    ("breaking", "findings"),
    [
        (change_by_hand, {"jwks_incomplete", "jwks_foreign"}),
        (disable_schedule, {"schedule_disabled"}),
        (delete_jwks, {"jwks_missing", "jwks_unreachable"}),
        (cache_for_a_year, {"jwks_caching"}),
        (show_an_old_generation, {"jwks_behind"}),
    ],
)
def test_what_fix_repairs(deployment: Deployment, breaking: Breaking, findings: set[str]) -> None:
    """The doctor reports the problem with `--fix` as its remedy, which removes it."""
    breaking(deployment)
    answer = keyturn("doctor", status=1)
    assert findings <= codes(answer)
    assert all("doctor --fix" in finding["remedy"] for finding in answer["findings"])
    assert keyturn("doctor", "--fix")["findings"] == []


def delete_newest(deployment: Deployment, newest: int) -> None:
    """Delete the newest generation after the history has stored it."""
    while newest not in [one.number for one in deployment.history.generations()]:
        record_changes(deployment)
    name = f"/keyturn/{deployment.stack}/keyset/{newest:012d}"
    boto3.client("ssm").delete_parameters(Names=[name])


def test_a_keyset_is_repaired(deployment: Deployment) -> None:
    """After `keyturn repair` tokens are issued and accepted again, by warm containers and by new ones."""
    before = deployment.keysets.read()
    delete_newest(deployment, before.number)
    findings = keyturn("doctor", status=1)["findings"]
    [remedy] = [one["remedy"] for one in findings if one["code"] == "jwks_ahead"]
    assert "`keyturn repair`" in remedy
    assert keyturn("repair", "--yes")["condition"] == "lost"
    after = deployment.keysets.read()
    assert {key.kid for key in after.keyset.keys} == {key.kid for key in before.keyset.keys}
    token = keyturn("issue", "--subject", "alice", "--scope", "whoami:read")["access_token"]
    assert deployment.get("/whoami", token).status == 200


def test_an_active_key_that_is_disabled(deployment: Deployment) -> None:
    """`--fix` leaves a disabled active key alone: a person has to choose between the two remedies."""
    kms, key = boto3.client("kms"), story.active_key(deployment).kms_key_arn
    kms.disable_key(KeyId=key)
    answer = keyturn("doctor", "--fix", status=1)
    assert (codes(answer), answer["fixed"]) == ({"active_key_disabled"}, [])
    kms.enable_key(KeyId=key)


@pytest.mark.remedy("failed_execution")
def test_a_failed_execution(deployment: Deployment) -> None:
    """A failed execution is a finding until another run succeeds."""
    execution = deployment.start({**story.rotation_of("x" * 43, "test"), "mode": "nonsense"})
    deployment.clients.states.stop_execution(executionArn=execution)
    assert deployment.executions.status(execution) == "ABORTED"
    assert codes(keyturn("doctor", status=1)) == {"failed_execution"}
    finish(deployment, start_rotation(deployment, story.active_key(deployment).kid))
    story.at_rest(deployment)


def test_an_issued_token_explained_and_who_counted(deployment: Deployment) -> None:
    """`issue`, `verify --kms`, `status`, `history`, `jwks` and `cost` agree on a stack in use."""
    token = keyturn("issue", "--subject", "alice", "--scope", "whoami:read")["access_token"]
    verified = keyturn("verify", token, "--kms")
    assert (verified["verdict"], verified["kms"]) == ("ok", "the signature is of this key")
    assert verified["routes"] == {"GET /whoami": True, "GET /orders": False}
    status = keyturn("status")
    assert status["drift"] == []
    active = [key["kid"] for key in status["keys"] if key["state"] == "active"]
    assert active == [verified["key"]["kid"]]
    newest = keyturn("history", "--limit", "1")["changes"][0]
    assert newest["generation"] == status["generation"]
    then = keyturn("history", "--at", newest["at"])
    assert active[0] in {key["kid"] for key in then["keys"] if key["valid"]}
    kids = {key["kid"] for key in keyturn("jwks")["jwks"]["keys"]}
    assert kids == {key["kid"] for key in status["keys"] if key["state"] in ("active", "standby")}
    assert keyturn("cost")["total"] > 0
