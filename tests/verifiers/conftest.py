"""One running process a verifier; a new issuer, and a verifier that knows no key yet, a test."""

import pytest

from tests.verifiers import web
from tests.verifiers.catalogue import VERIFIERS


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Where the issuers' documents are."""
    with web.serving(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="session", params=VERIFIERS, ids=lambda verifier: verifier.package)
def verifier(request):
    """Each verifier of the catalogue."""
    return request.param


@pytest.fixture(scope="session")
def running(verifier, site, tmp_path_factory):
    """The same, running."""
    with verifier.running(site, tmp_path_factory.mktemp("verifier")) as running:
        yield running


@pytest.fixture
def issuer(site):
    """An issuer with an active and a published standby key."""
    issuer = site.issuer()
    issuer.activate(issuer.create())
    issuer.create()
    return issuer


@pytest.fixture
def refusal(running, issuer):
    """What a token of `issuer` is refused with now, None if it is accepted."""
    running.start(issuer, {})
    return lambda token: running.refusal(issuer, token)
