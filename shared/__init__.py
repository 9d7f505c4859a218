"""The archive itself. Every function folder is a thin edge over it."""
