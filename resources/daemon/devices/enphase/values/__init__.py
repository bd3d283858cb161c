"""From the gateway's answers to facts; no input, no output, no clock.

`mapping` reads answers about meters, `inverter_answers` and `batteries` those about inverters and batteries.
`lifetimes` holds back readings that `plant_limits` rules out; `energies` makes figures per day of the rest by
`counters`. `inverter_energy` does so for each inverter and compares the members of a group. `surplus` decides when a
load is switched.
"""
