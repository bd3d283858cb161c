"""What several backends need; nothing here knows a vendor.

- `counter_guard`: may this reading of a meter follow the one before? Falls, giant steps, a meter that was exchanged.
- `sensor_guard`: readings that a sensor gives when it is unplugged or has not measured yet.
- `whole_sum`: a sum of parts that come from different requests; no value while a part is missing or old.
- `refusals`: what was refused, how far that reaches, when to try again and when to tell the user; kept over restarts.
- `rate_limit`: how many requests may leave for which purpose, and the pause that a service asks for.
- `tokens`: the token of one account: one renewal at a time, kept before it is used, logins backed off by the book.
- `endpoints`: an endpoint that stopped answering for every device; the keys an answer used to have.
- `vendor_clock`: the time by a vendor's clock, whatever happens to this machine's.
- `facts`: describes the facts of a backend, with units.
- `numbers`: finite numbers out of what a peer sent.
"""
