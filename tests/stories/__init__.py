"""The archive in use: days, accidents and crowds, told from outside."""
