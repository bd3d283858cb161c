#!/bin/bash
# Runs every check and test that this machine can run: style, types, Python tests, and PHP's where PHP is.
#
#   ./test.sh [arguments for pytest]
#
# Without arguments pytest runs two tests more at a time than there are processors (JEENERGIE_WORKERS: so many), and then,
# alone, those that measure latencies. With arguments it is one pytest, as you ask for it (-n 4 works, too).
# Tests against a real Jeedom run when JEEDOM_ROOT and JEEDOM_URL are set (see docs/testing.md).
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")"
bash tools/dev_env.sh
python=.venv/bin/python

if [ $# -eq 0 ]; then
  php=
  if command -v php > /dev/null && command -v phpunit > /dev/null; then
    said=$(mktemp)
    trap '[ -z "$php" ] || kill "$php" 2> /dev/null || true; rm -f "$said"' EXIT
    (bash tools/lint_php.sh && phpunit --configuration phpunit.xml.dist) > "$said" 2>&1 &
    php=$!
  fi
  echo "== ruff, mypy"
  $python -m ruff check .
  $python -m ruff format --check .
  $python -m mypy
  if [ -n "$php" ]; then
    echo "== PHP"  # it ran beside mypy
    wait "$php" || { cat "$said"; exit 1; }
    cat "$said"
  else
    echo "== PHP: left out, php and phpunit are not on this machine"
  fi
fi
if [ $# -gt 0 ]; then
  echo "== pytest"
  exec $python -m pytest "$@"
fi
# Half of what tests take they wait: two more than processors keep these busy.
workers=${JEENERGIE_WORKERS:-$(($(nproc) + 2))}
# Daemons are started some three hundred times: their modules are to be compiled once.
export PYTHONDONTWRITEBYTECODE=
echo "== pytest, $workers at a time"
failed=0
$python -m pytest -n "$workers" --dist worksteal -m "not alone" || failed=$?
echo "== pytest, one after the other"
# Only their files: to collect all tests once more takes longer than these do.
$python -m pytest -m alone $(grep -lrE 'mark\.alone' tests --include='test_*.py') tests/jeedom || failed=$?
exit $failed
