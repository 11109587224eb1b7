"""HTTP through botocore, so that the operator's proxies and CA bundle apply to every request."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from keyturn.aws.clients import session
from keyturn.aws.faults import translate_errors

_TIMEOUT = 30  # seconds to connect, and between two bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response; `body` is the parsed JSON, or the text if it is not JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Http:
    """One connection pool per proxy route."""

    def __init__(self) -> None:
        self._pools: dict[tuple[tuple[str, str], ...], URLLib3Session] = {}

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        """Send one request, without following redirects; raises NoReply, NotSent."""
        with translate_errors(f"{method} {url}"):
            request = AWSRequest(method, url, data=body, headers=dict(headers)).prepare()
            response = self._pool(url).send(request)
            text = response.text
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError):
            parsed = text
        return Answer(response.status_code, response.headers, parsed)

    def _pool(self, url: str) -> URLLib3Session:
        proxies: dict[str, str] = get_environ_proxies(url)
        route = tuple(sorted(proxies.items()))
        if route not in self._pools:
            bundle: Any = session().get_config_variable("ca_bundle")
            verify: Any = bundle or os.environ.get("REQUESTS_CA_BUNDLE", True)
            self._pools[route] = URLLib3Session(verify=verify, proxies=proxies, timeout=_TIMEOUT)
        return self._pools[route]
