"""Easee chargers: read and driven through the Easee cloud, by REST and a SignalR stream."""
