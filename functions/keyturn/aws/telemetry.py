"""Logs, metrics and traces by Powertools. What goes in here never holds a token."""

from aws_lambda_powertools import Logger, Metrics, Tracer

logger = Logger(service="keyturn")
metrics = Metrics(namespace="Keyturn", service="keyturn")
tracer = Tracer(service="keyturn")
