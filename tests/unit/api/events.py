"""Authorizer events, one function per kind of API."""

API = "arn:aws:execute-api:us-east-1:123456789012:api1/v1"


def token(header, route="GET/orders", api=API):
    """From a REST API whose authorizer is of type TOKEN."""
    return {"type": "TOKEN", "methodArn": f"{api}/{route}", "authorizationToken": header}


def request(header, route="GET/orders", api=API):
    """From a REST API whose authorizer is of type REQUEST."""
    headers = {"Host": "api.example", **({} if header is None else {"Authorization": header})}
    return {"type": "REQUEST", "methodArn": f"{api}/{route}", "headers": headers}


def http(header, route="GET/orders", api=API):
    """From an HTTP API, payload format 2.0."""
    headers = {"host": "api.example", **({} if header is None else {"authorization": header})}
    return {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": f"{api}/{route}",
        "identitySource": [header],
        "headers": headers,
    }


def websocket(header, route="$connect", api=API):
    """From a WebSocket API, at $connect."""
    return {
        **request(header, route, api),
        "requestContext": {"routeKey": "$connect", "eventType": "CONNECT", "connectionId": "c1"},
    }
