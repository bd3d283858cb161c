#!/bin/bash
# Shows the whole at work: simulated systems, the real daemon and a stand-in for Jeedom with a live page.
#
#   ./demo.sh           prints the page's address; Ctrl-C ends it
#   ./demo.sh --check   without a page, less than a minute: prints what arrived; succeeds when every equipment has values,
#                       the house balances and the car's current follows the sun
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")"
bash tools/dev_env.sh
daemon=resources/python_venv/bin/python
log=$(mktemp)
trap 'rm -f "$log"' EXIT
[ -x "$daemon" ] || echo "Preparing the daemon's environment resources/python_venv (half a minute or so) ..." >&2
./install_deps.sh > "$log" 2>&1 || { cat "$log" >&2; exit 1; }
status=0
.venv/bin/python -m simulators.demo --python "$PWD/$daemon" "$@" || status=$?
exit $status
