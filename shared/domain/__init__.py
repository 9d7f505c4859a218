"""The domain: notices and their rules. It is pure: no I/O, no clock, no JSON."""
