#!/bin/bash
# Runs every check and test that this machine can run: style, types, Python tests, and PHP's where PHP is.
#
#   ./test.sh [arguments for pytest]
#
# Without arguments pytest runs as many tests at a time as there are processors (JEENERGIE_WORKERS: so many), and then,
# alone, those that measure latencies. With arguments it is one pytest, as you ask for it (-n 4 works, too).
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
if [ $# -gt 0 ]; then
  echo "== pytest"
  exec $python -m pytest "$@"
fi
workers=${JEENERGIE_WORKERS:-$(nproc)}
# Daemons are started some three hundred times: their modules are to be compiled once.
export PYTHONDONTWRITEBYTECODE=
echo "== pytest, $workers at a time"
failed=0
$python -m pytest -n "$workers" --dist worksteal -m "not alone" || failed=$?
echo "== pytest, one after the other"
# Only their files: to collect all tests once more takes longer than these do.
$python -m pytest -m alone $(grep -lrE 'mark\.alone' tests --include='test_*.py') tests/jeedom || failed=$?
exit $failed
