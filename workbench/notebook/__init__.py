"""The workbench in a notebook: pipelines in Python, and results that show themselves."""
