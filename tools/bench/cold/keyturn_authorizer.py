"""Keyturn's authorizer, from its import to its first decision."""

import json
import sys
from types import SimpleNamespace

from keyturn.api.authorize import handler

context = SimpleNamespace(aws_request_id="request-1")
answer = handler(json.loads(sys.argv[1]), context)
assert answer["policyDocument"]["Statement"][0]["Effect"] == "Allow"
print("decided", flush=True)
