"""Finds systems on the local network, for the form of a new connection.

What a system is recognised by is data in its catalogue (`connection.nearby`): an mDNS service, or the realm that its
web server names when it asks for a password. `finder` reads these and asks both: `mdns`, a program of its own (its
library takes 14 MiB, given back when it ends), also lists the machine's networks; `sweep` asks each address of one
network for one page. Nothing runs but while a user searches.
"""
