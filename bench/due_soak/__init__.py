"""What becomes of changes by time when processes that write them down are killed: each is written down once."""
