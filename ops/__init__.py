"""The operators' command line, `python -m ops`: who is registered, what they may do, and their keys."""
