"""The peer: publications and reads of the archive's contract, as a service of FastAPI and pydantic.

It is what the archive is compared with, so it is written as FastAPI, pydantic and its store are usually used, and with
care. It gives the same answers to the requests that it has: publish, get, list, history. It imports nothing of the
archive. Its store is an argument, so that it can run on SQLite or on Cosmos DB.
"""
