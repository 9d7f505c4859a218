"""What the platform's host does around a function, case by case, as data that any host can be held against.

`cases.json` has one row a case. `request` are the bytes that are sent, one character a byte. `{host}` stands for the
host that is asked, `{x*9}` for nine times x. What is expected:

    status, body     of the answer
    headers          some of its headers, null for one that is not there
    seen             some of what the function received, as `app/echo_app.py` answers it
    closed           the host ends the connection
    interim          the statuses that come before the answer
    local            where the development host differs on purpose: why, and what it answers instead

`source` says where the row is from: a run against that version of the platform's host. The rows were run against one
host on one machine, with nothing in front of it.

Some cases are no rows. They need more than one request, or more time than a test has: limits of time for headers,
bodies and functions, a connection without requests, limits of requests at once, pipelining, a worker that dies, a host
that starts, SIGTERM. Or they need an app that is broken: wrong settings, a wrong host.json, functions that hide each
other (the development host refuses those when it loads). Or no client can read the answer: the statuses 100 and 101,
CONNECT. Or the archive has no use for them: cookies of a function, templates with types and defaults.
"""
