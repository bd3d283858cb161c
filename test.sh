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
  echo "== ruff"
  $python -m ruff check .
  $python -m ruff format --check .
  # What takes longer runs beside the tests: these leave the processors some of their time.
  said=$(mktemp)
  checks=
  trap '[ -z "$checks" ] || kill "$checks" 2> /dev/null || true; rm -f "$said"' EXIT
  (
    set -e
    echo "== mypy"
    $python -m mypy
    if command -v php > /dev/null && command -v phpunit > /dev/null; then
      echo "== PHP"
      bash tools/lint_php.sh
      phpunit --configuration phpunit.xml.dist
    else
      echo "== PHP: left out, php and phpunit are not on this machine"
    fi
  ) > "$said" 2>&1 &
  checks=$!
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
wait "$checks" || failed=$?
checks=
cat "$said"
echo "== pytest, one after the other"
# Only their files: to collect all tests once more takes longer than these do.
$python -m pytest -m alone $(grep -lrE 'mark\.alone' tests --include='test_*.py') tests/jeedom || failed=$?
exit $failed
