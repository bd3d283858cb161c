"""Tempo colours: `tempo` keeps the known ones and decides when to ask; `services` requests, `answers` parses them."""
