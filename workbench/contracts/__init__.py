"""What a plugin promises: one module per kind of component."""
