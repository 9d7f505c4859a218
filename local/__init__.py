"""The development host: runs the functions of the archive on this machine, without Core Tools. Never deployed."""
