"""Standard operating procedures of the command centre, as data."""
