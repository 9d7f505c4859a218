"""Tests of the doubles in `emulators/`."""
