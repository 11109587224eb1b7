"""Powertools' logger and metrics, for every function except the authorizer (aws/telemetry.py).

Nothing that is logged or measured may contain a token.
"""

from aws_lambda_powertools import Logger, Metrics

from keyturn.aws.telemetry import NAMESPACE, SERVICE

logger = Logger(service=SERVICE, use_rfc3339=True)  # else Lambda does not recognize levels
metrics = Metrics(namespace=NAMESPACE, service=SERVICE)
