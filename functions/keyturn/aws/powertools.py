"""Powertools' logger and metrics, for every function but the authorizer (aws/telemetry.py).

What goes in here never holds a token.
"""

from aws_lambda_powertools import Logger, Metrics

from keyturn.aws.telemetry import NAMESPACE, SERVICE

logger = Logger(service=SERVICE, use_rfc3339=True)  # Lambda reads levels beside such times only
metrics = Metrics(namespace=NAMESPACE, service=SERVICE)
