#!/bin/bash
# Installs what the daemon needs into resources/python_venv.
#
#   install_deps.sh [PROGRESS_FILE]
#
# Jeedom runs it as root with the file that its page shows as a percentage; it works alone as well, without root,
# where Python 3.9 or later with venv is installed. A former installation stays in use until the new one is whole.
set -u
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PYTHONDONTWRITEBYTECODE=
export PIP_ROOT_USER_ACTION=ignore PIP_DEFAULT_TIMEOUT=20 PIP_RETRIES=2

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 1
progress_file=${1:-}
venv=$here/resources/python_venv
new=$venv.new
list=$here/resources/requirements.txt
stamp_name=.jeenergie-deps

say() { printf '[%s] %s\n' "$(date '+%Y-%m-%d %H:%M:%S')" "$*"; }
progress() { [ -z "$progress_file" ] || printf '%s\n' "$1" > "$progress_file"; }
fail() {
  say "ECHEC / FAILED: $1"
  [ -z "${2:-}" ] || say "$2"
  exit 1
}
clean_up() {
  code=$?
  rm -rf "$new"
  own
  # The file's existence tells Jeedom that an installation is under way: it must never stay behind.
  [ -z "$progress_file" ] || rm -f "$progress_file"
  exit "$code"
}
own() {
  if [ "$(id -u)" = 0 ] && id www-data > /dev/null 2>&1; then
    for made in "$venv" "$here/jeenergie.egg-info" "$here/data"; do
      [ ! -e "$made" ] || chown -R www-data:www-data "$made"
    done
  fi
}
wanted_stamp() { sha256sum "$list" | cut -d' ' -f1; }
works() {
  "$1/bin/python" -c 'import jsonschema, lxml.etree, requests, signalrcore, websocket, jeedom_bridge, jeenergied' 2>&1
}

exec 9> "$here/resources/.install.lock" || fail "impossible d'écrire dans $here/resources" "cannot write there"
flock -n 9 || fail "une autre installation est en cours" "another installation is under way"

# From here on the progress file and the new environment are ours to remove, whatever happens; not before: they
# may be those of the installation that holds the lock.
progress 0
trap clean_up EXIT
trap 'exit 143' TERM INT HUP

say "Installation des dépendances du démon Jeenergie / installing the daemon's dependencies"
if [ "$(cat "$venv/$stamp_name" 2> /dev/null)" = "$(wanted_stamp)" ] && works "$venv" > /dev/null; then
  say "Tout est déjà là / everything is there already"
  progress 100
  exit 0
fi

progress 5
# The distribution's Python where Jeedom's user exists: that user can run it, unlike one below root's home.
python=$(command -v python3) || python=
! id www-data > /dev/null 2>&1 || [ ! -x /usr/bin/python3 ] || python=/usr/bin/python3
if ! "${python:-false}" -c 'import ensurepip, venv' > /dev/null 2>&1; then
  [ "$(id -u)" = 0 ] || fail "python3 et python3-venv sont nécessaires" "as root: apt-get install python3-venv"
  say "Installation de python3-venv"
  apt-get install -y --no-install-recommends python3-venv \
    || { apt-get update && apt-get install -y --no-install-recommends python3-venv; } \
    || fail "python3-venv ne s'installe pas" "see the lines of apt above; is the package server reachable?"
  [ -n "$python" ] || python=$(command -v python3)
fi
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' \
  || fail "Python 3.9 ou plus récent est nécessaire, celui-ci est $("$python" -V 2>&1)" "Debian 11 or later has it"

progress 15
say "Environnement Python : $("$python" -V 2>&1)"
rm -rf "$new"
"$python" -m venv "$new" || fail "l'environnement Python ne se crée pas" "is the disk full?"

unreachable="le serveur de paquets Python est injoignable, ou un paquet ne s'installe pas (voir ci-dessus)"
hint="Check the Internet access of this machine, then start the installation again; what was installed before still works."
progress 25
"$new/bin/python" -m pip install --quiet --upgrade pip setuptools wheel || fail "$unreachable" "$hint"
progress 40
"$new/bin/python" -m pip install --progress-bar off -r "$list" || fail "$unreachable" "$hint"
progress 85
# The plugin's own packages are linked, not copied: an update of the plugin is an update of the daemon.
linked=$("$new/bin/python" -m pip install --quiet --no-deps --no-build-isolation -e "$here" 2>&1) \
  || fail "les fichiers du plugin ne peuvent pas être reliés à l'environnement Python" "$linked"
broken=$(works "$new") || fail "les paquets installés ne fonctionnent pas" "$broken"

progress 95
wanted_stamp > "$new/$stamp_name"
rm -rf "$venv.old"
[ ! -e "$venv" ] || mv "$venv" "$venv.old" || fail "l'ancienne installation ne peut pas être remplacée" "$venv"
mv "$new" "$venv" || { mv "$venv.old" "$venv"; fail "la nouvelle installation ne peut pas être mise en place" "$venv"; }
rm -rf "$venv.old"
progress 100
say "Terminé / done"
