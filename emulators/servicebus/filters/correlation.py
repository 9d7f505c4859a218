"""Correlation filters: each named property has exactly the named value."""

from collections.abc import Mapping

from emulators.servicebus.filters.names import SYSTEM_NAMES, Filter, Names, equal


def correlation(wanted: Mapping[str, object]) -> Filter:
    """Return the filter of a description in the words of ARM: `label`, `correlationId` …, and `properties`.

    Raises ValueError for a name that the service does not have, or a filter without a property.
    """
    system = {name: value for name, value in wanted.items() if name != "properties"}
    for name in system:
        if name.lower() not in SYSTEM_NAMES:
            raise ValueError(f"A correlation filter has no {name}.")
    application = wanted.get("properties", {})
    if not isinstance(application, Mapping) or not (system or application):
        raise ValueError("A correlation filter names at least one property.")

    def holds(names: Names) -> bool:
        return all(equal(names.system(name), value) for name, value in system.items()) and all(
            equal(names.application(name), value) for name, value in application.items()
        )

    return holds
