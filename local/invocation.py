"""What a function is told about its own call, when it asks for a `context`."""

import threading
from typing import Any
from uuid import uuid4

import azure.functions as func


class Invocation(func.Context):
    """One call of one function: a new id each time, never a retry, no trace of a caller."""

    def __init__(self, function_name: str) -> None:
        self._function_name = function_name
        self._invocation_id = str(uuid4())
        self._thread_local_storage: Any = threading.local()

    @property
    def invocation_id(self) -> str:
        """The id of this call."""
        return self._invocation_id

    @property
    def function_name(self) -> str:
        """The name the function is indexed under."""
        return self._function_name

    @property
    def function_directory(self) -> str:
        """The directory of the app: where the process was started."""
        return "."

    @property
    def thread_local_storage(self) -> Any:
        """A place for the id of this call, where threads of the function look for it."""
        return self._thread_local_storage

    @property
    def trace_context(self) -> Any:
        """Nothing: no trace goes through this host."""
        return None

    @property
    def retry_context(self) -> Any:
        """Nothing: this host calls once."""
        return None
