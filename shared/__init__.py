"""The archive itself; every function folder is a thin edge over it."""
