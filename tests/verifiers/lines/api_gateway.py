"""Have an HTTP API of API Gateway verify Keyturn's tokens itself: its JWT authorizer."""

from typing import Any


def protect(gateway: Any, api: str, route: str, issuer: str, audience: str) -> None:
    """Put `route` of the API behind a JWT authorizer; `gateway` is boto3's `apigatewayv2`."""
    authorizer = gateway.create_authorizer(
        ApiId=api,
        Name="keyturn",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": issuer, "Audience": [audience]},
    )
    gateway.update_route(
        ApiId=api,
        RouteId=route,
        AuthorizationType="JWT",
        AuthorizerId=authorizer["AuthorizerId"],
    )
