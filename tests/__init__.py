"""What the archive promises, one sentence a test."""
