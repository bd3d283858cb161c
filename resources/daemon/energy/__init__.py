"""The house, apart from any vendor and any wire: it imports neither devices nor the socket.

What is there:

- `ports.py`: what the house asks of the rest of the daemon: readings, and a way to act.
- `topology.py`, `likeness.py`: who takes which part in the house; what is measured twice.
- `live.py`: powers by node and rates of this moment; unknown parts, contradictions.
- `balance.py`: what flowed where in an interval; what a period cost, saved and emitted; a car's charge.
- `ledger/`: counters, five-minute intervals and their store, days, months and years.
- `money/`: contracts, published prices, off-peak hours learnt from the meter, comparisons.

What is decided:

- `levels.py`: what a load is wanted to be and what it is proved to be.
- `surplus.py`: what is left over for controlled consumers, and for how long.
- `charging.py`, `switching.py`: the rules of one charger and of one load that can be switched.
- `limits.py`: subscribed power by phase, the meter's own clock of an excess.
- `manager.py`: all consumers together, limits first, then the sun in the user's order.
- `planner.py`: when to charge so that a goal is met for the least money.
- `sharing/`: what consumers share: circuits and their phases, who gives way first, the words for what they do.
- `control/`: gives the orders: a charge point with its goal, a load, the journal, what a page shows.
"""
