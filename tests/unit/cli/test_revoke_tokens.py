"""`keyturn revoke` of tokens: what it asks the state machine for, what it says, how it is proved."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keyturn.cli.block import block, release
from keyturn.cli.revoke import revoke
from keyturn.cli.targets import Targets, jti_of
from keyturn.cli.terminal import CommandFailed, Terminal, UsageError
from keyturn.keyset.cutoffs import digest_of
from tests.unit.cli.deployed import NOW, ORDER, A, denied, signed

TOKENS = replace(ORDER, active=False)


def order(**targets: Any) -> Any:
    """An order that revokes tokens and no key."""
    return replace(TOKENS, targets=Targets(**targets))


def test_the_state_machine_is_asked_with_digests(deployed: Any, terminal: Terminal) -> None:
    """Combinations go into one input, and no subject is written into its history."""
    revoke(
        terminal,
        deployed,
        replace(
            ORDER, targets=Targets(clients=("shop", "shop"), subjects=("ann",), jtis=("j1", "j2"))
        ),
    )
    [event] = deployed.started
    assert event["kids"] == [A]
    assert event["cut_off"] == {
        "client_id": [digest_of("shop")],
        "sub": [digest_of("ann")],
        "jti": [digest_of("j1"), digest_of("j2")],
    }
    assert "ann" not in json.dumps(event)


@pytest.mark.parametrize(
    ("targets", "issued"),
    [
        ({"clients": ("shop",)}, ("shop", {"audience": "orders"})),
        ({"clients": ("any",)}, ("any", {"audience": "billing", "subject": "keyturn-proof"})),
        ({"blocked": ("two",)}, ("two", {"audience": "orders", "subject": "ann"})),
        ({"subjects": ("ann",)}, ("operator", {"subject": "ann"})),
    ],
)
def test_it_is_proved_with_a_new_token_and_a_witness(
    deployed: Any, terminal: Terminal, targets: Any, issued: Any
) -> None:
    """It needs a token of the client, which must be refused, and the operator's, which must not be."""
    revoke(terminal, deployed, order(**targets))
    assert deployed.issued == [issued, ("operator", {"subject": "keyturn-witness"})]


def test_a_witness_that_is_refused_is_a_failure(
    deployed: Any, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S15: tokens that were not revoked still work, or the command reports it."""
    statuses = iter([200, 200, 401])
    monkeypatch.setattr(
        deployed,
        "get",
        lambda _path, token: type("A", (), {"status": next(statuses)}),
    )
    with pytest.raises(CommandFailed, match="not revoked is refused"):
        revoke(terminal, deployed, order(clients=("shop",)))


def test_a_given_token_is_the_proof(
    deployed: Any, terminal: Terminal, tmp_path: Path, capsys: Any
) -> None:
    """It must be one of those that are revoked."""
    file = tmp_path / "token"
    for claims, words in (({"sub": "bob"}, "is not one of those"), ({"sub": "ann"}, "Proved")):
        file.write_text(signed(**claims))
        revoke(terminal, deployed, replace(order(subjects=("ann",)), proof_token=file))
        assert words in " ".join(capsys.readouterr().out.split())
        deployed.answers = [200, 200, 200, 401]


def test_the_jti_of_a_file(tmp_path: Path) -> None:
    """The jti is read whatever the signature; a file without a token is named in the error."""
    file = tmp_path / "token"
    file.write_text(f"{signed(jti='j1')}\n")
    assert jti_of(file) == "j1"
    for text in ("", "x", signed(), signed(jti=7), signed(jti="")):
        file.write_text(text)
        with pytest.raises(UsageError, match="contains no token with a jti"):
            jti_of(file)


def test_a_jti_alone_cannot_be_proved(deployed: Any, terminal: Terminal, capsys: Any) -> None:
    """The revocation goes on without a proof, because there is no token to try."""
    revoke(terminal, deployed, order(jtis=("j1",)))
    assert deployed.started
    assert "--proof-token" in capsys.readouterr().out


def test_it_says_how_many_tokens_that_is(deployed: Any, terminal: Terminal, capsys: Any) -> None:
    """The live ones of the audit lines, by client, subject or jti."""
    now = int(NOW.timestamp())
    deployed.lines = [
        json.dumps({"message": "token_issued", **line})
        for line in (
            {"client": "shop", "sub": "x", "jti": "1", "exp": now + 9},
            {"client": "else", "sub": "ann", "jti": "2", "exp": now + 9},
            {"client": "else", "sub": "x", "jti": "3", "exp": now + 9},
            {"client": "else", "sub": "x", "jti": "4", "exp": now + 9},
            {"client": "shop", "sub": "ann", "jti": "3", "exp": now},
            {"client": "shop", "sub": "ann", "jti": "3"},
        )
    ] + ["token_issued", "[]"]
    revoke(terminal, deployed, order(clients=("shop",), subjects=("ann",), jtis=("3",)))
    assert "3 tokens of them may still be valid." in capsys.readouterr().out


def test_lines_that_cannot_be_read_hold_nothing_up(
    deployed: Any, terminal: Terminal, capsys: Any
) -> None:
    """If the audit lines cannot be read, only their number is missing."""
    deployed.log_lines = denied
    revoke(terminal, deployed, order(clients=("shop",)))
    assert deployed.started
    assert "Cannot tell how many tokens" in capsys.readouterr().out


def test_it_says_what_a_cut_off_does_not_do(deployed: Any, terminal: Terminal, capsys: Any) -> None:
    """It says that a cut-off stops neither other verifiers nor a stolen key."""
    revoke(terminal, deployed, order(clients=("shop",)))
    printed = " ".join(capsys.readouterr().out.split())
    assert "Verifiers that read only the JWKS do not see this." in printed
    assert "revoke the key" in printed


def test_nothing_named_is_invalid_usage(deployed: Any, terminal: Terminal) -> None:
    """Without any name it is invalid usage, and the message lists every way to name tokens."""
    with pytest.raises(UsageError, match="--client, --subject, --jti or --token"):
        revoke(terminal, deployed, TOKENS)


def test_a_client_is_blocked_and_released(deployed: Any, terminal: Terminal, capsys: Any) -> None:
    """Block and release are one execution each; a release has nothing to prove."""
    block(terminal, deployed, "shop", "host broken into", yes=True)
    release(terminal, deployed, "shop", "host replaced", yes=True)
    blocked, released = deployed.started
    assert blocked["block"] == [digest_of("shop")]
    assert released["release"] == [digest_of("shop")]
    printed = capsys.readouterr().out
    assert "Proved" in printed
    assert printed.endswith("Released.\n")


def test_a_client_that_is_not_blocked_is_not_released(deployed: Any, terminal: Terminal) -> None:
    """No execution is started that would only fail, so that its alarm stays quiet."""
    with pytest.raises(CommandFailed, match="shop is not blocked"):
        release(terminal, deployed, "shop", "drill", yes=True)
    assert deployed.started == []


def test_what_is_no_clients_name_is_not_blocked(deployed: Any, terminal: Terminal) -> None:
    """An invalid name is refused before anything starts."""
    with pytest.raises(UsageError, match="not a client's name"):
        block(terminal, deployed, "a/b", "drill", yes=True)
    assert deployed.started == []
