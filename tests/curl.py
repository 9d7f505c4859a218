"""Sends the `curl` commands that documents show. A machine may have no curl, so they are read here."""

import shlex

import httpx

LOCAL = "http://localhost:7071"
"""Where `make run` serves, as documents say."""


def request_of(command: str, origin: str) -> httpx.Request:
    """Return the request that a documented command sends when its archive is at `origin` instead."""
    program, *arguments = shlex.split(command.replace("\\\n", " "))
    assert program == "curl", command
    method, address, headers, body = "GET", "", {}, None
    rest = iter(arguments)
    for argument in rest:
        match argument:
            case "-s" | "-i":
                pass
            case "-w":
                assert next(rest) == r"\n%{http_code}\n"
            case "-X":
                method = next(rest)
            case "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            case "-d":
                body = next(rest)
            case _:
                assert argument.startswith(LOCAL), f"{command}: {argument}"
                address = argument
    return httpx.Request(method, address.replace(LOCAL, origin), headers=headers, content=body)


def answer(command: str, origin: str) -> str:
    """Return what a documented command prints, its status in the last line."""
    with httpx.Client(timeout=30) as client:
        answered = client.send(request_of(command, origin))
    return f"{answered.text}\n{answered.status_code}\n"
