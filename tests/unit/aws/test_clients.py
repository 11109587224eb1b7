"""Clients come from one session, which finds the models of our services and of no others."""

import pytest
from botocore.exceptions import UnknownServiceError

from keyturn.aws import clients, deployment


@pytest.fixture
def own_session(region):
    """A session that nobody else has."""
    clients.session.cache_clear()
    yield clients.session()
    clients.session.cache_clear()


@pytest.mark.parametrize("service", sorted(clients.SERVICES))
def test_every_service_of_ours_has_a_client(own_session, service):
    """Its model is found where botocore keeps it."""
    assert own_session.create_client(service).meta.service_model.service_name == service


def test_another_service_is_unknown(own_session):
    """Whoever needs one more adds it to SERVICES, from which the local artefact is made, too."""
    with pytest.raises(UnknownServiceError):
        own_session.create_client("ec2")


def test_the_operators_profile_and_region_are_everybodys(own_session, monkeypatch, tmp_path):
    """`keyturn --profile --region` holds for the clients of this package, too."""
    config = tmp_path / "config"
    config.write_text("[profile drill]\nregion = eu-west-3\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setattr(deployment.boto3, "DEFAULT_SESSION", None)
    clients.session.cache_clear()
    deployment.use_session("drill", "eu-central-1")
    assert clients.session().profile == "drill"
    assert clients.Clients(20).ssm.meta.region_name == "eu-central-1"
    assert deployment.boto3.client("sts").meta.region_name == "eu-central-1"
