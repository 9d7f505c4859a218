"""The platform can run each function in each environment."""

from tests.infra import triggers
from tests.infra.code import the_code
from tests.infra.predicted import Environment, in_each_environment


@in_each_environment
def test_each_trigger_of_service_bus_has_its_connection_and_its_queue(environment: Environment) -> None:
    assert [*triggers.connections(environment, the_code())] == []


@in_each_environment
def test_the_host_has_its_storage_for_timers_and_the_package(environment: Environment) -> None:
    assert [*triggers.host_storage(environment, the_code())] == []


@in_each_environment
def test_instances_that_are_always_ready_are_for_functions_that_exist(environment: Environment) -> None:
    assert [*triggers.always_ready(environment, the_code())] == []


@in_each_environment
def test_concurrency_memory_and_number_of_instances_are_chosen(environment: Environment) -> None:
    assert [*triggers.concurrency(environment, the_code())] == []


@in_each_environment
def test_a_message_stays_locked_while_its_function_runs(environment: Environment) -> None:
    assert [*triggers.locks_of_messages(environment, the_code())] == []


@in_each_environment
def test_the_app_runs_on_a_python_that_is_tested(environment: Environment) -> None:
    assert [*triggers.python(environment, the_code())] == []
