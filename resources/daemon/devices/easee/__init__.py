"""Easee: the chargers and Equalizers of one account, read live from the vendor's cloud and driven through it.

`device.py` schedules the jobs of one account and receives what the stream brings. It calls:

- `streaming/`: the SignalR stream. `stream_session` keeps one open and subscribed; `stall_detector` tells a quiet
  charger from a stalled stream.
- `fleet`: the account's products. `product` holds the newest dated value of each observation; `charger` adds `sessions`
  and a guarded meter, `equalizer` the meter of the house; `mapping` makes `facts` of them (pure).
- `rest_reader`: the same values by requests, when the stream is down or doubted.
- `control`: carries out an action of `actions` and waits for the charger's own answer.
- `account`: sends every request within the budget, by `client`, with a token of `tokens`; dates go by its clock.
"""
