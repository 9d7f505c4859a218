"""Operators register, show, list, change and remove creditor institutions."""

import pytest

from tests.ops.command_line import CODE, IBAN, POSTAL_IBAN, Operator, rows

LENIENT_IBAN = "IT00INVENTED000"


def test_an_institution_is_shown_as_it_was_registered(operator: Operator) -> None:
    options = ["--stand-in", "--iban", f"{IBAN}:ACA,CUP", "--iban", f"{POSTAL_IBAN}:CUP:postal"]
    exclusions = ["--exclude", "47:2026-01-01", "--exclude", "48:2026-01-01:2026-06-30"]
    added = operator.add_institution(CODE, *options, *exclusions)

    shown = operator.read("institutions", "show", CODE)

    registered_at = shown["ibans"][0]["registeredAt"]
    assert shown == added
    assert shown == {
        "fiscalCode": CODE,
        "name": "Comune di Esempio",
        "lenient": False,
        "standIn": True,
        "ibans": [
            {
                "iban": IBAN,
                "labels": ["ACA", "CUP"],
                "postal": False,
                "default": True,
                "registeredAt": registered_at,
            },
            {
                "iban": POSTAL_IBAN,
                "labels": ["CUP"],
                "postal": True,
                "default": False,
                "registeredAt": registered_at,
            },
        ],
        "exclusions": [
            {"segregationCode": "47", "firstDay": "2026-01-01", "lastDay": None},
            {"segregationCode": "48", "firstDay": "2026-01-01", "lastDay": "2026-06-30"},
        ],
    }


def test_an_institution_is_shown_to_people_as_a_table(operator: Operator) -> None:
    operator.add_institution(CODE, "--stand-in", "--iban", f"{POSTAL_IBAN}:postal", "--exclude", "47:2026-01-01")

    shown = operator.ask("institutions", "show", CODE).stdout

    assert shown == (
        "fiscal code  11111111115\n"
        "name         Comune di Esempio\n"
        "checks       strict\n"
        "Stand-In     enabled\n"
        f"IBANs        {POSTAL_IBAN}, ACA, postal, the default\n"
        "exclusions   47 from 2026-01-01\n"
    )


def test_a_name_is_shown_as_it_is(operator: Operator) -> None:
    operator.add_institution(CODE, "--name", "Città [bold]di[/bold] Forlì :smile:")

    assert "Città [bold]di[/bold] Forlì :smile:\n" in operator.ask("institutions", "show", CODE).stdout


def test_institutions_are_listed_by_fiscal_code_and_found_by_a_part_of_their_name(operator: Operator) -> None:
    operator.add_institution("33333333333", "--name", "Comune di Forlì")
    operator.add_institution("22222222222", "--name", "Provincia di Esempio", "--lenient")

    everyone = operator.ask("institutions", "list").stdout
    found = operator.read("institutions", "list", "--name", "FORLÌ")

    assert rows(everyone) == [
        ["22222222222", "Provincia di Esempio", "lenient", "not enabled", IBAN],
        ["33333333333", "Comune di Forlì", "strict", "not enabled", IBAN],
    ]
    assert [institution["fiscalCode"] for institution in found["items"]] == ["33333333333"]
    assert operator.ask("institutions", "list", "--name", "nobody").stdout == "None.\n"
    assert operator.read("institutions", "list", "--name", "nobody") == {"items": []}


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("Città di Castello", "citta di"),
        ("Citta di Castello", "CITTÀ"),
        ("CITTA' DI CASTELLO", "città di"),
        ("Città di Castello", "Citta'"),
        ("L’Aquila", "l'aquila"),
        ("L'Aquila", "LAQUILA"),
        ("Großenzersdorf", "GROSSEN"),
        ("Castello di Cittá", "cittá"),
    ],
)
def test_an_institution_is_found_by_name_whatever_the_case_accents_and_apostrophes(
    name: str, part: str, operator: Operator
) -> None:
    operator.add_institution(CODE, "--name", name)
    operator.add_institution("22222222222", "--name", "Comune di Esempio")

    found = operator.read("institutions", "list", "--name", part)["items"]

    assert [institution["name"] for institution in found] == [name]


