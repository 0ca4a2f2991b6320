"""The bundled plugins: one folder for each family, on the same footing as third-party ones."""
