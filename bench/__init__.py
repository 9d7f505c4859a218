"""Measurements of the archive on this machine: rates, latencies and CPU time."""
