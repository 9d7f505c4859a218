"""Queues, topic and subscriptions are the same in Azure, in infra/messaging.json and in the code."""

from tests.infra import entities
from tests.infra.code import the_code
from tests.infra.predicted import Environment, in_each_environment


@in_each_environment
def test_queues_have_the_properties_of_the_file(environment: Environment) -> None:
    assert [*entities.queues(environment, the_code())] == []


@in_each_environment
def test_topics_and_subscriptions_have_the_properties_of_the_file(environment: Environment) -> None:
    assert [*entities.topics(environment, the_code())] == []


@in_each_environment
def test_each_subscription_has_the_filter_of_the_file_in_place_of_the_one_of_azure(environment: Environment) -> None:
    assert [*entities.filters(environment, the_code())] == []


@in_each_environment
def test_a_filter_has_properties_and_types_that_are_sent(environment: Environment) -> None:
    assert [*entities.terms(environment, the_code())] == []


@in_each_environment
def test_the_entities_are_those_that_the_code_names(environment: Environment) -> None:
    assert [*entities.names(environment, the_code())] == []
