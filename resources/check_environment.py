"""Imports every module of the daemon, and with them all that they need: fails with the import that does not work."""

import importlib
import pkgutil

import jeenergied

for module in pkgutil.walk_packages(jeenergied.__path__, "jeenergied."):
    importlib.import_module(module.name)
