"""Each identity may do what the code needs, and nothing else."""

import re

from tests.infra import roles
from tests.infra.calls_of_cosmos import ACTIONS, Adapters
from tests.infra.code import the_code
from tests.infra.predicted import ROOT, Environment, in_each_environment, predicted
from tests.infra.uses import FOR_OPERATORS, HOLDERS, THROUGH, all_uses, files_of, mentions


@in_each_environment
def test_each_need_has_its_role_and_each_role_its_need(environment: Environment) -> None:
    assert [*roles.assignments(environment, the_code())] == []


@in_each_environment
def test_each_role_has_the_type_of_its_principal_and_a_reason(environment: Environment) -> None:
    assert [*roles.principals(environment, the_code())] == []


@in_each_environment
def test_the_roles_of_cosmos_db_have_the_actions_that_the_adapters_need_and_no_others(environment: Environment) -> None:
    assert [*roles.actions(environment, the_code())] == []


@in_each_environment
def test_only_metadata_is_read_on_the_whole_account(environment: Environment) -> None:
    assert [*roles.metadata(environment, the_code())] == []


@in_each_environment
def test_each_role_of_our_own_is_assigned_where_it_is_made_for(environment: Environment) -> None:
    assert [*roles.definitions(environment, the_code())] == []


def test_the_roles_are_those_of_the_bicep_and_each_is_assigned() -> None:
    named = re.findall(r"'([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})'", (ROOT / "infra/types.bicep").read_text())
    assigned = [
        each["properties"]["roleDefinitionId"] for each in predicted("prod").all_of("Authorization/roleAssignments")
    ]

    assert {*named} == roles.ROLES.keys() == {each.rpartition("/")[2] for each in assigned}


def test_no_role_is_one_to_manage() -> None:
    assert not [role for role in roles.ROLES.values() if role in ("Owner", "Contributor", "User Access Administrator")]


def test_each_method_of_an_adapter_is_used_by_the_app_or_by_operators() -> None:
    adapters, used = Adapters(the_code().adapters), {(each.adapter, each.method) for each in all_uses()}
    of_cosmos = {each for each in HOLDERS.values() if each.startswith("Cosmos")}

    # A holder of another name would hide the needs of its methods.
    every = {(adapter, method) for adapter in of_cosmos for method in adapters.methods(adapter) - {"close"}}
    assert every - used == set()


def test_the_app_calls_no_function_that_is_for_operators_only() -> None:
    app = files_of("function_app.py")

    for file, functions in FOR_OPERATORS.items():
        assert [each for each in app - {file} for name in functions if mentions(each, name)] == []


def test_what_operators_call_in_the_archive_is_looked_through() -> None:
    called = {each.method for each in all_uses() if (each.who, each.adapter) == ("operators", "Archive")}

    assert called == {name for name in THROUGH["shared/archive.py"] if not name.startswith("_")}


def test_no_call_of_an_adapter_is_hidden() -> None:
    assert Adapters(the_code().adapters).hidden_calls == set()


def test_each_action_that_is_needed_follows_from_a_call_of_the_sdk() -> None:
    assert {action for _, _, action in the_code().needs} <= {*ACTIONS.values()}


def test_the_account_gets_its_roles_one_after_the_other() -> None:
    # It refuses a second change meanwhile: 412 PreconditionFailed, "requires an exclusive lock".
    text = (ROOT / "infra/modules/cosmos-roles.bicep").read_text(encoding="utf-8")

    before = re.findall(r"(.*)\nresource \w+ 'Microsoft\.DocumentDB/databaseAccounts/sqlRole\w+@[^']+' = \[", text)
    assert before == ["@batchSize(1)"] * 3
