"""Two teams on one stack: each client gets, and each API accepts, what its document says."""

import json
from dataclasses import dataclass, field

from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.local import LocalAws, Workshop
from tools.demo.cutoff import Client, Measurement, cut_off
from tools.demo.story import hold
from tools.local_stacks import ORDERS, deploy_example, orders_url, status_of

CLIENTS = {
    "shop": {"audiences": [ORDERS], "scopes": ["orders:read"]},
    "reports": {"audiences": ["keyturn"], "scopes": ["whoami:read"]},
}
# A client, its request, and the answer.
REFUSALS: tuple[tuple[str, dict[str, str], int, str], ...] = (
    ("shop", {"scope": "whoami:read"}, 400, "invalid_scope"),
    ("shop", {"audience": "keyturn"}, 400, "invalid_target"),
    ("shop", {"subject": "reports"}, 400, "invalid_request"),
    ("nobody", {}, 403, "unauthorized_client"),
)


@dataclass
class Teams:
    """The stack's own API and another team's, and a client for each."""

    deployment: Deployment
    workshop: Workshop
    aws: LocalAws
    measurement: Measurement | None = None
    _orders_url: str = field(default="", init=False)

    def deploy(self) -> str:
        """The other team deploys its API, as in examples/, and both declare their clients."""
        parameters = {"KeyturnAuthorizer": self.deployment.outputs["AuthorizerArn"]}
        outputs = deploy_example(self.workshop, "orders", "protected-api", parameters)
        self._orders_url = orders_url(self.aws, outputs)
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

    def cut_off_shop(self) -> str:
        """The shop's tokens are refused in time, and no token of the reports; raises DoesNotHold."""
        measurement = cut_off(self.deployment, self._shop, self._reports)
        self.measurement = measurement
        late = measurement.accepted_after_bound
        hold(late == 0, f"{late} accepted after the bound")
        hold(measurement.other_refused == 0, f"reports: {measurement.other_refused} calls refused")
        hold(measurement.other_accepted > 0, "reports: no call was made meanwhile")
        return (
            f"shop's token refused {measurement.seconds_from_write:.1f} s after the write (bound "
            f"{measurement.bound_seconds:.0f} s), {measurement.seconds_from_command:.1f} s after `keyturn revoke "
            f"--client shop`; its next token is good; 0 of {measurement.other_accepted} calls of reports refused"
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
        return status_of(self._orders_url, token)
