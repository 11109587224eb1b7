"""A stack that is broken and mended: each finding for real, each remedy as the doctor gives it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from keyturn.aws.operator.deployment import Deployment
from keyturn.rotation.record_changes import record_changes
from tests.e2e.conftest import Finish, Keyturn, asking_for
from tools.demo import story

JWKS = ".well-known/jwks.json"
Breaking = Callable[[Deployment], None]


@pytest.fixture(autouse=True)
def well(deployment: Deployment, keyturn: Keyturn) -> Iterator[None]:
    """Nothing is off before, nor after."""
    story.at_rest(deployment)
    assert keyturn("doctor")["findings"] == []
    yield
    assert keyturn("doctor")["findings"] == []


def codes(said: dict[str, Any]) -> set[str]:
    """What was found."""
    return {finding["code"] for finding in said["findings"]}


def disable_schedule(deployment: Deployment) -> None:
    """Somebody did not want to be woken."""
    scheduler = boto3.client("scheduler")
    [name] = [n for n in deployment.outputs["ScheduleNames"].split(",") if "Rotation" in n]
    known: dict[str, Any] = {**scheduler.get_schedule(Name=name)}
    names = ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    scheduler.update_schedule(**{name: known[name] for name in names}, State="DISABLED")


def delete_jwks(deployment: Deployment) -> None:
    """Somebody tidied up."""
    boto3.client("s3").delete_object(Bucket=deployment.outputs["BucketName"], Key=JWKS)


def cache_for_a_year(deployment: Deployment) -> None:
    """Somebody meant well."""
    s3, bucket = boto3.client("s3"), deployment.outputs["BucketName"]
    found = s3.get_object(Bucket=bucket, Key=JWKS)
    s3.put_object(
        Bucket=bucket,
        Key=JWKS,
        Body=found["Body"].read(),
        ContentType=found["ContentType"],
        CacheControl="public, max-age=31536000",
        Metadata=found["Metadata"],
    )


def show_an_old_generation(deployment: Deployment) -> None:
    """Somebody restored a backup."""
    s3, bucket = boto3.client("s3"), deployment.outputs["BucketName"]
    found = s3.get_object(Bucket=bucket, Key=JWKS)
    document = {**json.loads(found["Body"].read()), "generation": 1}
    s3.put_object(
        Bucket=bucket,
        Key=JWKS,
        Body=json.dumps(document).encode(),
        ContentType=found["ContentType"],
        CacheControl=found["CacheControl"],
        Metadata={"keyturn-generation": "1"},
    )


def change_by_hand(deployment: Deployment) -> None:
    """Somebody with `s3:PutObject` shows a key of their own under our generation."""
    s3, bucket = boto3.client("s3"), deployment.outputs["BucketName"]
    stored = s3.get_object(Bucket=bucket, Key=JWKS)
    document = json.loads(stored["Body"].read())
    foreign = {**document["keys"][0], "kid": "forged"}
    s3.put_object(
        Bucket=bucket,
        Key=JWKS,
        Body=json.dumps({**document, "keys": [foreign, *document["keys"][1:]]}).encode(),
        ContentType=stored["ContentType"],
        CacheControl=stored["CacheControl"],
        Metadata=stored["Metadata"],
    )


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        (change_by_hand, {"jwks_incomplete", "jwks_foreign"}),
        (disable_schedule, {"schedule_disabled"}),
        (delete_jwks, {"jwks_missing", "jwks_unreachable"}),
        (cache_for_a_year, {"jwks_caching"}),
        (show_an_old_generation, {"jwks_behind"}),
    ],
)
def test_what_fix_mends(
    deployment: Deployment, keyturn: Keyturn, broken: Breaking, found: set[str]
) -> None:
    """Found, told with `--fix` as its remedy, and gone after it."""
    broken(deployment)
    said = keyturn("doctor", status=1)
    assert found <= codes(said)
    assert all("doctor --fix" in finding["remedy"] for finding in said["findings"])
    assert keyturn("doctor", "--fix")["findings"] == []


def parameter(deployment: Deployment, number: int) -> str:
    """The name of a generation."""
    return f"/keyturn/{deployment.stack}/keyset/{number:012d}"


def delete_newest(deployment: Deployment, newest: int) -> None:
    """Somebody tidied up, after the history had it."""
    while newest not in [one.number for one in deployment.history.generations()]:
        record_changes(deployment)
    boto3.client("ssm").delete_parameters(Names=[parameter(deployment, newest)])


def test_a_keyset_is_repaired(deployment: Deployment, keyturn: Keyturn) -> None:
    """Tokens are issued and accepted again, by containers that were warm and by new ones."""
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


def test_an_active_key_that_is_disabled(deployment: Deployment, keyturn: Keyturn) -> None:
    """`--fix` leaves it alone: a person has to say which of the two remedies it is."""
    active = deployment.keyset.active
    assert active
    boto3.client("kms").disable_key(KeyId=active.kms_key_arn)
    said = keyturn("doctor", "--fix", status=1)
    assert (codes(said), said["fixed"]) == ({"active_key_disabled"}, [])
    boto3.client("kms").enable_key(KeyId=active.kms_key_arn)


@pytest.mark.remedy("failed_execution")
def test_a_failed_execution(deployment: Deployment, keyturn: Keyturn, finish: Finish) -> None:
    """It is off until another run makes it good."""
    execution = deployment.start(asking_for("x" * 43) | {"mode": "nonsense"})
    deployment.clients.states.stop_execution(executionArn=execution)
    assert deployment.executions.status(execution) == "ABORTED"
    assert codes(keyturn("doctor", status=1)) == {"failed_execution"}
    active = deployment.keyset.active
    assert active
    finish(deployment, deployment.start(asking_for(active.kid)))
    story.at_rest(deployment)


def test_an_issued_token_explained_and_who_counted(
    deployment: Deployment, keyturn: Keyturn
) -> None:
    """`issue`, `verify --kms`, `status`, `history`, `jwks` and `cost` of the stack that stands."""
    token = keyturn("issue", "--subject", "alice", "--scope", "whoami:read")["access_token"]
    said = keyturn("verify", token, "--kms")
    assert (said["verdict"], said["kms"]) == ("ok", "the signature is of this key")
    assert said["routes"] == {"GET /whoami": True, "GET /orders": False}
    status = keyturn("status")
    assert status["drift"] == []
    active = [key["kid"] for key in status["keys"] if key["state"] == "active"]
    assert active == [said["key"]["kid"]]
    newest = keyturn("history", "--limit", "1")["changes"][0]
    assert newest["generation"] == status["generation"]
    then = keyturn("history", "--at", newest["at"])
    assert active[0] in {key["kid"] for key in then["keys"] if key["valid"]}
    kids = {key["kid"] for key in keyturn("jwks")["jwks"]["keys"]}
    assert kids == {key["kid"] for key in status["keys"] if key["state"] in ("active", "standby")}
    assert keyturn("cost")["total"] > 0
