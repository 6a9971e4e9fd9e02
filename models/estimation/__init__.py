"""Estimation: match real counts to streets, scale demand to them, and say how good the fit is."""
