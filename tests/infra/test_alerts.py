"""Each alert looks at something that exists, and leads to its runbook."""

from tests.infra import alerts
from tests.infra.code import the_code
from tests.infra.predicted import Environment, in_each_environment


@in_each_environment
def test_an_alert_has_a_severity_a_description_its_runbook_and_somebody_to_notify(environment: Environment) -> None:
    assert [*alerts.descriptions(environment, the_code())] == []


@in_each_environment
def test_each_alert_is_on_and_goes_to_somebody(environment: Environment) -> None:
    assert [*alerts.active(environment, the_code())] == []


@in_each_environment
def test_each_alert_has_a_runbook_and_each_runbook_an_alert(environment: Environment) -> None:
    assert [*alerts.runbooks(environment, the_code())] == []


@in_each_environment
def test_the_metrics_entities_and_containers_of_an_alert_exist(environment: Environment) -> None:
    assert [*alerts.metrics(environment, the_code())] == []


@in_each_environment
def test_every_container_queue_and_topic_is_watched(environment: Environment) -> None:
    assert [*alerts.coverage(environment, the_code())] == []


@in_each_environment
def test_a_query_reads_events_and_keys_that_the_code_logs(environment: Environment) -> None:
    assert [*alerts.queries(environment, the_code())] == []


@in_each_environment
def test_a_reader_that_fails_in_each_turn_raises_its_alert(environment: Environment) -> None:
    assert [*alerts.lags(environment, the_code())] == []


@in_each_environment
def test_the_health_address_is_asked_from_outside_with_an_alert(environment: Environment) -> None:
    assert [*alerts.web_tests(environment, the_code())] == []
