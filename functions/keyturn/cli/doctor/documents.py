"""Checks of the documents of clients and APIs."""

from collections.abc import Iterator

from keyturn.cli.doctor.findings import Finding, Severity
from keyturn.cli.snapshot import Snapshot


def check_readable(snapshot: Snapshot) -> Iterator[Finding]:
    """Every document can be parsed."""
    for verb, effect, documents in (
        ("client", "It gets no tokens.", snapshot.clients),
        ("api", "It accepts no tokens.", snapshot.apis),
    ):
        for name, document in (documents or {}).items():
            if document.problem:
                yield Finding(
                    "document_unreadable",
                    Severity.CRITICAL,
                    f"The document {document.problem}. {effect}",
                    f"`keyturn {verb} add {name}` replaces it; `keyturn {verb} show {name}` names the "
                    "stack that declares it, if one does: then correct its template.",
                    subject=document.problem.call,
                )


def check_apis(snapshot: Snapshot) -> Iterator[Finding]:
    """Every API with a document uses the authorizer, as far as this account can tell."""
    if snapshot.authorizers is None or snapshot.admits_accounts:
        return
    asking = {authorizer.api_id for authorizer in snapshot.authorizers}
    for api_id in sorted((snapshot.apis or {}).keys() - asking):
        yield Finding(
            "api_missing",
            Severity.WARNING,
            f"No API {api_id} in this account and Region uses the authorizer, but it has a document.",
            f"`keyturn api remove {api_id}`, or make the API use the authorizer (docs/use-it.md).",
            subject=api_id,
        )
