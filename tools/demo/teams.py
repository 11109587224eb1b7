"""Two teams on one stack: each client gets what its document says, each API wants what its document says."""

import json
from dataclasses import dataclass
from pathlib import Path

import urllib3

from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.local import LocalAws, Workshop
from tools.conformance.place import outputs_of
from tools.demo.cutoff import Client, Measurement, cut_off
from tools.demo.story import hold

_EXAMPLE = Path(__file__).parents[2] / "examples/protected-api/template.yaml"
_STACK = "orders"
ORDERS = "https://orders.example"  # the audience of the example's API
CLIENTS = {
    "shop": {"audiences": [ORDERS], "scopes": ["orders:read"]},
    "reports": {"audiences": ["keyturn"], "scopes": ["whoami:read"]},
}
REFUSALS: tuple[
    tuple[str, dict[str, str], int, str], ...
] = (  # who asks for what, and what it is told
    ("shop", {"scope": "whoami:read"}, 400, "invalid_scope"),
    ("shop", {"audience": "keyturn"}, 400, "invalid_target"),
    ("shop", {"subject": "reports"}, 400, "invalid_request"),
    ("nobody", {}, 403, "unauthorized_client"),
)


@dataclass
class Teams:
    """The stack's own API and another team's, and a client for each."""

    deployment: Deployment
    aws: LocalAws
    measurement: Measurement | None = None

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
        for client, expected in ((self._shop, (200, 401)), (self._reports, (401, 200))):
            token = client.token(self.deployment)
            answers = self._orders(token), self._whoami(token)
            hold(answers == expected, f"orders and whoami answer {client.name} {answers}")
        for name, request, status, error in REFUSALS:
            answer = self.deployment.post_token(request, client=name)
            hold(answer.status == status, f"{name} asks {request}: {answer.status} {answer.body}")
            hold(answer.body["error"] == error, f"{name} asks {request}: {answer.body}")
        return "shop opens /orders and not /whoami, reports the other way round; neither gets more"

    def cut_off_shop(self) -> None:
        """The shop is cut off while the reports go on; raises DoesNotHold."""
        self.measurement = cut_off(self.deployment, self._shop, self._reports)

    def check_cut_off(self) -> str:
        """The shop's tokens were out in time, and nobody else noticed; raises DoesNotHold."""
        seen = self.measurement
        assert seen is not None
        hold(
            seen.accepted_after_bound == 0, f"{seen.accepted_after_bound} accepted after the bound"
        )
        hold(seen.other_refused == 0, f"reports: {seen.other_refused} calls refused")
        hold(seen.other_accepted > 0, "reports: no call was made meanwhile")
        return (
            f"shop's token refused {seen.seconds_from_write:.1f} s after the write (bound "
            f"{seen.bound_seconds:.0f} s), {seen.seconds_from_command:.1f} s after `keyturn revoke "
            f"--client shop`; its next token is good; 0 of {seen.other_accepted} calls of reports refused"
        )

    @property
    def _shop(self) -> Client:
        return Client("shop", "orders:read", self._orders)

    @property
    def _reports(self) -> Client:
        return Client("reports", "whoami:read", self._whoami)

    def _whoami(self, token: str) -> int:
        return self.deployment.get("/whoami", token).status

    def _orders(self, token: str) -> int:
        api, stage = outputs_of(_STACK)["Stage"].split("/")
        url = f"{self.aws.endpoint}/restapis/{api}/{stage}/_user_request_/orders"
        return urllib3.request("GET", url, headers={"Authorization": f"Bearer {token}"}).status
