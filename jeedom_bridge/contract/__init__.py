"""The contract between a plugin's PHP and its daemon: catalogues, messages, and the rules by which both read them.

`catalogue` loads and validates the files; `rows` writes a catalogue's rows out (profiles, phases, `each`) and converts
a vendor's values; `settings` reads settings and conditions. PHP follows the same rules: the cases that hold both to
them are in core/contract/vectors.
"""

from .catalogue import Catalogue, Contract, ContractError
from .rows import Row, without_profiles, written_out
from .settings import Settings, finite, holds, resolved

__all__ = [
    "Catalogue",
    "Contract",
    "ContractError",
    "Row",
    "Settings",
    "finite",
    "holds",
    "resolved",
    "without_profiles",
    "written_out",
]
