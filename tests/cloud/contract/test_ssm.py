"""What the keyset store relies on in SSM Parameter Store (keyturn.aws.keyset.store).

Source: AWS Systems Manager API Reference.
"""

from functools import partial
from typing import Any

import pytest

from tests.cloud.contract.clouds import Cloud, refused


@pytest.fixture
def path(cloud: Cloud) -> str:
    """A path that nobody has used."""
    return cloud.fresh("/keyturn/contract/keyset")


def create(cloud: Cloud, name: str, text: str = "{}", *, overwrite: bool = False) -> Any:
    """PutParameter as the product makes it."""
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
    found = cloud.clients.ssm.get_paginator("get_parameters_by_path").paginate(Path=path)
    return [texts(page) for page in found]


def test_what_is_created_is_read(cloud: Cloud, path: str) -> None:
    """A new name gets its value."""
    create(cloud, f"{path}/1", '{"generation":1}')
    assert read(cloud, f"{path}/1") == {f"{path}/1": '{"generation":1}'}


def test_a_name_is_created_once(cloud: Cloud, path: str) -> None:
    """A second create is refused, and changes nothing."""
    create(cloud, f"{path}/1", "first")
    refusal = refused(partial(create, cloud, f"{path}/1", "second"))
    assert refusal == ("ParameterAlreadyExists", 400)
    assert read(cloud, f"{path}/1") == {f"{path}/1": "first"}


def test_only_one_of_many_creates_it(cloud: Cloud, path: str) -> None:
    """Of eight at once one succeeds, and its value stays."""
    calls = [partial(create, cloud, f"{path}/1", str(writer)) for writer in range(8)]
    results = cloud.at_once(calls)
    created = [writer for writer, came in enumerate(results) if isinstance(came, dict)]
    assert len(created) == 1
    losers = [came for came in results if not isinstance(came, dict)]
    assert set(losers) <= {("ParameterAlreadyExists", 400), ("TooManyUpdates", 400)}
    assert read(cloud, f"{path}/1") == {f"{path}/1": str(created[0])}


def test_4096_characters_fit(cloud: Cloud, path: str) -> None:
    """The limit of the Standard tier is inclusive."""
    create(cloud, f"{path}/1", "x" * 4096)
    assert read(cloud, f"{path}/1") == {f"{path}/1": "x" * 4096}


@pytest.mark.deviates(
    moto="takes any length in the Standard tier", ministack="takes any length in the Standard tier"
)
def test_4097_characters_do_not_fit(cloud: Cloud, path: str) -> None:
    """One more is refused, and nothing is written."""
    refusal = refused(partial(create, cloud, f"{path}/1", "x" * 4097))
    assert refusal == ("ValidationException", 400)
    assert read(cloud, f"{path}/1") == {}


def test_missing_names_are_listed(cloud: Cloud, path: str) -> None:
    """GetParameters answers with what there is and names the rest."""
    create(cloud, f"{path}/2")
    answer = cloud.clients.ssm.get_parameters(Names=[f"{path}/{n}" for n in (1, 2, 3)])
    assert texts(answer) == {f"{path}/2": "{}"}
    assert sorted(answer["InvalidParameters"]) == [f"{path}/1", f"{path}/3"]


def test_nothing_is_missing(cloud: Cloud, path: str) -> None:
    """The list of missing names is there when it is empty, too."""
    create(cloud, f"{path}/1")
    assert cloud.clients.ssm.get_parameters(Names=[f"{path}/1"])["InvalidParameters"] == []


def test_ten_names_are_read_at_once(cloud: Cloud, path: str) -> None:
    """The most that GetParameters takes."""
    names = [f"{path}/{number}" for number in range(10)]
    for name in names:
        create(cloud, name)
    assert read(cloud, *names) == dict.fromkeys(names, "{}")


@pytest.mark.deviates(ministack="reads any number of names")
def test_eleven_names_are_refused(cloud: Cloud, path: str) -> None:
    """One more than GetParameters takes."""
    names = [f"{path}/{number}" for number in range(11)]
    refusal = refused(cloud.clients.ssm.get_parameters, Names=names)
    assert refusal == ("ValidationException", 400)


@pytest.mark.parametrize("number", [1, 10, 11, 25])
def test_a_path_is_listed_in_pages_of_ten(cloud: Cloud, path: str, number: int) -> None:
    """Every parameter is on one of the pages, none of which holds more than ten."""
    created = {f"{path}/{n:012d}": str(n) for n in range(number)}
    for name, text in created.items():
        create(cloud, name, text)
    listed = pages(cloud, path)
    assert max(map(len, listed)) <= 10
    assert sum(map(len, listed)) == number
    assert {name: text for page in listed for name, text in page.items()} == created


def test_a_path_without_parameters_is_empty(cloud: Cloud, path: str) -> None:
    """No refusal: at least one page, with nothing on it."""
    listed = pages(cloud, path)
    assert listed
    assert not any(listed)


def test_a_path_is_listed_without_what_is_beside_or_below_it(cloud: Cloud, path: str) -> None:
    """Neither another path with the same beginning nor a deeper one."""
    for name in (f"{path}/1", f"{path}-beside/1", f"{path}/1/below"):
        create(cloud, name)
    assert pages(cloud, path) == [{f"{path}/1": "{}"}]


def test_what_is_deleted_is_missing(cloud: Cloud, path: str) -> None:
    """Neither read nor listed; the others stay."""
    for number in (1, 2):
        create(cloud, f"{path}/{number}")
    cloud.clients.ssm_timed.delete_parameters(Names=[f"{path}/1"])
    answer = cloud.clients.ssm.get_parameters(Names=[f"{path}/1", f"{path}/2"])
    assert texts(answer) == {f"{path}/2": "{}"}
    assert answer["InvalidParameters"] == [f"{path}/1"]
    assert pages(cloud, path) == [{f"{path}/2": "{}"}]


def test_deleting_what_is_missing_is_no_fault(cloud: Cloud, path: str) -> None:
    """What is there goes all the same."""
    create(cloud, f"{path}/1")
    cloud.clients.ssm_timed.delete_parameters(Names=[f"{path}/1", f"{path}/2"])
    assert read(cloud, f"{path}/1") == {}


@pytest.mark.deviates(moto="deletes any number of names", ministack="deletes any number of names")
def test_eleven_names_are_not_deleted(cloud: Cloud, path: str) -> None:
    """One more than DeleteParameters takes; nothing is deleted."""
    create(cloud, f"{path}/0")
    names = [f"{path}/{number}" for number in range(11)]
    refusal = refused(cloud.clients.ssm_timed.delete_parameters, Names=names)
    assert refusal == ("ValidationException", 400)
    assert read(cloud, f"{path}/0") == {f"{path}/0": "{}"}


def test_what_no_stack_declares_has_no_tags(cloud: Cloud, path: str) -> None:
    """CloudFormation names its stack in a tag, which nobody else can set."""
    create(cloud, f"{path}/1")
    tags = cloud.clients.ssm.list_tags_for_resource
    assert tags(ResourceType="Parameter", ResourceId=f"{path}/1")["TagList"] == []
