"""The process of a cold start: loads a Function App, publishes one notice, prints the status.

python first_publication.py APP FUNCTION PATH BODY
"""

import asyncio
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

folder, name, path, body = sys.argv[1:]
# The script's own folder has no modules. The app comes before ours, which may be another one.
sys.path[:1] = [folder, str(Path(__file__).parents[2])]

import function_app  # noqa: E402

from azure import functions as func  # noqa: E402  isort:skip


async def publish() -> Any:
    """Call the function as the worker does, and return its answer."""
    function = next(one for one in function_app.app.get_functions() if one.get_function_name() == name)
    headers = {"Ocp-Apim-Subscription-Key": "local-ec", "Content-Type": "application/json"}
    institution, number = path.split("/")[4], path.split("/")[-1]
    request = func.HttpRequest(
        "PUT",
        f"http://localhost:7071{path}",
        headers={**headers, "Host": "localhost", "Content-Length": str(len(body.encode()))},
        route_params={"ec": institution, "nav": number},
        body=body.encode(),
    )
    call: Any = function.get_user_function()
    return await (call(request) if name == "publish_notice" else call(request, CONTEXT))


CONTEXT = SimpleNamespace(
    function_directory=folder,
    function_name=name,
    invocation_id="call",
    thread_local_storage=None,
    trace_context=None,
    retry_context=None,
)
"""What Microsoft's adapter for ASGI passes on."""


async def main() -> None:
    """Publish, say that it is done, and end at once."""
    answer = await publish()
    print(answer.status_code, flush=True)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
