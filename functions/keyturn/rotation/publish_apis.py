"""PublishApis: publish which issuer an API trusts (RFC 9728).

The metadata is below `.well-known/oauth-protected-resource/`. SSM's change events start this
function when a team writes or deletes an API's document; since they are best-effort, a schedule
also starts it every ten minutes. APIs with the same audience are one resource. An audience that is
not an https URL has no metadata, because clients could not locate it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from keyturn.access.api import Api
from keyturn.access.metadata import Document, protected_resource, resource_path
from keyturn.aws.faults import Conflict
from keyturn.aws.keyset.well_known import PROTECTED_RESOURCES
from keyturn.aws.powertools import logger
from keyturn.aws.stack import Stack
from keyturn.rotation.task import Outcome


def publish_apis(stack: Stack) -> tuple[list[str], list[str]]:
    """Make the metadata match the documents; returns the names that were written and removed.

    While any document cannot be parsed, nothing is removed: any object may belong to its API.
    Raises AwsFault.
    """
    apis, unreadable = _read_apis(stack)
    documents = _documents(stack.settings.issuer, apis)
    published = []
    for name, document in documents.items():
        with suppress(Conflict):  # another writer was faster
            if stack.well_known.publish(name, document):
                published.append(name)
    if unreadable:
        return published, []
    obsolete = sorted(stack.well_known.list_names(PROTECTED_RESOURCES) - documents.keys())
    for name in obsolete:
        stack.well_known.remove(name)
    return published, obsolete


def _read_apis(stack: Stack) -> tuple[list[Api], list[str]]:
    apis = stack.api_documents
    documents = apis.read_all()
    unreadable = [
        apis.parameter_name(api_id) for api_id, document in documents.items() if document.problem
    ]
    if unreadable:
        logger.warning("unreadable_api_documents", parameters=unreadable)
    return [document.value for document in documents.values() if document.value], unreadable


def _documents(issuer: str, apis: Iterable[Api]) -> Mapping[str, Document]:
    scopes: defaultdict[str, set[str]] = defaultdict(set)
    for api in apis:
        scopes[api.audience] |= api.scopes
    return {
        PROTECTED_RESOURCES + path: protected_resource(issuer, audience, scopes[audience])
        for audience in scopes
        if (path := resource_path(audience))
    }


@logger.inject_lambda_context(clear_state=True)
def handler(_event: Mapping[str, Any], _context: object) -> Outcome:
    """The target of SSM's `Parameter Store Change` and of a schedule; the event is ignored."""
    published, removed = publish_apis(Stack.from_environment())
    outcome: Outcome = {"outcome": "published", "put": published, "removed": removed}
    logger.info("publish_apis", **outcome)
    return outcome
