"""The engine: runs steps in worker processes and keeps their results in the store."""
