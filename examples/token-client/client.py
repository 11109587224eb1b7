"""Get a token with this function's IAM role, and call a protected route with it."""

import json
import os
import time
from typing import Any

import boto3
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

_http = urllib3.PoolManager(timeout=10)
_session = boto3.Session()
_held: dict[str, Any] = {"token": None, "until": 0.0}


def handler(_event: object, _context: object) -> dict[str, Any]:
    """Return the route's answer."""
    bearer = {"Authorization": f"Bearer {token()}"}
    answer = _http.request("GET", os.environ["ORDERS_URL"], headers=bearer)
    return {"status": answer.status, "body": answer.data.decode()}


def token() -> str:
    """The cached token, or a new one in the last third of its lifetime."""
    if time.time() >= _held["until"]:
        issued = _post({"scope": "orders:read"})
        _held["token"] = issued["access_token"]
        _held["until"] = time.time() + issued["expires_in"] * 2 / 3
    return str(_held["token"])


def _post(body: dict[str, str]) -> Any:
    url, text = os.environ["TOKEN_URL"], json.dumps(body).encode()
    request = AWSRequest("POST", url, data=text, headers={"Content-Type": "application/json"})
    credentials, region = _session.get_credentials(), _session.region_name
    SigV4Auth(credentials, "execute-api", region).add_auth(request)
    answer = _http.request("POST", url, body=text, headers=dict(request.headers))
    if answer.status != 200:
        raise RuntimeError(f"Keyturn answered {answer.status}: {answer.data.decode()}")
    return answer.json()
