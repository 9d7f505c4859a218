"""Doubles of services of Azure, for tests and for `make run-azure`. Nothing here is deployed."""
