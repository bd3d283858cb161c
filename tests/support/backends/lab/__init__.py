"""A backend for tests only: it does what its settings say, at once or badly."""
