"""Every service of each environment is as secure as the tables of switches.py say."""

from tests.infra import switches
from tests.infra.code import the_code
from tests.infra.predicted import Environment, in_each_environment, kind_of, predicted


@in_each_environment
def test_each_switch_has_its_value(environment: Environment) -> None:
    assert [*switches.switches(environment, the_code())] == []


@in_each_environment
def test_everything_with_data_is_locked_in_prod(environment: Environment) -> None:
    assert [*switches.locks(environment, the_code())] == []


@in_each_environment
def test_everything_that_can_sends_its_logs_and_none_has_hashes_of_debtors(environment: Environment) -> None:
    assert [*switches.diagnostics(environment, the_code())] == []


@in_each_environment
def test_each_service_has_a_private_endpoint_whose_name_leads_there(environment: Environment) -> None:
    assert [*switches.private_endpoints(environment, the_code())] == []


@in_each_environment
def test_the_app_and_the_gateway_have_a_way_to_the_endpoints_and_the_internet_has_none(
    environment: Environment,
) -> None:
    assert [*switches.subnets(environment, the_code())] == []


@in_each_environment
def test_nothing_is_opened_with_a_shared_key(environment: Environment) -> None:
    assert [*switches.shared_access(environment, the_code())] == []


@in_each_environment
def test_the_machine_of_the_operators_has_no_public_address(environment: Environment) -> None:
    assert [*switches.public_addresses(environment, the_code())] == []


@in_each_environment
def test_zones_have_the_instances_that_are_billed(environment: Environment) -> None:
    assert [*switches.always_ready(environment, the_code())] == []


@in_each_environment
def test_the_machine_of_the_operators_has_its_tools_and_no_secret(environment: Environment) -> None:
    assert [*switches.tools(environment, the_code())] == []


def test_each_type_of_the_tables_is_there() -> None:
    found = {kind_of(each) for each in predicted("prod").resources}

    assert (switches.WITH_LOGS | switches.WITHOUT_LOGS.keys()) - found == set()
