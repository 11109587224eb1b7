"""API Gateway's cached authorizer answers, flushed when a key is revoked."""

from dataclasses import dataclass
from typing import Self

from keyturn.aws.clients import Clients
from keyturn.aws.faults import translate_errors

_HTTP = "http:"


@dataclass(frozen=True, slots=True)
class Stage:
    """A deployed stage of a REST or HTTP API."""

    api_id: str
    name: str
    is_http: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """A stage from `api-id/stage` or `http:api-id/stage`; raises ValueError."""
        path = text.strip()
        api_id, slash, name = path.removeprefix(_HTTP).partition("/")
        if not (api_id and slash and name) or "/" in name or ":" in api_id:
            raise ValueError(f"`{text}` is not of the form `api-id/stage` or `http:api-id/stage`")
        return cls(api_id, name, path.startswith(_HTTP))

    def __str__(self) -> str:
        return f"{_HTTP if self.is_http else ''}{self.api_id}/{self.name}"


class GatewayCache:
    """The call that makes API Gateway invoke the authorizer again; each kind of API has its own."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def flush(self, stage: Stage) -> None:
        """Flush all cached answers of a stage; raises AwsFault."""
        if stage.is_http:
            with translate_errors("apigatewayv2:ResetAuthorizersCache"):
                self._clients.apigatewayv2.reset_authorizers_cache(
                    ApiId=stage.api_id, StageName=stage.name
                )
            return
        with translate_errors("apigateway:FlushStageAuthorizersCache"):
            self._clients.apigateway.flush_stage_authorizers_cache(
                restApiId=stage.api_id, stageName=stage.name
            )
