"""How fast the archive is on this machine, and what a request costs."""
