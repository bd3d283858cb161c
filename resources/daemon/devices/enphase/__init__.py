"""Enphase: an Envoy or IQ gateway in the house, read over its local HTTPS API.

`device.py` schedules the jobs of one connection and decides what a failure means. It calls, in the order of a poll:

- `gateway/`: how the gateway is reached. `pinning` establishes its identity and signs in; `endpoint_choice` selects the
  endpoint that is read at every poll; `endpoints` requests it, through `client`.
- `tokens/`: the JWT the gateway asks for, pasted by the user or obtained from Enlighten.
- `values/`: pure functions and state from answers to facts. `mapping` and `batteries` read answers; `lifetimes` checks
  counters; `energies` turns them into figures per day.
- `facts.py` lists what they produce, with units.
- `side_jobs.py` runs the requests beside the main poll; `inverters.py` publishes inverters and their groups;
  `closed_days.py` delivers the final figures of past days; `surplus_switch.py` switches loads on solar surplus;
  `ct_orientation.py` warns of a reversed transformer.
"""
