"""Corpus steps: reading, filtering, splitting, labelling, and the one way corpora are written."""
