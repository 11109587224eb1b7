"""Powertools' logger and metrics, for every function but the authorizer (aws/telemetry.py).

What goes in here never holds a token.
"""

from aws_lambda_powertools import Logger, Metrics

from keyturn.aws.telemetry import NAMESPACE, SERVICE

logger = Logger(service=SERVICE)
metrics = Metrics(namespace=NAMESPACE, service=SERVICE)
