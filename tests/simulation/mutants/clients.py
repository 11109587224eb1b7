"""Mutants of what a client is granted."""

from keyturn.access import grant
from keyturn.api import issue_token
from keyturn.api.answers import Forbidden
from tests.simulation.mutants.patching import around, instead_of


@around("_client", issue_token)
def a_client_s_document_is_read_once(real, stack, name):
    """A container goes by what it read first for as long as it lives."""
    held = vars(stack).setdefault("first_read_clients", {})
    if name not in held:
        held[name] = real(stack, name)
    return held[name]


@around("_client", issue_token)
def a_removed_client_is_remembered(real, stack, name):
    """A deleted document is taken for one that could not be read."""
    held = vars(stack).setdefault("last_read_clients", {})
    try:
        held[name] = real(stack, name)
    except Forbidden:
        if name not in held:
            raise
    return held[name]


@instead_of("_client", issue_token)
def an_older_view_of_a_client_will_do(stack, name):
    """The issuer uses a view for as long as an authorizer may."""
    client = stack.client_views.view(name).get()
    if client is None:
        raise Forbidden("client: has no document")
    return client


@instead_of("_scope", grant)
def any_scope_is_granted(_client, scope):
    """The document's scopes are not checked."""
    return scope


@instead_of("_subject", grant)
def any_subject_is_granted(client, subject):
    """The document's subjects are not checked."""
    return subject or client.name
