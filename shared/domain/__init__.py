"""What a notice is and what may happen to it: pure, no I/O, no clock, no JSON."""
