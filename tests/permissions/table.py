"""The table of docs/threat-model.md: who may do what with a signing key, by its key policy.

    python -m tests.permissions.table      writes it anew (`make docs` does)

The actions are those of botocore's model of KMS that a key's policy decides.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from botocore.loaders import Loader

from keyturn.aws.keyset.key_policy import key_policy
from tests.permissions import roles
from tests.permissions.key_policy import ACCOUNT, ELSEWHERE, EVERYTHING, KeyPolicy, Principal
from tests.permissions.policy import Statement
from tests.simulation.principals import ROLE_PREFIX

THREAT_MODEL = Path(__file__).parents[2] / "docs/threat-model.md"
_BLOCK = re.compile(
    r"(<!-- key policy: make docs -->\n).*?(\n<!-- end of key policy -->)", re.DOTALL
)
_KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"
_NAMES_A_KEY = {"KeyId", "TargetKeyId", "SourceKeyId"}
# Source: KMS Developer Guide, "AWS KMS permissions", column "Resources".
_OF_NO_KEY = {"ListAliases"}  # the key only filters what is listed
_OF_A_KEY = {"DeleteAlias"}  # needs the permission on alias and key
_ACTIONS = {"ReEncrypt": ("ReEncryptFrom", "ReEncryptTo")}  # two permissions, one a key
_CONTEXT = {"kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}

OTHERS: Mapping[str, Principal] = {
    "power user, `kms:*`": Principal(
        f"arn:aws:iam::{ACCOUNT}:user/power", (Statement(("kms:*",), ("*",), ()),)
    ),
    "administrator, `*`": Principal(f"arn:aws:iam::{ACCOUNT}:role/admin", (EVERYTHING,)),
    "nobody special": Principal(f"arn:aws:iam::{ACCOUNT}:user/plain"),
    "another account, `*`": Principal(f"arn:aws:iam::{ELSEWHERE}:role/admin", (EVERYTHING,)),
}


def actions() -> list[str]:
    """Every KMS action that is about a key which is there."""
    loader = Loader()
    version = loader.determine_latest_version("kms", "service-2")
    model = loader.load_service_model("kms", "service-2", version)
    names: list[str] = []
    for name, operation in model["operations"].items():
        shape = model["shapes"].get(operation.get("input", {}).get("shape"), {})
        about_a_key = bool(_NAMES_A_KEY & shape.get("members", {}).keys())
        if (about_a_key and name not in _OF_NO_KEY) or name in _OF_A_KEY:
            names += _ACTIONS.get(name, (name,))
    return sorted(names)


def principals() -> dict[str, Principal]:
    """Each role of the stack by its logical id, and the others."""
    own = {roles.role_of(name): roles.principal_of(name) for name in roles.functions()}
    return {**own, **OTHERS}


def allowed(action: str, policy: KeyPolicy | None = None) -> list[str]:
    """The principals that may."""
    policy = policy or KeyPolicy(key_policy(ROLE_PREFIX))
    return [
        name
        for name, principal in principals().items()
        if policy.allows(principal, f"kms:{action}", _KEY, _CONTEXT)
    ]


def table() -> str:
    """One line for all actions that the same principals may do."""
    by_verdict: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for action in actions():
        by_verdict[tuple(allowed(action))].append(action)
    head = ["action", "roles of the stack", *OTHERS]
    ordered = sorted(by_verdict.items(), key=lambda item: (not item[0], item[1]))
    lines = [head, ["---"] * len(head), *(_cells(*verdict) for verdict in ordered)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cells(names: tuple[str, ...], actions: list[str]) -> Iterator[str]:
    own = [name.removesuffix("FunctionRole") for name in names if name not in OTHERS]
    yield ", ".join(f"`{action}`" for action in actions)
    yield ", ".join(sorted(own)) or "–"
    yield from ("yes" if name in names else "–" for name in OTHERS)


def with_table(text: str) -> str:
    """The page with its table written again."""
    return _BLOCK.sub(lambda block: block[1] + table() + block[2], text)


if __name__ == "__main__":
    THREAT_MODEL.write_text(with_table(THREAT_MODEL.read_text()))
