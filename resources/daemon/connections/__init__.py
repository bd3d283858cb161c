"""The connections that run: what lies between a device and Jeedom.

`supervisor` makes what runs equal to what Jeedom wants, a `runner` for each connection: it owns the thread and the
device. A device talks to its `context`, which hands facts to the `publisher` (values for Jeedom, readings for the
board), states and troubles to `health` and `equipment`, wishes to `loads`. `freshness` knows how old data are;
`memory` and `remembered` are what outlives a restart. What a connection tells of itself leaves through its `reports`.
"""
