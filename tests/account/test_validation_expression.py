"""What cannot be a token is refused by API Gateway itself, which calls the authorizer for the rest."""

import re
from pathlib import Path

import pytest

from tests.account.resolve import Deployment
from tests.synthesized import Template, mutated, synthesized
from tests.vectors.keys import Keys
from tests.vectors.recipe import filled, load, make

FIELDS = load(Path(__file__).parents[1] / "vectors/authorization_headers.json")
_AUTHORIZER = "x-amazon-apigateway-authorizer"


def authorizer(template: Template) -> dict[str, str]:
    """What the API's definition says of it."""
    [api] = Deployment(template).resources("AWS::ApiGateway::RestApi").values()
    schemes = api["Body"]["components"]["securitySchemes"]
    extension: dict[str, str] = schemes["Keyturn"][_AUTHORIZER]
    return extension


def called(template: Template, field: str) -> bool:
    """Whether API Gateway calls the authorizer about this Authorization field.

    Source: API Gateway API Reference, Authorizer, identityValidationExpression: without a match it
    answers 401 and calls no function. A TOKEN authorizer has one, a REQUEST authorizer has none.
    """
    extension = authorizer(template)
    assert extension["type"] == "token"
    expression = extension.get("identityValidationExpression", "")
    return re.search(expression, field) is not None


@pytest.fixture(scope="module")
def keys() -> Keys:
    """Of the good token."""
    return Keys.generate()


@pytest.mark.parametrize(
    "case", [c for c in FIELDS if c["expect"] == "allow"], ids=lambda case: case["name"]
)
def test_no_good_token_is_refused_unseen(case, keys: Keys) -> None:
    """In each spelling that the authorizer itself accepts."""
    field = filled(case["authorization"], keys, token=make({}, keys))
    assert called(dict(synthesized()), field)


@pytest.mark.parametrize(
    "field", ["Basic dXNlcjpwYXNz", "Bearer ", "Bearer x", "Bearer a.b", "Bearer a.b.c.d", "a.b.c"]
)
def test_garbage_costs_no_call(field: str) -> None:
    """Nor a line in the log."""
    assert not called(dict(synthesized()), field)


def test_an_expression_that_knows_one_spelling_is_noticed(keys: Keys) -> None:
    """The scheme is case-insensitive (RFC 9110 section 11.1)."""

    def change(template: Template) -> None:
        schemes = template["Resources"]["Api"]["Properties"]["Body"]["components"][
            "securitySchemes"
        ]
        schemes["Keyturn"][_AUTHORIZER]["identityValidationExpression"] = "^Bearer [^ ]+$"

    assert not called(mutated(change), f"bearer {make({}, keys)}")


def test_without_an_expression_garbage_is_called_about() -> None:
    """As an API does whose template forgets it."""

    def forget(template: Template) -> None:
        schemes = template["Resources"]["Api"]["Properties"]["Body"]["components"][
            "securitySchemes"
        ]
        del schemes["Keyturn"][_AUTHORIZER]["identityValidationExpression"]

    assert called(mutated(forget), "Basic dXNlcjpwYXNz")
