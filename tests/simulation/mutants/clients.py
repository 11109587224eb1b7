"""Mutants of what a client may have."""

from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from keyturn.access import grant
from keyturn.api import issue_token
from keyturn.api.answers import Forbidden


def a_client_s_document_is_read_once() -> AbstractContextManager[Any]:
    """What a container saw first counts for as long as it lives."""

    def once(stack: Any, name: str) -> Any:
        held = vars(stack).setdefault("clients_seen", {})
        if name not in held:
            held[name] = real(stack, name)
        return held[name]

    real = issue_token._client
    return patch.object(issue_token, "_client", once)


def a_removed_client_is_remembered() -> AbstractContextManager[Any]:
    """As if its document had only been lost."""

    def remembered(stack: Any, name: str) -> Any:
        held = vars(stack).setdefault("clients_seen", {})
        try:
            held[name] = real(stack, name)
        except Forbidden:
            if name not in held:
                raise
        return held[name]

    real = issue_token._client
    return patch.object(issue_token, "_client", remembered)


def an_older_view_of_a_client_will_do() -> AbstractContextManager[Any]:
    """The issuer goes on with it as long as an authorizer may."""

    def older(stack: Any, name: str) -> Any:
        client = stack.client_views.view(name).get()
        if client is None:
            raise Forbidden("client: has no document")
        return client

    return patch.object(issue_token, "_client", older)


def any_scope_is_granted() -> AbstractContextManager[Any]:
    """Whatever the document says."""
    return patch.object(grant, "_scope", lambda _client, scope: scope)


def any_subject_is_granted() -> AbstractContextManager[Any]:
    """Whoever it is."""
    return patch.object(grant, "_subject", lambda client, subject: subject or client.name)
