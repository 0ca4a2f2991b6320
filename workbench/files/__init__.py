"""The ground under everything that reads or writes files: atomic writes, careful reading, safe display."""
