"""The app where the platform looks for it."""

from echo_app import app  # type: ignore[import-not-found]

__all__ = ["app"]
