"""Requests that every side must answer alike before it is measured: valid ones and broken ones.

Each has the expected status and error code. They are sent in their order to a side without notices, because later ones
depend on earlier ones.
"""

from bench.corpus.broken import broken_bodies
from bench.corpus.case import Case
from bench.corpus.publications import passing_dates, publications, repetitions
from bench.corpus.reads import access, reads

CASES: tuple[Case, ...] = (*publications(), *repetitions(), *broken_bodies(), *access(), *reads())
"""The cases in their order. After them come those of `passing_dates`, which need the time."""

__all__ = ["CASES", "Case", "passing_dates"]
