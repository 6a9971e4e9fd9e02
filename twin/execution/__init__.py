"""Run cases and suites: one after the other, in threads or in processes, resumable at any instant."""
