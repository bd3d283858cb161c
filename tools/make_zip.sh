#!/bin/bash
# Makes the zip that Jeedom's market takes, and that a user can install by hand: only what the plugin needs to run.
#
#   tools/make_zip.sh [FOLDER [COMMIT]]     dist/ and HEAD unless said otherwise; prints the path of the zip
#
# What is left out stands as export-ignore in .gitattributes, so that an archive from GitHub holds the same files.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=${1:-dist}
commit=${2:-HEAD}
version=$(git show "$commit:plugin_info/info.json" | sed -n 's/.*"pluginVersion": "\([^"]*\)".*/\1/p')
[ -n "$version" ] || { echo "plugin_info/info.json of $commit has no pluginVersion" >&2; exit 1; }
mkdir -p "$folder"
zip=$folder/jeenergie-$version.zip
git archive --worktree-attributes --format=zip -9 -o "$zip" "$commit"
echo "$zip"
