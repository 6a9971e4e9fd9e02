"""Mirror the code: one test module per module, plus contracts and verification."""
