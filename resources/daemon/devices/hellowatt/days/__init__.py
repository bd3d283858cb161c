"""The days of each meter: read once, kept, delivered.

`collector` reads days and writes them to `archive`; `schedule` plans the daily round; `acknowledged` sends the points
that Jeedom has not confirmed; `new_days` reports a meter whose days no longer arrive.
"""
