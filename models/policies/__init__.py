"""Rules of the command centre: who is sent where, in which order things are mended."""
