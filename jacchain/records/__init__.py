"""Measured cells on disk: a versioned schema, a crash-safe store, and tables of what it holds."""
