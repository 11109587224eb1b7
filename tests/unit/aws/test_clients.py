"""One session makes every client, of our services and of those that the command calls."""

import time
from types import SimpleNamespace

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import LoginTokenLoadError, ReadTimeoutError, UnknownServiceError

from keyturn.aws import clients
from keyturn.aws.faults import NotSent

COMMAND_SERVICES = ("cloudformation", "iam", "lambda", "logs", "sts")
CREDENTIAL_SERVICES = ("sso", "sso-oidc", "signin", "sts")


@pytest.fixture
def own_session(region, monkeypatch):
    """A session that no other test has."""
    monkeypatch.delenv("AWS_REGION", raising=False)
    clients.session.cache_clear()
    yield clients.session()
    clients.session.cache_clear()


@pytest.mark.parametrize("service", sorted({*COMMAND_SERVICES, *CREDENTIAL_SERVICES}))
def test_services_of_the_command_and_of_credential_providers_are_found(own_session, service):
    """With botocore's whole models: SSO, an assumed role and `aws login` need them."""
    assert own_session.create_client(service).meta.service_model.service_name == service


def test_a_service_that_does_not_exist_is_unknown(own_session):
    """As botocore says it."""
    with pytest.raises(UnknownServiceError):
        own_session.create_client("no-such-service")


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
def test_a_request_goes_where_boto3_sends_it(own_session, monkeypatch, service, region_name):
    """Same URL, same Region in the signature: the trimmed endpoints mislead no call."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", region_name)
    clients.session.cache_clear()
    sent = []

    def answer(request, **_):
        scope = request.headers["Authorization"].split(b"Credential=")[1].split(b",")[0]
        sent.append((request.url, scope.split(b"/", 2)[2]))
        return AWSResponse(request.url, 400, HTTPHeaders(), None)

    for client in (clients.client(service), boto3.Session().client(service)):
        client.meta.events.register_first("before-send", answer)
        with pytest.raises(Exception, match=r".") as raised:
            CALLS[service](client)
        assert raised
    ours, theirs = sent
    assert ours == theirs


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
@pytest.mark.parametrize("lost", [True, False], ids=["no answer", "throttled"])
def test_what_was_not_answered_is_repeated_unless_that_may_do_harm(
    own_session, monkeypatch, name, call, attempts, lost
):
    """A second CreateKey would be a second key, a second write of a generation would meet the first."""
    client, sent = getattr(clients.Clients(20), name), []
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)

    def answer(request, **_):
        sent.append(request.url)
        if lost:
            raise ReadTimeoutError(endpoint_url=request.url)
        return AWSResponse(request.url, 429, HTTPHeaders(), SimpleNamespace(stream=list))

    client.meta.events.register_first("before-send", answer)
    with pytest.raises(Exception, match="timeout" if lost else "429"):
        call(client)
    assert len(sent) == attempts


def test_a_client_that_cannot_be_made_is_a_fault(own_session, monkeypatch):
    """No exception of botocore's leaves aws/."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    clients.session.cache_clear()
    with pytest.raises(NotSent, match="ssm: NoRegionError"):
        assert clients.Clients(20).ssm


def test_aws_login_has_what_it_needs(own_session, monkeypatch, tmp_path):
    """The `cli` extra brings crt: the provider loads, and finds no session on this machine."""
    config = tmp_path / "config"
    config.write_text("[profile login]\nlogin_session = arn:aws:iam::123456789012:user/ops\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_LOGIN_CACHE_DIRECTORY", str(tmp_path))
    clients.session.cache_clear()
    clients.session().set_config_variable("profile", "login")
    with pytest.raises(LoginTokenLoadError):
        clients.session().get_credentials()
