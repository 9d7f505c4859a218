"""The development host: runs the archive's functions here, without Core Tools; never deployed."""
