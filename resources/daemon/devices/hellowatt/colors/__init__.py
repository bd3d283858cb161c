"""Tempo colours: `tempo` keeps the known colours and decides when to ask; `services` requests them."""
