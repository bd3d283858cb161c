#!/bin/bash
# Makes .venv with all that the tests and simulators need; prints nothing when it is there already. To be sourced
# or run from anywhere: PYTHON is the interpreter to make it with (default: python3).
set -eu
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
stamp=$(cat "$root/pyproject.toml" "$root/resources/requirements.txt" | sha256sum | cut -d' ' -f1)
if [ "$(cat "$root/.venv/.stamp" 2> /dev/null)" != "$stamp" ]; then
  echo "Preparing the Python environment .venv (a minute or so) ..." >&2
  rm -rf "$root/.venv"
  "${PYTHON:-python3}" -m venv "$root/.venv" || {
    echo "A Python of 3.9 or later with venv is needed (Debian: apt-get install python3-venv)." >&2
    exit 1
  }
  log=$root/.venv/install.log
  # Debian 11's own pip cannot install a project that has no setup.py as editable.
  pip=("$root/.venv/bin/python" -m pip install --disable-pip-version-check)
  { "${pip[@]}" --upgrade pip && "${pip[@]}" -e "$root[test]"; } > "$log" 2>&1 || {
    tail -n 20 "$log" >&2
    echo "The packages could not be installed: is the Python package index reachable from here?" >&2
    exit 1
  }
  echo "$stamp" > "$root/.venv/.stamp"
fi
