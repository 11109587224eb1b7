"""`keyturn jwks`: the JWKS as verifiers see it."""

import json

from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.terminal import CommandFailed, Terminal


def jwks(terminal: Terminal, deployment: Deployment) -> None:
    """Print the JWKS from its public URL."""
    url = deployment.outputs["JwksUrl"]
    answer = deployment.fetch(url)
    if answer.status != 200:
        raise CommandFailed(f"{url} answers {answer.status}", "`keyturn doctor` says why")
    terminal.plain(json.dumps(answer.body, indent=2))
    terminal.result(
        {
            "url": url,
            "cache_control": answer.headers.get("Cache-Control", ""),
            "jwks": answer.body,
        }
    )
