"""The command in the environments that operators have, each by itself with all else unset.

Whatever decides credentials and Region decides them for every request that is signed; where nothing
does, every command says so before it sends anything.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from keyturn.aws import clients
from keyturn.aws.clock import SystemClock
from tests.unit.cli.fake_aws import ASSUMED, FakeAws
from tests.unit.cli.loopback import serve
from tests.unit.cli.running import keyturn

HERE, PROFILE, ELSEWHERE = "eu-west-3", "ap-south-1", "us-west-2"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "s"}
CONFIG = f"""
[profile keys]
aws_access_key_id = AKIAPROFILE
aws_secret_access_key = s
region = {PROFILE}
[profile nowhere]
aws_access_key_id = AKIAPROFILE
aws_secret_access_key = s
[profile role]
role_arn = arn:aws:iam::123456789012:role/ops
source_profile = keys
region = {PROFILE}
[profile process]
credential_process = {sys.executable} process.py
region = {PROFILE}
[profile broken-process]
credential_process = /nonexistent/process
region = {PROFILE}
[profile web]
role_arn = arn:aws:iam::123456789012:role/ops
web_identity_token_file = token
region = {PROFILE}
[profile sso]
sso_session = company
sso_account_id = 123456789012
sso_role_name = ops
region = {PROFILE}
[sso-session company]
sso_start_url = https://company.awsapps.com/start
sso_region = {PROFILE}
[profile login]
login_session = arn:aws:iam::123456789012:user/ops
region = {PROFILE}
[profile mfa]
role_arn = arn:aws:iam::123456789012:role/ops
mfa_serial = arn:aws:iam::123456789012:mfa/ops
source_profile = keys
region = {PROFILE}
[profile partial]
aws_access_key_id = AKIAPROFILE
region = {PROFILE}
"""
# name: options, environment, and the access key and Region of every signature
WORKING = {
    "flag": (["--region", HERE], KEYS, ("AKIAENV", HERE)),
    "AWS_REGION": ([], {**KEYS, "AWS_REGION": HERE}, ("AKIAENV", HERE)),
    "AWS_DEFAULT_REGION": ([], {**KEYS, "AWS_DEFAULT_REGION": HERE}, ("AKIAENV", HERE)),
    "flag beside both": (
        ["--region", HERE],
        {**KEYS, "AWS_REGION": ELSEWHERE, "AWS_DEFAULT_REGION": ELSEWHERE},
        ("AKIAENV", HERE),
    ),
    "AWS_REGION beside AWS_DEFAULT_REGION": (
        [],
        {**KEYS, "AWS_REGION": HERE, "AWS_DEFAULT_REGION": ELSEWHERE},
        ("AKIAENV", HERE),
    ),
    "profile": (["--profile", "keys"], {}, ("AKIAPROFILE", PROFILE)),
    "AWS_PROFILE": ([], {"AWS_PROFILE": "keys"}, ("AKIAPROFILE", PROFILE)),
    "profile beside keys": (["--profile", "keys"], KEYS, ("AKIAPROFILE", PROFILE)),
    "profile without a Region": (
        ["--profile", "nowhere", "--region", HERE],
        {},
        ("AKIAPROFILE", HERE),
    ),
    "Region of the environment before the profile's": (
        ["--profile", "keys"],
        {"AWS_DEFAULT_REGION": HERE},
        ("AKIAPROFILE", HERE),
    ),
    "role": (["--profile", "role"], {}, (ASSUMED, PROFILE)),
    "process": (["--profile", "process"], {}, ("AKIAPROCESS", PROFILE)),
    "web identity": (["--profile", "web"], {}, (ASSUMED, PROFILE)),
}
# name: options, environment, what went wrong, and a word of the remedy
BROKEN = {
    "no credentials": (["--region", HERE], {}, "NoCredentialsError", "--profile"),
    "no Region": ([], KEYS, "NoRegionError", "--region"),
    "profile without a Region": (["--profile", "nowhere"], {}, "NoRegionError", "--region"),
    "no such profile": (["--profile", "x"], {}, "ProfileNotFound", "list-profiles"),
    "half a profile": (["--profile", "partial"], {}, "PartialCredentialsError", "secret access"),
    "expired SSO": (["--profile", "sso"], {}, "SSO", "aws sso login --profile sso"),
    "expired login": (["--profile", "login"], {}, "Login", "aws login --profile login"),
    "MFA": (["--profile", "mfa"], {}, "MfaWithoutTerminal", "terminal"),
    "broken process": (["--profile", "broken-process"], {}, "FileNotFoundError", "sign in"),
    "no Region of this name": (["--region", "a b"], KEYS, "InvalidRegionError", "--region"),
}


@pytest.fixture(scope="module")
def fake(demo_times):
    """The stack `demo`, wherever one calls."""
    with serve(FakeAws(demo_times)) as fake:
        yield fake


@pytest.fixture
def environment(fake, monkeypatch, tmp_path):
    """A home of one's own with these profiles, and nothing of AWS in the environment."""
    home = tmp_path / ".aws"
    home.mkdir()
    (home / "config").write_text(CONFIG)
    process = {"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "s"}
    (tmp_path / "process.py").write_text(f"print({json.dumps(json.dumps(process))})")
    (tmp_path / "token").write_text("web-identity")
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_ENDPOINT_URL", fake.url)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(SystemClock, "sleep", lambda *_: None)
    fake.reset()
    clients.session.cache_clear()
    yield monkeypatch
    clients.session.cache_clear()


VERBS = {
    "status": (),
    "history": (),
    "doctor": (),
    "cost": (),
    "jwks": (),
    "issue": ("--subject", "alice"),
    "verify": ("a.b.c",),
    "verify --kms": ("a.b.c",),
    "rotate": ("--yes",),
    "rotate --dry-run": (),
    "rollback": ("KID", "--reason", "drill", "--yes"),
    "rollback --dry-run": ("KID", "--reason", "drill"),
    "revoke --active": ("--reason", "drill", "--yes"),
    "revoke --all": ("--reason", "drill", "--yes"),
    "revoke KID": ("--reason", "drill", "--yes"),
    "revoke --active --direct": ("--reason", "drill", "--yes"),
    "revoke --active --cut-sessions": ("--reason", "drill", "--yes"),
    "revoke --active --dry-run": ("--reason", "drill"),
    "revoke --active --direct --dry-run": ("--reason", "drill"),
}
STARTS = {"rotate", "rollback", "revoke --active", "revoke --all", "revoke KID"}


def run(fake, verb, *options):
    """The verb with its arguments, on the stack `demo`."""
    words = [*verb.split(), *VERBS[verb], *options, "--stack", "demo"]
    kid = fake.kids[2]
    return keyturn(*(kid if word == "KID" else word for word in words))


PRECEDENCE = {name for name in WORKING if "be" in name or name == "AWS_PROFILE"}
SIGNING_VERBS = ("status", "issue", "revoke --active", "revoke --active --direct")
MATRIX = [
    (name, verb) for name in WORKING for verb in (SIGNING_VERBS if name in PRECEDENCE else VERBS)
]


@pytest.mark.parametrize(("name", "verb"), MATRIX)
def test_one_identity_signs_everything(environment, fake, name, verb):
    """Every signed request names the same access key and Region."""
    options, variables, expected = WORKING[name]
    for variable, value in variables.items():
        environment.setenv(variable, value)
    result = run(fake, verb, *options)
    assert fake.signed == {expected}, fake.requests
    assert "unexpected" not in result.stderr
    assert result.exit_code in (0, 1), result.output
    assert ("StartExecution" in fake.operations) is (verb in STARTS | {_CUT})
    assert ("PutParameter" in fake.operations) is (verb == "revoke --active --direct")
    if verb.startswith(("revoke", "rotate", "rollback", "issue")):
        assert result.exit_code == 0, result.output


_CUT = "revoke --active --cut-sessions"


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("verb", VERBS)
def test_what_cannot_be_signed_is_said_first(environment, fake, name, verb):
    """Without credentials it prints two lines with the remedy, and sends nothing to the stack."""
    options, variables, error, remedy = BROKEN[name]
    for variable, value in variables.items():
        environment.setenv(variable, value)
    result = run(fake, verb, *options)
    first, second = result.stderr.splitlines()
    assert (result.exit_code, result.stdout, fake.requests) == (1, "", [])
    assert error in first
    assert "not sent" in first
    assert remedy in second
    assert "effect" not in result.stderr


def test_an_mfa_code_is_not_read_from_a_pipe(environment, fake):
    """Otherwise `keyturn verify - < token` would send the token as a code; nothing is asked or sent."""
    program = Path(sys.executable).with_name("keyturn")
    completed = subprocess.run(
        [program, "verify", "-", "--profile", "mfa"],
        input="a.b.c\n",
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,  # without the terminal of whoever runs the tests
    )
    assert "MfaWithoutTerminal" in completed.stderr
    assert "Enter MFA code" not in completed.stderr
    assert fake.requests == []


def test_the_installed_command_says_the_same(environment, fake):
    """A process of its own prints no stack trace; exit status 1."""
    program = Path(sys.executable).with_name("keyturn")
    words = ["revoke", "--active", "--yes", "--reason", "x"]
    completed = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    assert (completed.returncode, completed.stdout) == (1, "")
    assert completed.stderr.startswith("keyturn: AWS configuration: NoRegionError")
