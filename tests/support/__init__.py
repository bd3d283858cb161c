"""Helpers of the tests: a recording Jeedom with faults, a socket client, real daemon processes, a test backend."""
