"""AWS's refusals, as botocore raises them."""

from botocore.exceptions import ClientError


def refused(code: str, status: int = 400) -> ClientError:
    """An answer of AWS with this error code."""
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Operation")  # type: ignore[arg-type]
