"""The house, apart from any vendor and any wire: it imports neither devices nor the socket.

- `levels.py`: what a load is wanted to be and what it is proved to be.
- `balance.py`: what flowed where in an interval; what a period cost, saved and emitted; a car's charge.
- `tariff.py`: what a kWh costs at a moment, under the contracts of French houses; published prices by date.
- `growth.py`: how much a counter has grown, across dips, new beginnings and impossible steps.
"""
