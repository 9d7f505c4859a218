"""The containers of Cosmos DB are the same in Azure, in infra/data.json and in the adapters."""

from tests.infra import containers
from tests.infra.code import the_code
from tests.infra.predicted import Environment, in_each_environment


@in_each_environment
def test_keys_indexes_and_times_to_live_are_those_of_the_file(environment: Environment) -> None:
    assert [*containers.containers(environment, the_code())] == []


@in_each_environment
def test_the_containers_are_those_that_the_adapters_ask(environment: Environment) -> None:
    assert [*containers.names(environment, the_code())] == []


@in_each_environment
def test_the_account_has_bounded_staleness_and_one_region_that_writes(environment: Environment) -> None:
    assert [*containers.consistency(environment, the_code())] == []


@in_each_environment
def test_dev_is_serverless_and_the_others_have_autoscale(environment: Environment) -> None:
    assert [*containers.capacity(environment, the_code())] == []
