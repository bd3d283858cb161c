"""A small durable key-value store: `store` is what callers see, `database` its files, `errors` why it cannot write."""

from .database import Values
from .errors import Damage, StoreError
from .store import Store

__all__ = ["Damage", "Store", "StoreError", "Values"]
