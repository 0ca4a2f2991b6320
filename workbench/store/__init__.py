"""The store of results by fingerprint, and the records of runs."""
