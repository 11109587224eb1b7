"""A revocation's proof: what a refused token shows, and when the command gives up."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from keyturn.aws.faults import AwsFault
from keyturn.aws.keyset.reader import KeysetMissing
from keyturn.cli.proof import Prover
from keyturn.cli.proof_tokens import ProofTokens
from keyturn.cli.terminal import CommandFailed, Terminal
from tests.unit.cli.deployed import KEYS, NOW, A, Deployed, out, signed

NEVER = 1e6  # seconds
BOUND, PATIENCE = 2, 5
Prove = Callable[..., float]


@pytest.fixture
def prove(deployed: Deployed, terminal: Terminal) -> Prove:
    """Prove that A is revoked; each argument is in seconds after the command. Returns those of the proof."""

    def run(
        *, written: float = 0, refused: float = NEVER, witness: float = NEVER, exp: int = 600
    ) -> float:
        expiry = int(NOW.timestamp()) + exp
        tokens = ProofTokens(signed(sub="proof", exp=expiry), signed(sub="witness", exp=expiry))

        def get(_path: str, text: str) -> Any:
            passed = deployed.now - NOW
            if passed >= timedelta(seconds=written):
                deployed.keyset = out(KEYS, A)
            since = refused if text == tokens.revoked else witness
            return SimpleNamespace(status=401 if passed >= timedelta(seconds=since) else 200)

        deployed.get = get  # type: ignore[method-assign, assignment]
        return Prover(terminal, deployed, tokens).prove().seconds  # type: ignore[arg-type]

    return run


@pytest.mark.parametrize("written", [0, 3, 6.5])
def test_the_bound_counts_from_the_write(prove: Prove, written: float) -> None:
    """However late the execution writes, a token may be accepted for the bound after that."""
    refused = written + BOUND + PATIENCE
    assert prove(written=written, refused=refused) == pytest.approx(refused, abs=0.3)


def test_a_token_accepted_past_the_bound_is_a_failure(prove: Prove) -> None:
    """The authorizer does not follow the keyset, and the message says where to look."""
    with pytest.raises(CommandFailed, match=r"still accepted 5 s past the bound of 2 s.*runbooks"):
        prove(written=3)


def test_a_revocation_that_is_not_written_is_called_that(prove: Prove) -> None:
    """The authorizer is not blamed for an execution that is stuck."""
    with pytest.raises(CommandFailed, match=r"not written 7 s after the command.*runbooks"):
        prove(written=NEVER)


@pytest.mark.parametrize("fault", [AwsFault("ssm:GetParameters", "Throttled"), KeysetMissing("x")])
def test_a_keyset_that_cannot_be_read_leaves_the_proof(
    prove: Prove, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    """A refusal proves the revocation, whoever can read the keyset."""

    def unreadable(_self: object) -> Any:
        raise fault

    monkeypatch.setattr(Deployed, "keyset", property(unreadable, lambda *_: None), raising=False)
    assert prove(refused=4) == pytest.approx(4, abs=0.3)


def test_a_token_that_expired_proves_nothing(prove: Prove) -> None:
    """Its refusal would look the same without any revocation."""
    with pytest.raises(CommandFailed, match="expired before it was refused"):
        prove(refused=3, exp=3)


def test_a_witness_that_expired_is_no_failure(prove: Prove) -> None:
    """Only a live token that was not revoked must be accepted."""
    with pytest.raises(CommandFailed, match="still accepted"):
        prove(witness=3, exp=3)
    with pytest.raises(CommandFailed, match="a token that was not revoked is refused"):
        prove(witness=3, exp=600)
