"""The services the archive stands on, as doubles on this machine: for tests and for development, never deployed."""
