"""Attacks that worked once, each a program that anybody can run on a machine of his own: see docs/security.md.

`python -m tests.security.attacks.<name> [--checkout FOLDER]` tries one on this checkout, or on another one of the
project. Exit code 0: it held; 1: the attack succeeded; 77: it cannot be tried here. Nothing but this machine's
loopback and a folder of its own is touched.
"""
