"""`python -m jeenergied`."""

from __future__ import annotations

import os
import sys

from .daemon import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
