"""A plugin-based, notebook-first workbench for language-model data and models."""
