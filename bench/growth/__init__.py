"""What becomes of the archive when its embedded store grows: publications, reads and pages at each decade."""