def test_every_fault_of_an_institution_is_told_at_once(operator: Operator) -> None:
    faults = operator.refused(
        *("institutions", "add", "1111111111", "--name", "", "--iban", "IT60X", "--iban", f"{IBAN}:aca"),
        *("--iban", f"{IBAN}:postal", "--iban", f"{IBAN}:A:B:postal", "--exclude", "4:2026-01-01"),
        *("--exclude", "47:2026-02-30", "--exclude", "47", "--exclude", "47:2026-02-01:2026-01-01"),
        exit_code=2,
    )

    assert faults.splitlines() == [
        "CODE '1111111111' must be 11 digits: it has 10 digits.",
        "--name '' must be 1 to 140 printable characters, without spaces at the start or the end.",
        "--iban 'IT60X' must be an IBAN of IT or SM, with right check digits and CIN: it has 5 characters, not 27.",
        f"--iban '{IBAN}:aca' must have labels of upper-case letters, digits, _ and -, with commas between them.",
        f"--iban '{IBAN}:postal' must be an IBAN of Poste Italiane: characters 6 to 10 (ABI) must be 07601.",
        f"--iban '{IBAN}:A:B:postal' must be written IBAN[:LABEL,LABEL][:postal].",
        "--exclude '4:2026-01-01' must name segregation codes of two digits.",
        "--exclude '47:2026-02-30' must be a day such as 2026-12-16: the month has no such day.",
        "--exclude '47' must be written CODE:FIRST_DAY[:LAST_DAY], such as 47:2026-01-01:2026-06-30.",
        "--exclude '47:2026-02-01:2026-01-01' must not end before it begins.",
    ]
    assert not operator.data.exists(), "What is refused begins no archive."


@pytest.mark.parametrize("name", [" Comune", "Comune\ndi Esempio", "C" * 141, "\udc80"])
def test_a_name_that_cannot_be_shown_is_refused(name: str, operator: Operator) -> None:
    assert "--name" in operator.refused("institutions", "add", CODE, "--name", name, exit_code=2)


def test_an_institution_that_is_registered_is_not_registered_again(operator: Operator) -> None:
    before = operator.add_institution()

    refusal = operator.refused("institutions", "add", CODE, "--name", "another")

    assert refusal.startswith(f"{CODE} is already registered. `institutions change {CODE}`")
    assert operator.read("institutions", "show", CODE) == before


def test_the_ibans_of_a_lenient_institution_are_checked_for_form_only(operator: Operator) -> None:
    added = operator.add_institution(CODE, "--lenient", "--iban", f"{LENIENT_IBAN}:postal")

    assert [iban["iban"] for iban in added["ibans"]] == [LENIENT_IBAN]


def test_a_lenient_institution_cannot_become_strict_with_ibans_that_are_not(operator: Operator) -> None:
    operator.add_institution(CODE, "--lenient", "--iban", LENIENT_IBAN)

    refusal = operator.refused("institutions", "change", CODE, "--strict", exit_code=2)

    assert refusal.startswith(f"The IBAN '{LENIENT_IBAN}' must be an IBAN of IT or SM")
    replaced = operator.read(
        "institutions", "change", CODE, "--strict", "--remove-iban", LENIENT_IBAN, "--add-iban", IBAN
    )
    assert (replaced["lenient"], [iban["iban"] for iban in replaced["ibans"]]) == (False, [IBAN])


def test_a_change_names_what_changes_and_the_rest_stays(operator: Operator) -> None:
    before = operator.add_institution(CODE, "--exclude", "47:2026-01-01")

    steps = {
        "name": operator.read("institutions", "change", CODE, "--name", "Città di Esempio"),
        "lenient": operator.read("institutions", "change", CODE, "--lenient"),
        "standIn": operator.read("institutions", "change", CODE, "--stand-in"),
        "ibans": operator.read("institutions", "change", CODE, "--add-iban", f"{POSTAL_IBAN}:CUP"),
        "exclusions": operator.read("institutions", "change", CODE, "--add-exclusion", "48:2026-01-01"),
    }

    for field, after in steps.items():
        assert [name for name in after if after[name] != before[name]] == [field]
        before = after
    assert operator.read("institutions", "show", CODE) == before


def test_removals_come_before_additions_so_one_command_replaces(operator: Operator) -> None:
    operator.add_institution(CODE, "--exclude", "47:2026-01-01")

    changed = operator.read(
        *("institutions", "change", CODE, "--add-iban", f"{IBAN}:CUP", "--remove-iban", IBAN),
        *("--add-exclusion", "47:2026-01-01:2026-06-30", "--remove-exclusion", "47:2026-01-01"),
    )

    assert [iban["labels"] for iban in changed["ibans"]] == [["CUP"]]
    assert [exclusion["lastDay"] for exclusion in changed["exclusions"]] == ["2026-06-30"]


