"""Two teams on one stack: each client gets what its document says, each API wants what its document says."""

import json
from dataclasses import dataclass
from pathlib import Path

import urllib3

from keyturn.aws.deployment import Deployment
from keyturn.cli.local import LocalAws, Workshop
from tests.conformance.place import outputs_of
from tests.demo.story import hold

_EXAMPLE = Path(__file__).parents[2] / "examples/protected-api/template.yaml"
_STACK = "orders"
ORDERS = "https://orders.example"  # the audience of the example's API
CLIENTS = {
    "shop": {"audiences": [ORDERS], "scopes": ["orders:read"]},
    "reports": {"audiences": ["keyturn"], "scopes": ["whoami:read"]},
}
REFUSALS = (  # who asks for what, and what it is told
    ("shop", {"scope": "whoami:read"}, 400, "invalid_scope"),
    ("shop", {"audience": "keyturn"}, 400, "invalid_target"),
    ("shop", {"subject": "reports"}, 400, "invalid_request"),
    ("nobody", {}, 403, "unauthorized_client"),
)


@dataclass(frozen=True)
class Teams:
    """The stack's own API and another team's, and a client for each."""

    deployment: Deployment
    aws: LocalAws

    def deploy(self, workshop: Workshop) -> str:
        """The other team deploys its API, as in examples/, and both declare their clients."""
        workshop.sam_deploy(
            _STACK,
            *("--template-file", str(_EXAMPLE), "--config-env", "local"),
            *(
                "--parameter-overrides",
                f"KeyturnAuthorizer={self.deployment.outputs['AuthorizerArn']}",
            ),
        )
        for name, document in CLIENTS.items():
            self.deployment.client_documents.put(name, json.dumps(document))
        return f"examples/protected-api, unchanged; clients {' and '.join(CLIENTS)}"

    def keep_apart(self) -> str:
        """Each token opens the API that it is for, and no other; raises DoesNotHold."""
        for client, expected in (("shop", (200, 401)), ("reports", (401, 200))):
            token = self._token(client)
            answers = self._orders(token), self.deployment.get("/whoami", token).status
            hold(answers == expected, f"orders and whoami answer {client} {answers}")
        for client, request, status, error in REFUSALS:
            answer = self.deployment.post_token(request, client=client)
            hold(answer.status == status, f"{client} asks {request}: {answer.status} {answer.body}")
            hold(answer.body["error"] == error, f"{client} asks {request}: {answer.body}")
        return "shop opens /orders and not /whoami, reports the other way round; neither gets more"

    def _token(self, client: str) -> str:
        document = CLIENTS[client]
        answer = self.deployment.post_token({"scope": document["scopes"][0]}, client=client)
        hold(answer.status == 200, f"POST /token/{client}: {answer.status} {answer.body}")
        return str(answer.body["access_token"])

    def _orders(self, token: str) -> int:
        api, stage = outputs_of(_STACK)["Stage"].split("/")
        url = f"{self.aws.endpoint}/restapis/{api}/{stage}/_user_request_/orders"
        return urllib3.request("GET", url, headers={"Authorization": f"Bearer {token}"}).status
