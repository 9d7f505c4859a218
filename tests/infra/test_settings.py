"""The app settings of each environment are those that the code reads, and lead to its services."""

from tests.infra import settings
from tests.infra.code import the_code
from tests.infra.predicted import Environment, in_each_environment


@in_each_environment
def test_every_deployed_setting_is_set_and_besides_them_only_those_of_the_platform(environment: Environment) -> None:
    assert [*settings.names(environment, the_code())] == []


@in_each_environment
def test_a_setting_has_the_identity_of_the_app_or_a_reference_to_the_secret(environment: Environment) -> None:
    assert [*settings.kinds(environment, the_code())] == []


@in_each_environment
def test_the_archive_starts_with_the_settings(environment: Environment) -> None:
    assert [*settings.validity(environment, the_code())] == []


@in_each_environment
def test_no_value_looks_like_a_key_or_a_connection_string(environment: Environment) -> None:
    assert [*settings.secrets(environment, the_code())] == []
