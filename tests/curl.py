"""What curl would print: a machine may have none, so the commands that documents show are read here."""

import shlex

import httpx

LOCAL = "http://localhost:7071"
"""Where `make run` serves, as documents say."""


def answer(command: str, origin: str) -> str:
    """Return what a documented command prints when its archive is at `origin` instead."""
    arguments = iter(shlex.split(command)[1:])
    method, address, headers, body = "GET", "", {}, None
    for argument in arguments:
        match argument:
            case "-s":
                pass
            case "-w":
                assert next(arguments) == r"\n%{http_code}\n"
            case "-X":
                method = next(arguments)
            case "-H":
                name, _, value = next(arguments).partition(": ")
                headers[name] = value
            case "-d":
                body = next(arguments)
            case _:
                address = argument
    told = httpx.request(method, address.replace(LOCAL, origin), headers=headers, content=body)
    return f"{told.text}\n{told.status_code}\n"
