"""CheckSettings: the custom resource from which every other function gets its times.

CloudFormation can only compare strings, so the arithmetic of docs/time.md is checked here, before
any other resource is created. This function also runs first, so it reports an artefact that cannot
run at all. Until that is ruled out, it imports nothing but the standard library.
"""

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from keyturn.aws.operator.artefact import WrongArtefact, check_artefact
from keyturn.aws.response_url import check_response_url

if TYPE_CHECKING:
    from keyturn.aws.custom_resource import CustomResource

ENVIRONMENT_LIMIT = 4096  # bytes; AWS Lambda Developer Guide, "Lambda quotas"
_CDN_HOST = "d" + 17 * "x" + ".cloudfront.net"
_OWN_STAGE = 10 * "x" + "/v1"
_TOKEN_URL = f"https://{10 * 'x'}.execute-api.us-gov-west-1.amazonaws.com/v1/token"


def run(event: "CustomResource") -> Mapping[str, str]:
    """The attributes `Times` and `Operator`; raises InvalidSettings or ContradictorySettings."""
    from keyturn.aws.settings import InvalidSettings, Settings

    if event.request_type == "Delete":
        return {}
    settings = Settings.from_texts(event.properties)
    times = json.dumps(asdict(settings.times), separators=(",", ":"))
    shared, own = environment({**event.properties, "times": times})
    size = max(environment_size({**shared, **variables}) for variables in own.values())
    if size > ENVIRONMENT_LIMIT:
        longest = max(shared, key=lambda name: len(shared[name]))
        raise InvalidSettings(
            f"the settings take {size:,} bytes of a function's environment; AWS Lambda allows "
            f"{ENVIRONMENT_LIMIT:,}. The longest is {longest} with {len(shared[longest].encode()):,}"
        )
    return {"Times": times, "Operator": operator(event.properties)}


def operator(properties: Mapping[str, Any]) -> str:
    """The document of the client `operator`, for `keyturn issue` and the proof of a revocation.

    Raises InvalidSettings for an audience or scopes that no token can have.
    """
    from keyturn.access.client import Client
    from keyturn.access.members import InvalidDocument
    from keyturn.aws.settings import InvalidSettings

    document = {
        "audiences": [properties["audience"]],
        "scopes": sorted(set(properties.get("operator_scopes", "").replace(",", " ").split())),
        "subjects": "any",
    }
    try:
        Client.from_document("operator", document)
    except InvalidDocument as error:
        raise InvalidSettings(f"the client operator: {error}") from None
    return json.dumps(document)


def environment(properties: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """The variables that template.yaml sets: those of all functions, then those of single ones.

    Values that are not known yet (CloudFront's name, this stack's stage) have their longest form.
    """
    stack = str(properties["stack"])
    copied = ("bucket", "audience", "route_scopes")
    shared = {
        "KEYTURN_STACK": stack,
        **{f"KEYTURN_{name.upper()}": str(properties.get(name, "")) for name in copied},
        "KEYTURN_DELETION_WINDOW": str(properties["deletion_window"]),
        "KEYTURN_TIMES": str(properties["times"]),
        "KEYTURN_ROLE_PREFIX": str(properties["role_prefix"]),
        "KEYTURN_ISSUER": f"https://{properties.get('domain_name') or _CDN_HOST}",
        "POWERTOOLS_SERVICE_NAME": stack,
    }
    targets = f"{_OWN_STAGE},{properties.get('flush_targets', '')}"
    publishing = {"KEYTURN_TOKEN_URL": _TOKEN_URL}
    own = {
        "PublishJwksFunction": publishing,
        "ReconcileFunction": publishing,
        "FlushAuthorizersFunction": {
            "KEYTURN_FLUSH_TARGETS": targets,
            "KEYTURN_DISTRIBUTION": 14 * "x",
        },
        "AuthorizeFunction": {"KEYTURN_FORMER_ISSUER": str(properties.get("former_issuer", ""))},
        "ProbeKeyFunction": {"KEYTURN_JWKS_ORIGIN": f"https://{_CDN_HOST}"},
        "KeysetFunction": {
            **publishing,
            "KEYTURN_RETAIN_KEYSET": "false",
            "KEYTURN_STATE_MACHINE": f"arn:aws-us-gov:states:us-gov-west-1:{12 * '0'}:stateMachine:{80 * 'x'}",
        },
    }
    return shared, own


def environment_size(variables: Mapping[str, str]) -> int:
    """The size in bytes as Lambda counts it: names and values as one JSON object."""
    return len(json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode())


def handler(event: Mapping[str, Any], _context: object) -> None:
    """The entry point for CloudFormation."""
    try:
        check_artefact()
    except WrongArtefact as error:
        _answer_without_packages(event, f"WrongArtefact: {error}")
        return
    from keyturn.aws.custom_resource import answer

    answer(event, run)


def _answer_without_packages(event: Mapping[str, Any], reason: str) -> None:
    """Speak the protocol of aws/custom_resource.py without packages. Deleting always succeeds:
    there is nothing to delete in a rollback.
    """
    check_response_url(event["ResponseURL"])
    is_deletion = event["RequestType"] == "Delete"
    new_id = f"{event['LogicalResourceId']}-failed"
    body = {
        "Status": "SUCCESS" if is_deletion else "FAILED",
        "Reason": reason,
        "PhysicalResourceId": event.get("PhysicalResourceId") or new_id,
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    request = urllib.request.Request(  # noqa: S310 - checked above
        event["ResponseURL"],
        data=json.dumps(body).encode(),
        headers={"Content-Type": ""},
        method="PUT",
    )
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310
