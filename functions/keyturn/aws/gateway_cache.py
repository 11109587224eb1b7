"""API Gateway's cached authorizer answers, flushed when a key is revoked."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from keyturn.aws.faults import translated

if TYPE_CHECKING:
    from types_boto3_apigateway import APIGatewayClient


@dataclass(frozen=True, slots=True)
class Stage:
    """A deployed stage of a REST API."""

    api_id: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """A stage from `api-id/stage`; raises ValueError."""
        api_id, slash, name = text.strip().partition("/")
        if not (api_id and slash and name) or "/" in name:
            raise ValueError(f"`{text}` is not of the form `api-id/stage`")
        return cls(api_id, name)

    def __str__(self) -> str:
        return f"{self.api_id}/{self.name}"


class GatewayCache:
    """The one call that makes API Gateway ask the authorizer again."""

    def __init__(self, client: "APIGatewayClient") -> None:
        self._client = client

    def flush(self, stage: Stage) -> None:
        """Forget every cached answer of a stage; raises AwsFault."""
        with translated("apigateway:FlushStageAuthorizersCache"):
            self._client.flush_stage_authorizers_cache(restApiId=stage.api_id, stageName=stage.name)