def test_the_newest_iban_labelled_aca_is_the_default(operator: Operator) -> None:
    operator.add_institution()

    added = operator.read("institutions", "change", CODE, "--add-iban", POSTAL_IBAN)
    first_again = operator.read("institutions", "change", CODE, "--remove-iban", IBAN, "--add-iban", IBAN)

    assert {iban["iban"]: iban["default"] for iban in added["ibans"]} == {IBAN: False, POSTAL_IBAN: True}
    assert {iban["iban"]: iban["default"] for iban in first_again["ibans"]} == {IBAN: True, POSTAL_IBAN: False}


def test_an_institution_without_a_default_iban_is_warned_of(operator: Operator) -> None:
    warning = "No IBAN has the label ACA. A notice without an IBAN is refused (no_iban_registered).\n"

    added = operator.ask("institutions", "add", CODE, "--name", "Comune di Esempio", "--iban", f"{IBAN}:CUP")

    assert added.stderr == f"Creating a new archive in {operator.data}.\n{warning}"
    assert operator.ask("institutions", "change", CODE, "--add-iban", POSTAL_IBAN).stderr == ""
    assert operator.ask("institutions", "change", CODE, "--remove-iban", POSTAL_IBAN).stderr == warning


@pytest.mark.parametrize(
    ("options", "exit_code", "sentence"),
    [
        (["--add-iban", IBAN], 2, "An IBAN would be registered twice"),
        (["--add-exclusion", "47:2026-01-01:2026-01-02"], 2, "An exclusion would be registered twice"),
        (
            ["--remove-iban", POSTAL_IBAN],
            1,
            f"The IBAN '{POSTAL_IBAN}' is not registered.\n`institutions show {CODE}` shows",
        ),
        (
            ["--remove-exclusion", "48:2026-01-01"],
            1,
            "The exclusion '48:2026-01-01' is not registered.\n`institutions show",
        ),
        (["--name", "", "--add-iban", "IT60"], 2, "--name '' must be"),
    ],
)
def test_a_change_that_does_not_fit_is_refused_whole(
    options: list[str], exit_code: int, sentence: str, operator: Operator
) -> None:
    before = operator.add_institution(CODE, "--exclude", "47:2026-01-01")

    refusal = operator.refused("institutions", "change", CODE, "--lenient", *options, exit_code=exit_code)

    assert refusal.startswith(sentence)
    assert operator.read("institutions", "show", CODE) == before


def test_a_change_that_changes_nothing_says_so(operator: Operator) -> None:
    operator.add_institution()

    assert operator.ask("institutions", "change", CODE, "--strict").stdout.startswith("Nothing to change")


def test_an_institution_that_was_removed_is_not_found(operator: Operator) -> None:
    operator.add_institution()

    removed = operator.ask("institutions", "remove", CODE, "--yes")

    assert removed.stdout == f"Removed {CODE}. A running archive sees it within 60 seconds.\n"
    assert removed.stderr == ""
    assert (
        operator.refused("institutions", "show", CODE)
        == f"{CODE} is not registered. `institutions list` shows the registered institutions.\n"
    )


def test_removing_an_institution_names_the_callers_that_are_still_granted_it(operator: Operator) -> None:
    operator.add_institution()
    operator.add_caller("an-ec")
    operator.add_caller("a-broker", "--role", "broker", "--grant", f"{CODE}:47")
    operator.add_caller("the-platform", "--role", "platform", "--grant", "*:*")

    assert operator.ask("institutions", "remove", CODE, "--yes").stderr.startswith(
        "Still granted to a-broker, an-ec. `callers change NAME --remove-grant"
    )


@pytest.mark.parametrize("command", [["show"], ["change", "--lenient"], ["remove", "--yes"]])
def test_an_institution_nobody_registered_is_not_found(command: list[str], operator: Operator) -> None:
    operator.add_institution()

    verb, *options = command

    sentence = operator.refused("institutions", verb, "22222222222", *options)
    assert sentence == "22222222222 is not registered. `institutions list` shows the registered institutions.\n"
    assert (
        operator.refused("institutions", verb, "2222", *options, exit_code=2)
        == "CODE '2222' must be 11 digits: it has 4 digits.\n"
    )
