"""helloWatt: the daily figures of a Linky or Gazpar meter, read from the account's web site.

`device.py` schedules the jobs of one account and decides what a failure means. It calls:

- `site/`: the protocol. `account` asks for homes, contracts and days through `session`, which logs in when needed;
  `client` sends one request within `budget`.
- `days/`: `schedule` says when the next round is due; `collector` reads days into `archive`; `acknowledged` delivers to
  Jeedom's history what it has not confirmed; `new_days` reports a meter whose days no longer arrive.
- `colors/`: the Tempo colours, from public services.
- `publication.py`: what Jeedom gets of an equipment: undated values, and dated points by `days/acknowledged`.
- `mapping.py`: pure functions from the site's answers to the facts of a day (see `facts.py`) and to dated points.
- `failure_memory.py`: the last failure, repeated after a restart and reported when it lasts.
"""
