#!/bin/bash
# Runs every check and test that this machine can run: style, types, Python tests, and PHP's where PHP is.
#
#   ./test.sh [arguments for pytest]
#
# Tests against a real Jeedom run when JEEDOM_ROOT and JEEDOM_URL are set (see docs/testing.md).
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")"
bash tools/dev_env.sh
python=.venv/bin/python

if [ $# -eq 0 ]; then
  echo "== ruff, mypy"
  $python -m ruff check .
  $python -m ruff format --check .
  $python -m mypy
  if command -v php > /dev/null && command -v phpunit > /dev/null; then
    echo "== PHP"
    bash tools/lint_php.sh
    phpunit --configuration phpunit.xml.dist
  else
    echo "== PHP: left out, php and phpunit are not on this machine"
  fi
fi
echo "== pytest"
exec $python -m pytest "$@"
