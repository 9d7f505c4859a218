"""The rules of the domain, tested without any infrastructure."""
