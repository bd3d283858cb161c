"""Tests of the WES backend."""
