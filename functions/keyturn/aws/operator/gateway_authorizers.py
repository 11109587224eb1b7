"""Which APIs use the authorizer, and for how long API Gateway caches its answers there."""

from collections.abc import Iterator
from dataclasses import dataclass

from keyturn.aws.clients import Clients
from keyturn.aws.faults import translate_errors

METHOD_AND_PATH = frozenset({"context.httpMethod", "context.path"})  # of a request
_REST_DEFAULT = 300  # seconds, where no TTL is set (API Gateway API Reference, Authorizer)


@dataclass(frozen=True, slots=True)
class Authorizer:
    """An API's configuration of a Lambda authorizer; `result_ttl` in seconds, 0 for no cache.

    `cache_key` is what answers are cached by, without the `$` of HTTP APIs: `context.httpMethod`.
    For a REST API this is the configuration of the next deployment, not that of a deployed stage.
    """

    api_id: str
    authorizer_id: str
    result_ttl: int
    is_http: bool = False
    cache_key: frozenset[str] = frozenset()

    @property
    def keeps_one_answer_for_all_routes(self) -> bool:
        """Whether an answer for one route is also used for others.

        An HTTP API's route key distinguishes its own routes. If a route table divides one of these
        further, the cache key needs method and path. Source: API Gateway API Reference, Authorizer,
        `identitySource`; API Gateway Developer Guide, "Control access to HTTP APIs with AWS Lambda
        authorizers", "Caching authorizer responses".
        """
        by_route = self.is_http and "context.routeKey" in self.cache_key
        return self.result_ttl > 0 and not (by_route or self.cache_key >= METHOD_AND_PATH)


class GatewayAuthorizers:
    """Reads every REST and HTTP API of the account and Region, with one call per API."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def list_for_function(self, function_arn: str) -> tuple[Authorizer, ...]:
        """Those that invoke this function, or a version or alias of it; raises AwsFault."""
        return (*self._rest(function_arn), *self._http(function_arn))

    def _rest(self, function_arn: str) -> Iterator[Authorizer]:
        gateway = self._clients.apigateway
        with translate_errors("apigateway:GetRestApis"):
            pages = list(gateway.get_paginator("get_rest_apis").paginate())
        for api in (api for page in pages for api in page.get("items", [])):
            with translate_errors("apigateway:GetAuthorizers"):
                authorizer_pages = list(
                    gateway.get_paginator("get_authorizers").paginate(restApiId=api["id"])
                )
            for item in (item for page in authorizer_pages for item in page.get("items", [])):
                if _invokes(item.get("authorizerUri"), function_arn):
                    ttl = item.get("authorizerResultTtlInSeconds", _REST_DEFAULT)
                    sources = item.get("identitySource", "").replace(",", " ").split()
                    yield Authorizer(api["id"], item["id"], ttl, cache_key=frozenset(sources))

    def _http(self, function_arn: str) -> Iterator[Authorizer]:
        gateway = self._clients.apigatewayv2
        with translate_errors("apigatewayv2:GetApis"):
            pages = list(gateway.get_paginator("get_apis").paginate())
        for api in (api for page in pages for api in page.get("Items", [])):
            with translate_errors("apigatewayv2:GetAuthorizers"):
                authorizer_pages = list(
                    gateway.get_paginator("get_authorizers").paginate(ApiId=api["ApiId"])
                )
            for item in (item for page in authorizer_pages for item in page.get("Items", [])):
                if _invokes(item.get("AuthorizerUri"), function_arn):
                    ttl = item.get("AuthorizerResultTtlInSeconds", 0)
                    yield Authorizer(
                        api["ApiId"],
                        item["AuthorizerId"],
                        ttl,
                        is_http=True,
                        cache_key=frozenset(
                            source.removeprefix("$") for source in item.get("IdentitySource", [])
                        ),
                    )


def _invokes(uri: str | None, function_arn: str) -> bool:
    """A URI is `arn:aws:apigateway:<region>:lambda:path/2015-03-31/functions/<ARN>/invocations`."""
    target = (uri or "").partition("/functions/")[2].removesuffix("/invocations")
    return target == function_arn or target.startswith(f"{function_arn}:")
