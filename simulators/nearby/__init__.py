"""Devices that announce themselves on a network, seen from outside: a responder for mDNS on the loopback interface."""
