"""The house, apart from any vendor and any wire: it imports neither devices nor the socket.

- `levels.py`: what a load is wanted to be and what it is proved to be.
- `balance.py`: what flowed where in an interval; what a period cost, saved and emitted; a car's charge.
- `tariff.py`: what a kWh costs at a moment, under the contracts of French houses; published prices by date.
- `surplus.py`: what is left over for controlled consumers, and for how long.
- `charging.py`, `switching.py`: the rules of one charger and of one load that can be switched.
- `limits.py`: subscribed power by phase, the meter's own clock of an excess.
- `manager.py`: all consumers together, limits first, then the sun in the user's order.
- `planner.py`: when to charge so that a goal is met for the least money.
- `growth.py`: how much a counter has grown, across dips, new beginnings and impossible steps.
"""
