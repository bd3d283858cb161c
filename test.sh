#!/bin/bash
# Runs every check and test that this machine can run: style, types, Python tests, and PHP's where PHP is.
#
#   ./test.sh [arguments for pytest]
#
# Without arguments pytest runs two tests more at a time than there are processors (JEENERGIE_WORKERS: so many), and then,
# by two, those that measure latencies. With arguments it is one pytest, as you ask for it (-n 4 works, too).
# Tests against a real Jeedom run when JEEDOM_ROOT and JEEDOM_URL are set (see docs/testing.md).
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")"
bash tools/dev_env.sh
python=.venv/bin/python
# Daemons are started by the dozen, and each process of tests imports all of these: what is imported is compiled once.
export PYTHONDONTWRITEBYTECODE=

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
  if [ -z "$(find tests -name '*-pytest-*.pyc' -print -quit)" ]; then
    # In a fresh clone each of the processes would compile all tests, which takes longer than to import them.
    echo "== compiling the tests"
    $python -m pytest --collect-only -qq > /dev/null 2>&1 || true  # what fails is told by the tests
  fi
fi
if [ $# -gt 0 ]; then
  echo "== pytest"
  exec $python -m pytest "$@"
fi
# Half of what tests take they wait: two more than processors keep these busy.
workers=${JEENERGIE_WORKERS:-$(($(nproc) + 2))}
echo "== pytest, $workers at a time"
failed=0
$python -m pytest -n "$workers" --dist worksteal -m "not alone" || failed=$?
wait "$checks" || failed=$?
checks=
cat "$said"
echo "== pytest, what measures latencies"
# Two at a time, as most of them sleep for most of their time; tests of the one Jeedom stay together. Only their files:
# to collect all tests once more takes longer than these do.
alone=$(grep -lrE 'mark\.alone' tests --include='test_*.py')
$python -m pytest -n 2 --dist loadgroup -m alone $alone tests/jeedom || failed=$?
exit $failed
