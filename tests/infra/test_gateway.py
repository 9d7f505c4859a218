"""API Management has the operations of the contract, and hands on what a caller sends."""

from tests.infra import gateway
from tests.infra.code import the_code
from tests.infra.predicted import Environment, in_each_environment


@in_each_environment
def test_the_api_has_every_operation_of_the_contract_and_no_other(environment: Environment) -> None:
    assert [*gateway.operations(environment, the_code())] == []


@in_each_environment
def test_the_api_is_the_contract(environment: Environment) -> None:
    assert [*gateway.whole_contract(environment, the_code())] == []


@in_each_environment
def test_the_key_of_a_caller_is_left_to_the_archive(environment: Environment) -> None:
    assert [*gateway.keys(environment, the_code())] == []


@in_each_environment
def test_the_policy_is_well_formed_and_changes_no_request(environment: Environment) -> None:
    assert [*gateway.policies(environment, the_code())] == []


@in_each_environment
def test_named_values_and_backends_exist_and_are_used(environment: Environment) -> None:
    assert [*gateway.named(environment, the_code())] == []


@in_each_environment
def test_no_log_has_a_debtor_a_key_or_a_body(environment: Environment) -> None:
    assert [*gateway.logs(environment, the_code())] == []
