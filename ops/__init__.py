"""The operators' command line, `python -m ops`: institutions, callers and their keys."""
