"""Hold one city domain per module; each declares the fields it owns and reads."""
