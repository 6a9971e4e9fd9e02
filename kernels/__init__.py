"""Hold numba functions on plain arrays, and nothing else."""
