"""From a pipeline file, or its Python form, to a checked graph with fingerprints, a plan and a lock."""
