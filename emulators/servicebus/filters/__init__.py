"""Filters of subscriptions: which messages of a topic a subscription gets."""

from emulators.servicebus.filters.correlation import correlation
from emulators.servicebus.filters.names import Filter, Names, every_message
from emulators.servicebus.filters.sql import sql

__all__ = ["Filter", "Names", "correlation", "every_message", "sql"]
