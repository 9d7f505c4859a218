"""What the archive relies on in the services it stands on, asked of our doubles or of the services themselves."""
