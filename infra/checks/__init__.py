"""Checks of the infrastructure that need no Azure: the compiler, the committed snapshots, checkov."""
