"""The ports on real technology, one module each."""
