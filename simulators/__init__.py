"""Vendor systems and a stand-in Jeedom, as real servers on loopback, for the demo, tests and benchmarks.

Nothing here imports the daemon, the bridge or a backend: a simulator that shares code with its client
proves nothing. Only the standard library and `cryptography` are used.
"""
