#!/bin/bash
# What must hold before a version is given away. Needs Internet access; stops at the first thing that does not hold.
#
#   tools/release.sh
#
# 0. every change stands in the pages of changes; 1. nothing is left uncommitted; 2. the pinned packages are the newest that the ranges allow; 3. none of them has a
# known fault, each having been looked up; 4. every test passes.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."

stop() { echo "NOT TO BE RELEASED: $*" >&2; exit 1; }
unchanged() { [ -z "$(git status --porcelain -- "$@")" ]; }

unchanged . || stop "commit first: $(git status --porcelain | head -n 1)"
! grep -q '^- ' CHANGELOG.md || stop "move the lines of CHANGELOG.md into docs/*/changelog.md, with a date"
bash tools/dev_env.sh
echo "== pinned packages"
.venv/bin/python tools/make_locks.py
unchanged resources/lock || stop "there are newer packages: run the tests with them, and commit resources/lock"
echo "== known faults"
.venv/bin/python tools/audit.py || stop "see above, and docs/audit.md"
unchanged docs/audit.md || { git add docs/audit.md && git commit -q -m "Note the newest look at the packages' known faults"; }
echo "== tests"
./test.sh || stop "a test fails"
echo "Ready: $(git describe --always)"
