"""GET /whoami: the claims that the authorizer found, for whoever wants to see them."""

import json
from collections.abc import Mapping
from typing import Any

from keyturn.api.answers import json_response


def handler(event: Mapping[str, Any], _context: object) -> Mapping[str, Any]:
    """Answer 200 with the verified claims; API Gateway let nobody in without them."""
    return json_response(200, json.loads(event["requestContext"]["authorizer"]["claims"]))
