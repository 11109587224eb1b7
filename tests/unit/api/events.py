"""Authorizer events, by the kind of API that asks."""

API = "arn:aws:execute-api:us-east-1:123456789012:api1/v1"


def token(header, route="GET/orders"):
    """Of a REST API whose authorizer is of type TOKEN."""
    return {"type": "TOKEN", "methodArn": f"{API}/{route}", "authorizationToken": header}


def request(header, route="GET/orders"):
    """Of a REST API whose authorizer is of type REQUEST."""
    headers = {"Host": "api.example", **({} if header is None else {"Authorization": header})}
    return {"type": "REQUEST", "methodArn": f"{API}/{route}", "headers": headers}


def http(header, route="GET/orders"):
    """Of an HTTP API, payload format 2.0."""
    headers = {"host": "api.example", **({} if header is None else {"authorization": header})}
    return {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": f"{API}/{route}",
        "identitySource": [header],
        "headers": headers,
    }


def websocket(header, route="$connect"):
    """Of a WebSocket API, at $connect."""
    return {
        **request(header, route),
        "requestContext": {
            "routeKey": "$connect",
            "eventType": "CONNECT",
            "connectionId": "c1",
            "apiId": "api1",
            "stage": "v1",
        },
    }
