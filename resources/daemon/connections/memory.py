"""What a connection keeps over restarts: its part of the store."""

from __future__ import annotations

import logging
import threading
from typing import Any

from jeedom_bridge.store import Store, StoreError

_LOG = logging.getLogger(__name__)


class StoreMemory:
    """A connection's part of the store."""

    def __init__(self, store: Store, scope: str) -> None:
        self._store = store
        self._scope = scope
        self._told = False
        self._lock = threading.Lock()
        self._closed = False

    def get(self, key: str, default: Any = None) -> Any:
        return self._store.get(self._scope, key, default)

    def put(self, key: str, value: Any) -> None:
        with self._lock:
            if not self._closed:
                self._store.put(self._scope, key, value)

    def keep(self, key: str, value: Any) -> bool:
        try:
            self.put(key, value)
        except StoreError as error:
            self._tell(error)
            return False
        self._told = False
        return True

    def delete(self, key: str) -> None:
        try:
            with self._lock:
                if not self._closed:
                    self._store.delete(self._scope, key)
        except StoreError as error:
            self._tell(error)

    def _tell(self, error: StoreError) -> None:
        """Once, until something could be written again: a full disk refuses many in a row."""
        if not self._told:
            self._told = True
            _LOG.error("%s", error)

    def close(self) -> None:
        """Nothing is written from now on, without an error.

        A request under way must not bring back what the user had erased, nor undo what the next life of the connection
        has written.
        """
        with self._lock:
            self._closed = True
