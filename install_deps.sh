#!/bin/bash
# Installs what the daemon needs into resources/python_venv.
#
#   install_deps.sh [PROGRESS_FILE]
#
# Jeedom runs it as root with the file that its page shows as a percentage; it works alone as well, without root,
# where Python 3.9 or later with venv is installed. A former installation stays in use until the new one is whole.
# A failure ends with what was tried, what came back and what the user can do, in French and English.
#
# As root it does what only root may (Debian's packages, owners of folders) and all else as the web server's user. Of
# the machine's settings of pip only the way to the packages counts; nothing is imported from the current folder.
set -u -o pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 1
progress_file=${1:-}
[[ -z $progress_file || $progress_file == /* ]] || progress_file=$PWD/$progress_file
venv=$here/resources/python_venv
new=$venv.new
version=
list=$here/resources/requirements.txt
locks=$here/resources/lock
stamp_name=.jeenergie-deps
own=$here/data/daemon
lock=$own/install.lock
cd / || exit 1

say() { printf '[%s] %s\n' "$(date '+%Y-%m-%d %H:%M:%S')" "$*"; }
progress() { [ -z "$progress_file" ] || printf '%s\n' "$1" | as_user tee "$progress_file" > /dev/null; }
# Whose files they are, when root runs this: of the plugin's folder, else of the web server of the Jeedom that it lies in.
# A checkout elsewhere stays root's: its folder may be closed to others, and must not change hands.
user=
if [ "$(id -u)" = 0 ]; then
  user=$(stat -c %U "$here")
  if [ "$user" = root ] || [ "$user" = UNKNOWN ]; then
    user=
    [ ! -f "$here/../../core/config/jeedom.config.php" ] || ! id www-data > /dev/null 2>&1 || user=www-data
  fi
fi
# Runs a command as the web server's user.
as_user() { if [ -n "$user" ]; then runuser -u "$user" -- "$@"; else "$@"; fi; }
# What the machine says of the way to the packages; all else it may want of pip (another target, the user's home, its own
# environment) would spoil this installation.
given=' '
for name in $(compgen -e PIP_) $(compgen -e PYTHON) VIRTUAL_ENV; do
  case $name in
    PIP_INDEX_URL | PIP_EXTRA_INDEX_URL | PIP_FIND_LINKS | PIP_NO_INDEX | PIP_TRUSTED_HOST | PIP_PROXY | PIP_CERT \
      | PIP_CLIENT_CERT) given="$given$name " ;;
    PIP_CONFIG_FILE) ;;
    *) unset "$name" ;;
  esac
done
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
export PIP_DEFAULT_TIMEOUT=20 PIP_RETRIES=2 PIP_PROGRESS_BAR=off
if [ -n "$user" ]; then
  HOME=$(getent passwd "$user" | cut -d: -f6)
  export HOME PIP_NO_CACHE_DIR=1
fi
# The same of pip's own files, which are then left alone. The environment comes before them.
adopt_pip_settings() {
  local key value
  while IFS='=' read -r key value; do
    key=${key##*.}
    case $key in
      index-url | extra-index-url | find-links | no-index | trusted-host | proxy | cert | client-cert)
        value=${value#[\'\"]} value=${value%[\'\"]}
        key=PIP_$(tr 'a-z-' 'A-Z_' <<< "$key")
        [[ $given == *" $key "* ]] || export "$key=${value//\\n/ }" ;;
    esac
  done < <(as_user "$new/bin/python" -I -m pip config list 2> /dev/null)
  export PIP_CONFIG_FILE=/dev/null
}
# Runs a command, shows its output as it comes, and keeps both for fail_for().
run() {
  tried=$*
  tried=${tried#as_user }
  output=$("$@" 2>&1 | while IFS= read -r line; do printf '%s\n' "$line" >&3; printf '%s\n' "$line"; done)
}
# Of all that the last command said, the line that tells why. What a package server answered is in pip's log only; a 404
# is no reason: a second server need not have every package.
reason() {
  local apt='Temporary failure|Could not (resolve|connect|get lock)|Connection (failed|timed out)'
  apt+='|Unable to (locate|acquire)'
  {
    grep -aoE 'No space left on device|Disk quota exceeded' <<< "$output" \
      || grep -aoE 'Could not fetch URL .*' "$pip_log" | grep -av ': 404 ' \
      || grep -aE "$apt" <<< "$output" \
      || grep -aE '(ERROR|Error|error|^E): ' <<< "$output" | tail -n 1 \
      || grep -av '^ *$' <<< "$output" | tail -n 1
  } | head -n 1 | sed -E "s/^ +//; s/^(Could not fetch URL|ERROR:|E:|W:) //; s/ - skipping$//
    s#//[^/@ ]*@#//#g; s/<[^<>]*>: //g; s/(connection error: )?HTTPS?ConnectionPool.*Caused by [A-Za-z]+\((.*)\)\)/\2/
    s/: '([^']*)'$/: \1/" | cut -c 1-300
}
# What the user can do about that line.
advise() {
  case $1 in
    *"DO NOT MATCH THE HASHES"*)
      fr="un paquet reçu n'est pas celui qui a été vérifié ; voyez quel serveur l'a donné (proxy, miroir ?)"
      en="a package is not the one that was checked; see which server has given it (proxy, mirror?)" ;;
    *"No space left"* | *"Disk quota"*)
      fr="libérez 100 Mo sur le disque"
      en="free 100 MB of the disk" ;;
    *CERTIFICATE_VERIFY_FAILED* | *"ssl certificate"* | *SSLError*)
      fr="vérifiez la date de cette machine ($(date '+%Y-%m-%d %H:%M')), et si un proxy remplace les certificats"
      en="check this machine's date, and whether a proxy replaces certificates" ;;
    *"name resolution"* | *"Name or service not known"* | *"Temporary failure"* | *" resolve"*)
      fr="le nom du serveur reste sans adresse : vérifiez l'accès à Internet et le DNS (/etc/resolv.conf)"
      en="the server's name has no address: check the Internet access and the DNS (/etc/resolv.conf)" ;;
    *"Client Error"* | *"Server Error"* | *"error responses"*)
      fr="le serveur répond par une erreur : attendez une heure, et vérifiez si un proxy est réglé"
      en="the server answers with an error: wait an hour, and check whether a proxy is set" ;;
    *refused* | *reset* | *"imed out"* | *unreachable* | *onnect*)
      fr="vérifiez l'accès à Internet de cette machine (box, pare-feu, proxy)"
      en="check this machine's Internet access (router, firewall, proxy)" ;;
    *"get lock"* | *"frontend lock"*)
      fr="une autre installation de paquets Debian est en cours : attendez sa fin"
      en="another installation of Debian packages is under way: wait for its end" ;;
    *"Unable to locate"* | *"no installation candidate"*)
      fr="vérifiez les sources de paquets de Debian (/etc/apt/sources.list)"
      en="check the package sources of Debian (/etc/apt/sources.list)" ;;
    *)
      fr="si les lignes ci-dessus ne vous disent rien, montrez-les sur le forum avec « $(uname -m), $version »"
      en="if the lines above tell you nothing, show them on the forum" ;;
  esac
  fr="$fr, puis relancez l'installation"
  en="$en, then start the installation again"
}
# fail WHAT_FR WHAT_EN [TRIED ANSWER [DO_FR DO_EN]]
fail() {
  say "ECHEC : $1"
  [ -z "${3:-}" ] || say "  Essayé : $3"
  [ -z "${4:-}" ] || say "  Réponse : $4"
  [ -z "${5:-}" ] || say "  À faire : $5."
  say "FAILED: $2"
  [ -z "${6:-}" ] || say "  To do: $6."
  if [ -x "$venv/bin/python" ]; then
    say "L'installation précédente reste en place / the former installation stays as it was"
  fi
  exit 1
}
# fail_for WHAT_FR WHAT_EN: the last command of run() failed.
fail_for() {
  local fr en answer
  answer=$(reason)
  advise "$answer"
  fail "$1" "$2" "${tried//"$here/"/}" "$answer" "$fr" "$en"
}
clean_up() {
  code=$?
  as_user rm -rf "$new"
  [ "$pip_log" = /dev/null ] || as_user rm -f "$pip_log"
  # The file's existence tells Jeedom that an installation is under way: it must never stay behind.
  [ -z "$progress_file" ] || as_user rm -f "$progress_file"
  exit "$code"
}
# What is to be written, and what a former installation as root has left.
give_to_user() {
  [ -n "$user" ] || return 0
  as_user test -w "$here" || chown -h "$user:" "$here"
  for folder in "$here/resources" "$here/data" "$own"; do
    [ ! -e "$folder" ] || as_user test -w "$folder" || chown -h "$user:" "$folder"
  done
  for made in "$venv" "$new" "$venv.old" "$here/jeenergie.egg-info"; do
    [ ! -e "$made" ] || chown -hR "$user:" "$made"
  done
}
# Of all that says which versions are wanted: an update of the plugin that changes one of them brings the packages along.
wanted_stamp() { cat "$list" "$locks"/*.txt 2> /dev/null | sha256sum | cut -d' ' -f1; }
# The file with the versions and hashes for the new environment's Python; nothing where that or the machine has none.
checked_versions() {
  local python machine
  # A small userland may run under a large kernel.
  local tell='import platform, sys; m = platform.machine(); small = {"x86_64": "i686", "aarch64": "armv7l", "armv8l": "armv7l"}'
  tell+='; print("py%d%d" % sys.version_info[:2], m if sys.maxsize > 2**32 else small.get(m, m))'
  read -r python machine < <(as_user "$new/bin/python" -I -c "$tell" 2> /dev/null)
  ! grep -qsE "^# Wheels for:.* $machine( |$)" "$locks/$python.txt" || printf '%s' "$locks/$python.txt"
}
works() { as_user "$1/bin/python" -I "$here/resources/check_environment.py" 2>&1; }

exec 3>&1
pip_log=/dev/null
give_to_user
as_user mkdir -p -m 700 "$own" 2> /dev/null
if ! answer=$(as_user touch "$lock" 2>&1 && as_user chmod 600 "$lock" 2>&1 && as_user test -w "$here/resources" 2>&1); then
  fail "impossible d'écrire dans $here" "cannot write there" "$lock (${user:-$(id -un)})" \
    "${answer:-$here/resources: Permission denied}" \
    "Jeedom, Réglages → Système → Configuration → OS/DB, « Rétablissement des droits », ou lancez ce script en root" \
    "restore the rights of Jeedom's files in its settings, page OS/DB, or run this script as root"
fi
exec 9< "$lock"
# Jeedom tries the lock for an instant, to see whether somebody holds it.
flock -w 3 9 || fail "une autre installation est en cours" "another installation is under way" "" "" \
  "attendez sa fin, une à quelques minutes" "wait for its end, a few minutes"

# From here on the progress file and the new environment are ours to remove, whatever happens; not before: they
# may be those of the installation that holds the lock.
progress 0
trap clean_up EXIT
trap 'exit 143' TERM INT HUP
# In memory: where the disk is full, pip would fill the screen with its trouble to write its log.
pip_log=$(as_user mktemp -p /dev/shm 2> /dev/null || as_user mktemp) || pip_log=/dev/null
as_user rm -rf "$new"

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
if ! missing=$(as_user "${python:-python3}" -I -c 'import ensurepip, venv' 2>&1); then
  if [ "$(id -u)" != 0 ]; then
    fail "python3 avec venv est nécessaire" "python3 with venv is needed" \
      "${python:-python3} -c 'import ensurepip, venv'" "$(tail -n 1 <<< "$missing")" \
      "sudo apt-get install python3-venv, puis relancez l'installation" \
      "sudo apt-get install python3-venv, then start the installation again"
  fi
  say "Installation de python3-venv"
  apt() { run apt-get -o DPkg::Lock::Timeout=60 -o Acquire::Retries=1 "$@" || { tried="apt-get $*"; return 1; }; }
  apt install -y --no-install-recommends python3-venv \
    || { apt update && apt install -y --no-install-recommends python3-venv; } \
    || fail_for "python3-venv ne s'installe pas" "python3-venv cannot be installed"
  [ -n "$python" ] || python=$(command -v python3)
fi
version=$("$python" -V 2>&1)
"$python" -I -c 'import sys; sys.exit(sys.version_info < (3, 9))' \
  || fail "Python 3.9 ou plus récent est nécessaire" "Python 3.9 or later is needed" "$python -V" "$version" \
    "passez cette machine à Debian 11 ou plus récent" "bring this machine to Debian 11 or later"

progress 15
say "Environnement Python : $version"
run as_user "$python" -I -m venv "$new" || fail_for "l'environnement Python ne se crée pas" "the Python environment cannot be made"

adopt_pip_settings
pip() {
  : | as_user tee "$pip_log" > /dev/null
  run as_user "$new/bin/python" -I -m pip --log "$pip_log" "$@" || { tried="pip $*"; return 1; }
}
packages_fr="les paquets Python ne s'installent pas"
packages_en="the Python packages cannot be installed"
progress 25
checked=$(checked_versions)
if [ -n "$checked" ]; then
  say "Versions vérifiées / checked versions: ${checked##*/}"
  # Never the ranges when this fails: whoever can hold one package back could then choose the others.
  pip install --no-deps --require-hashes --only-binary :all: -r "$checked" || fail_for "$packages_fr" "$packages_en"
else
  say "Pas de versions vérifiées pour $version ($(uname -m)) : les plus récentes sont prises" \
    "/ no checked versions for this Python or machine: the newest are taken"
  # wheel first: a new environment never has it, so that a server out of reach is noticed at the first name asked for.
  pip install --quiet --upgrade wheel setuptools pip || fail_for "$packages_fr" "$packages_en"
  progress 40
  pip install -r "$list" || fail_for "$packages_fr" "$packages_en"
fi
progress 85
# The plugin's own packages are linked, not copied: an update of the plugin is an update of the daemon.
pip install --quiet --no-deps --no-build-isolation -e "$here" 3> /dev/null \
  || {
    printf '%s\n' "$output"
    fail_for "les fichiers du plugin ne se relient pas à l'environnement Python" "the plugin's files cannot be linked"
  }
broken=$(works "$new") || fail "les paquets installés ne fonctionnent pas" "the installed packages do not work" \
  "check_environment.py" "$(tail -n 1 <<< "$broken")" \
  "relancez l'installation ; si cela reste, montrez ces lignes sur le forum" \
  "start the installation again; if that stays, show these lines on the forum"

progress 95
wanted_stamp | as_user tee "$new/$stamp_name" > /dev/null
as_user rm -rf "$venv.old"
[ ! -e "$venv" ] || run as_user mv "$venv" "$venv.old" \
  || fail_for "l'ancienne installation ne peut pas être remplacée" "the former installation cannot be replaced"
run as_user mv "$new" "$venv" || {
  as_user mv "$venv.old" "$venv"
  fail_for "la nouvelle installation ne peut pas être mise en place" "the new installation cannot be put in place"
}
as_user rm -rf "$venv.old"
progress 100
say "Terminé / done"
