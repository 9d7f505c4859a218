"""What people read of the archive, and what writes from the code all that follows from it."""
