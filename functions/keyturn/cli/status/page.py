"""Status as one page."""

from keyturn.cli.status.summary import Summary


def page(summary: Summary) -> str:
    """TODO"""
    return summary.stack
