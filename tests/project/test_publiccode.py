"""publiccode.yml keeps to the standard, version 0.5.

The rules are those of https://yml.publiccode.tools (core and Italian section) and of the Italian catalogue's validator
(https://github.com/italia/publiccode-parser-go, a Go program), for the keys that are used here.
"""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

import pytest
import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic.alias_generators import to_camel

ROOT = Path(__file__).parents[2]

CATEGORIES = """
    accounting agile-project-management applicant-tracking application-development appointment-scheduling backup
    billing-and-invoicing blog budgeting business-intelligence business-process-management cad call-center-management
    cloud-management collaboration communications compliance-management contact-management content-management crm
    customer-service-and-support data-analytics data-collection data-visualization design design-system
    digital-asset-management digital-citizenship document-management donor-management e-commerce e-signature
    educational-content email-management email-marketing employee-management enterprise-project-management
    enterprise-social-networking erp event-management facility-management feedback-and-reviews-management
    financial-reporting fleet-management fundraising gamification geographic-information-systems grant-management
    graphic-design help-desk hr ide identity-management instant-messaging inventory-management it-asset-management
    it-development it-management it-security it-service-management knowledge-management learning-management-system
    marketing mind-mapping mobile-marketing mobile-payment network-management office online-booking online-community
    payment-gateway payroll predictive-analysis procurement productivity-suite project-collaboration project-management
    property-management real-estate-management remote-support resource-management sales-management seo service-desk
    social-media-management survey talent-management task-management taxes-management test-management time-management
    time-tracking translation video-conferencing video-editing visitor-management voip warehouse-management
    web-collaboration web-conferencing website-builder whistleblowing workflow-management
"""
SCOPES = """
    agriculture culture defence education emergency-services employment energy environment
    finance-and-economic-development foreign-affairs government healthcare infrastructures justice local-authorities
    manufacturing research science-and-technology security society sport tourism transportation welfare
"""


def one_of(vocabulary: str) -> AfterValidator:
    """Return what refuses a word that the vocabulary lacks."""
    words = vocabulary.split()

    def check(word: str) -> str:
        if word not in words:
            raise ValueError("not in the vocabulary")
        return word

    return AfterValidator(check)


Words = Annotated[str, StringConstraints(pattern=r"\S")]
Day = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\d$"), AfterValidator(date.fromisoformat)]
Address = Annotated[str, StringConstraints(pattern=r"^https://[a-z0-9.-]+/\S+$")]
Country = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
Language = Annotated[str, StringConstraints(pattern="^[a-z]{2,3}(-[A-Z]{2})?$")]


class Part(BaseModel):
    """An object with these keys and no other."""

    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel)


class Audience(Part):
    countries: list[Country]
    scope: list[Annotated[str, one_of(SCOPES)]]


class Description(Part):
    localised_name: Words
    short_description: Annotated[str, StringConstraints(min_length=1, max_length=150, pattern="^[^\n]*$")]
    long_description: Annotated[str, StringConstraints(min_length=150, max_length=10_000)]
    features: Annotated[list[Words], Field(min_length=1)]


class Legal(Part):
    license: Literal["EUPL-1.2"]


class Contact(Part):
    name: Words
    email: Words | None = None
    phone: Words | None = None
    affiliation: Words | None = None


class Contractor(Part):
    name: Words
    until: Day
    email: Words | None = None
    website: Address | None = None


class Maintenance(Part):
    type: Literal["internal", "contract", "community", "none"]
    contacts: list[Contact] = []
    contractors: list[Contractor] = []

    @model_validator(mode="after")
    def _names_who_maintains(self) -> Self:
        if self.type in ("internal", "community") and not self.contacts:
            raise ValueError("whoever maintains it names a contact, who is a person")
        if (self.type == "contract") != bool(self.contractors):
            raise ValueError("a contract, and nothing else, names contractors")
        return self


class Localisation(Part):
    localisation_ready: bool
    available_languages: Annotated[list[Language], Field(min_length=1)]


class Platforms(Part):
    spid: bool
    cie: bool
    anpr: bool
    pagopa: bool
    io: bool


class Italy(Part):
    country_extension_version: Literal["1.0"]
    piattaforme: Platforms


class PublicCode(Part):
    publiccode_yml_version: Literal["0.5"]
    name: Words
    url: Address
    software_version: Words | None = None
    release_date: Day | None = None
    platforms: Annotated[list[Words], Field(min_length=1)]
    categories: Annotated[list[Annotated[str, one_of(CATEGORIES)]], Field(min_length=1)]
    development_status: Literal["concept", "development", "beta", "stable", "obsolete"]
    software_type: Literal[
        "standalone/mobile", "standalone/iot", "standalone/desktop", "standalone/web", "standalone/backend",
        "standalone/other", "addon", "library", "configurationFiles",
    ]  # fmt: skip
    intended_audience: Audience
    description: Annotated[dict[Language, Description], Field(min_length=1)]
    legal: Legal
    maintenance: Maintenance
    localisation: Localisation
    italy: Annotated[Italy, Field(alias="IT")]


def test_publiccode_keeps_to_the_standard() -> None:
    described = PublicCode.model_validate(publiccode())

    assert {"it", "en"} <= set(described.description)


@pytest.mark.parametrize(
    "change",
    [
        {"publiccodeYmlVersion": 0.5},
        {"url": "github.com/pagopa"},
        {"categories": ["payments"]},
        {"platforms": []},
        {"softwareType": "standalone"},
        {"releaseDate": "2026-02-30"},
        {"legal": {"license": "GPL-3.0-only"}},
        {"maintenance": {"type": "internal"}},
        {"maintenance": {"type": "contract"}},
        {"maintenance": {"type": "none", "contractors": [{"name": "A company", "until": "2027-12-31"}]}},
        {"description": {}},
        {"colour": "blue"},
    ],
)
def test_what_the_standard_forbids_is_noticed(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PublicCode.model_validate(publiccode() | change)


def test_publiccode_says_what_the_readme_and_the_licence_say() -> None:
    described = PublicCode.model_validate(publiccode())

    assert (ROOT / "README.md").read_text(encoding="utf-8").startswith(f"# {described.name}\n")
    assert "EUROPEAN UNION PUBLIC LICENCE v. 1.2" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def publiccode() -> dict[str, object]:
    described: dict[str, object] = yaml.safe_load((ROOT / "publiccode.yml").read_text(encoding="utf-8"))
    return described
