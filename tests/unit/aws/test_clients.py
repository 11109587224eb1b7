"""One session creates every client, for the functions and for the command."""

import time
from types import SimpleNamespace

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import LoginTokenLoadError, ReadTimeoutError, UnknownServiceError

from keyturn.aws import clients
from keyturn.aws.faults import NotSent


@pytest.fixture
def session(region, monkeypatch):
    """A new session; calling it creates another one, for a changed environment."""
    monkeypatch.delenv("AWS_REGION", raising=False)

    def session():
        clients.session.cache_clear()
        return clients.session()

    session()
    yield session
    clients.session.cache_clear()


@pytest.mark.parametrize("service", ["sso", "sso-oidc", "signin", "sts"])
def test_credential_providers_have_their_services(session, service):
    """They need botocore's whole models, which ours do not hide."""
    assert session().create_client(service).meta.service_model.service_name == service


def test_an_unknown_service_is_an_error_of_botocore(session):
    """It is not ours to translate."""
    with pytest.raises(UnknownServiceError):
        session().create_client("no-such-service")


CALLS = {
    "cloudformation": lambda client: client.describe_stacks(),
    "iam": lambda client: client.list_roles(),
    "lambda": lambda client: client.list_functions(),
    "logs": lambda client: client.describe_log_groups(),
    "sts": lambda client: client.get_caller_identity(),
    "kms": lambda client: client.describe_key(KeyId="x"),
    "ssm": lambda client: client.get_parameters(Names=["x"]),
    "stepfunctions": lambda client: client.list_executions(stateMachineArn="x"),
}


@pytest.mark.parametrize("region_name", ["us-east-1", "eu-west-3", "cn-north-1", "us-gov-west-1"])
@pytest.mark.parametrize("service", CALLS)
def test_a_request_is_the_same_as_boto3_s(session, monkeypatch, service, region_name):
    """URL and Region in the signature are equal, although our endpoints are trimmed."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", region_name)
    session()
    sent = []

    def answer(request, **_):
        scope = request.headers["Authorization"].split(b"Credential=")[1].split(b",")[0]
        sent.append((request.url, scope.split(b"/", 2)[2]))
        return AWSResponse(request.url, 400, HTTPHeaders(), None)

    for client in (clients.client(service), boto3.Session().client(service)):
        client.meta.events.register_first("before-send", answer)
        with pytest.raises(Exception, match=r"."):
            CALLS[service](client)
    ours, boto3s = sent
    assert ours == boto3s


@pytest.mark.parametrize(
    ("name", "call", "attempts"),
    [
        ("ssm_timed", lambda ssm: ssm.put_parameter(Name="x", Value="x", Type="String"), 1),
        ("ssm", lambda ssm: ssm.get_parameters(Names=["x"]), 2),
        ("kms_once", lambda kms: kms.create_key(), 1),
        ("kms", lambda kms: kms.describe_key(KeyId="x"), 2),
        ("s3", lambda s3: s3.get_object(Bucket="bucket", Key="x"), 3),
        ("tagging", lambda tagging: tagging.get_resources(), 3),
        ("events", lambda events: events.put_events(Entries=[{"Detail": "{}"}]), 3),
        ("states", lambda states: states.describe_execution(executionArn="x"), 3),
    ],
)
@pytest.mark.parametrize("is_lost", [True, False], ids=["no answer", "throttled"])
def test_a_failed_call_is_repeated_unless_that_does_harm(
    session, monkeypatch, name, call, attempts, is_lost
):
    """A second CreateKey creates a second key; a second write of a generation meets the first."""
    client, urls = getattr(clients.Clients(20), name), []
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)

    def answer(request, **_):
        urls.append(request.url)
        if is_lost:
            raise ReadTimeoutError(endpoint_url=request.url)
        return AWSResponse(request.url, 429, HTTPHeaders(), SimpleNamespace(stream=list))

    client.meta.events.register_first("before-send", answer)
    with pytest.raises(Exception, match="timeout" if is_lost else "429"):
        call(client)
    assert len(urls) == attempts


def test_a_client_that_cannot_be_created_is_a_fault(session, monkeypatch):
    """No exception of botocore leaves aws/."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    session()
    with pytest.raises(NotSent, match="ssm: NoRegionError"):
        assert clients.Clients(20).ssm


def test_aws_login_has_what_it_needs(session, monkeypatch, tmp_path):
    """The `cli` extra installs crt: the provider loads, and finds no session on this machine."""
    config = tmp_path / "config"
    config.write_text("[profile login]\nlogin_session = arn:aws:iam::123456789012:user/ops\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_LOGIN_CACHE_DIRECTORY", str(tmp_path))
    login_session = session()
    login_session.set_config_variable("profile", "login")
    with pytest.raises(LoginTokenLoadError):
        login_session.get_credentials()
