"""Keyturn's issuer, from its import to its first token."""

from types import SimpleNamespace

from keyturn.api.issue_token import handler

context = SimpleNamespace(
    function_name="bench",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:bench",
    aws_request_id="request-1",
)
answer = handler({"subject": "user-1", "client": "batch-1", "scope": "orders:read"}, context)
assert answer["access_token"]
print("decided", flush=True)
