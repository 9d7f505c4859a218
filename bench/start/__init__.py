"""How long a process takes until it can answer: its imports, and its first publication."""
