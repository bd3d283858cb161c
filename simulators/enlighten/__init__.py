"""The Enlighten login and the Entrez token service, over plain HTTP on loopback."""

from simulators.enlighten.cloud import Account, EnlightenCloud
from simulators.enlighten.key import INSTALLER_LIFETIME, OWNER_LIFETIME, EntrezKey

__all__ = ["INSTALLER_LIFETIME", "OWNER_LIFETIME", "Account", "EnlightenCloud", "EntrezKey"]
