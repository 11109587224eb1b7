"""GET /whoami: show the caller's verified claims."""

import json
from collections.abc import Mapping
from typing import Any

from keyturn.api.answers import json_response


def handler(event: Mapping[str, Any], _context: object) -> Mapping[str, Any]:
    """Answer 200 with the verified claims; without them API Gateway refuses the request."""
    return json_response(200, json.loads(event["requestContext"]["authorizer"]["claims"]))
