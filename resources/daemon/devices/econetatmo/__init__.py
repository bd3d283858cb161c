"""EcoNetatmo: Legrand Drivia ecometers and energy meters, read through Netatmo Connect.

`device.py` schedules the jobs of one account and decides what a failure means. It calls, in the order of a poll:

- `api.py`: one data call with a valid token, within `budget.py`, through `client.py`; `tokens.py` keeps the token pair.
- `mapping.py`: pure functions from answers to homes, lines and slots, and from slots to values.
- `collector.py` reads measures line by line and delivers them; `watermarks.py` is what of each line has been delivered,
  `time_slots.py` the arithmetic of the slots.
- `doubts.py` says when what an answer lacks is missing for good.
- `authorization.py` makes the link of an authorization and reads the code that comes back.
- `reports.py` reports troubles of single lines and ecometers, each once.
"""
