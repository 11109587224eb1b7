"""What the keyset store relies on in SSM Parameter Store (keyturn.aws.keyset.store).

Source: AWS Systems Manager API Reference.
"""

from functools import partial
from typing import Any

import pytest

from tests.cloud.contract.clouds import Cloud, refused


@pytest.fixture
def path(cloud: Cloud) -> str:
    """An unused path."""
    return cloud.fresh("/keyturn/contract/keyset")


def create(cloud: Cloud, name: str, text: str = "{}", *, overwrite: bool = False) -> Any:
    """PutParameter as the product calls it."""
    put = cloud.clients.ssm_timed.put_parameter
    return put(Name=name, Value=text, Type="String", Tier="Standard", Overwrite=overwrite)


def texts(answer: Any) -> dict[str, str]:
    """The values of an answer or a page by their names."""
    return {parameter["Name"]: parameter["Value"] for parameter in answer["Parameters"]}


def read(cloud: Cloud, *names: str) -> dict[str, str]:
    """GetParameters."""
    return texts(cloud.clients.ssm.get_parameters(Names=list(names)))


def pages(cloud: Cloud, path: str) -> list[dict[str, str]]:
    """GetParametersByPath, page by page."""
    answers = cloud.clients.ssm.get_paginator("get_parameters_by_path").paginate(Path=path)
    return [texts(answer) for answer in answers]


def test_a_name_is_created_once(cloud: Cloud, path: str) -> None:
    """A second creation is refused, and changes nothing."""
    create(cloud, f"{path}/1", '{"generation":1}')
    refusal = refused(partial(create, cloud, f"{path}/1", "second"))
    assert refusal == ("ParameterAlreadyExists", 400)
    assert read(cloud, f"{path}/1") == {f"{path}/1": '{"generation":1}'}


def test_only_one_of_many_creates_it(cloud: Cloud, path: str) -> None:
    """Of eight concurrent writers one succeeds, and its value stays."""
    calls = [partial(create, cloud, f"{path}/1", str(writer)) for writer in range(8)]
    results = cloud.at_once(calls)
    created = [writer for writer, result in enumerate(results) if isinstance(result, dict)]
    assert len(created) == 1
    losers = [result for result in results if not isinstance(result, dict)]
    assert set(losers) <= {("ParameterAlreadyExists", 400), ("TooManyUpdates", 400)}
    assert read(cloud, f"{path}/1") == {f"{path}/1": str(created[0])}


def test_4096_characters_fit(cloud: Cloud, path: str) -> None:
    """A value of 4,096 characters fits: the Standard tier's limit is inclusive."""
    create(cloud, f"{path}/1", "x" * 4096)
    assert read(cloud, f"{path}/1") == {f"{path}/1": "x" * 4096}


@pytest.mark.deviates(
    moto="takes any length in the Standard tier", ministack="takes any length in the Standard tier"
)
def test_4097_characters_do_not_fit(cloud: Cloud, path: str) -> None:
    """A longer text is refused, and nothing is written."""
    refusal = refused(partial(create, cloud, f"{path}/1", "x" * 4097))
    assert refusal == ("ValidationException", 400)
    assert read(cloud, f"{path}/1") == {}


def test_missing_names_are_listed(cloud: Cloud, path: str) -> None:
    """GetParameters answers with the parameters that exist, and names the rest, if any."""
    create(cloud, f"{path}/2")
    answer = cloud.clients.ssm.get_parameters(Names=[f"{path}/{n}" for n in (1, 2, 3)])
    assert texts(answer) == {f"{path}/2": "{}"}
    assert sorted(answer["InvalidParameters"]) == [f"{path}/1", f"{path}/3"]
    assert cloud.clients.ssm.get_parameters(Names=[f"{path}/2"])["InvalidParameters"] == []


def test_ten_names_are_read_at_once(cloud: Cloud, path: str) -> None:
    """GetParameters takes no more."""
    names = [f"{path}/{number}" for number in range(10)]
    for name in names:
        create(cloud, name)
    assert read(cloud, *names) == dict.fromkeys(names, "{}")


@pytest.mark.deviates(ministack="reads any number of names")
def test_eleven_names_are_refused(cloud: Cloud, path: str) -> None:
    """GetParameters takes at most ten."""
    names = [f"{path}/{number}" for number in range(11)]
    refusal = refused(cloud.clients.ssm.get_parameters, Names=names)
    assert refusal == ("ValidationException", 400)


@pytest.mark.parametrize("number", [0, 1, 10, 11, 25])
def test_a_path_is_listed_in_pages_of_ten(cloud: Cloud, path: str, number: int) -> None:
    """Parameters below it or beside it are not listed; there is a page even if it is empty."""
    for other in (f"{path}-beside/1", f"{path}/1/below"):
        create(cloud, other)
    created = {f"{path}/{n:012d}": str(n) for n in range(number)}
    for name, text in created.items():
        create(cloud, name, text)
    listed = pages(cloud, path)
    assert listed
    assert max(map(len, listed)) <= 10
    assert sum(map(len, listed)) == number
    assert {name: text for page in listed for name, text in page.items()} == created


def test_what_is_deleted_is_missing(cloud: Cloud, path: str) -> None:
    """It is neither read nor listed; deleting it again is no error, and the others stay."""
    for number in (1, 2):
        create(cloud, f"{path}/{number}")
    cloud.clients.ssm_timed.delete_parameters(Names=[f"{path}/1"])
    answer = cloud.clients.ssm.get_parameters(Names=[f"{path}/1", f"{path}/2"])
    assert texts(answer) == {f"{path}/2": "{}"}
    assert answer["InvalidParameters"] == [f"{path}/1"]
    assert pages(cloud, path) == [{f"{path}/2": "{}"}]
    cloud.clients.ssm_timed.delete_parameters(Names=[f"{path}/1", f"{path}/2"])
    assert read(cloud, f"{path}/2") == {}


@pytest.mark.deviates(moto="deletes any number of names", ministack="deletes any number of names")
def test_eleven_names_are_not_deleted(cloud: Cloud, path: str) -> None:
    """DeleteParameters takes at most ten; nothing is deleted."""
    create(cloud, f"{path}/0")
    names = [f"{path}/{number}" for number in range(11)]
    refusal = refused(cloud.clients.ssm_timed.delete_parameters, Names=names)
    assert refusal == ("ValidationException", 400)
    assert read(cloud, f"{path}/0") == {f"{path}/0": "{}"}


def test_a_parameter_that_no_stack_declares_has_no_tags(cloud: Cloud, path: str) -> None:
    """CloudFormation names its stack in a tag that no other principal can set."""
    create(cloud, f"{path}/1")
    tags = cloud.clients.ssm.list_tags_for_resource
    assert tags(ResourceType="Parameter", ResourceId=f"{path}/1")["TagList"] == []
