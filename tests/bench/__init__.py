"""Tests of the bench itself: that its doubles and its arithmetic are right. None measures time."""
