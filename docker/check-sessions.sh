#!/usr/bin/env bash
# Says in one sentence what to do if the server may not read the session folder; succeeds if it may.
set -euo pipefail
folder=${1:-/sessions}

explain() {
    printf 'session folder: cannot read %s: it is %s, and the server runs as uid %s with groups %s; %s\n' \
        "$1" "$(stat -c 'mode %a of uid %u, gid %g' "$1" 2> /dev/null || echo hidden)" "$(id -u)" "$(id -G | tr ' ' ,)" \
        'make it readable, for example by "chmod o+rX" on the folder and "chmod o+r" on its files' >&2
    exit 1
}

unreadable_files() { find "$folder" -maxdepth 1 -type f \( -name '*.duckdb' -o -name '*.wal' \) ! -readable -print; }

if [ ! -d "$folder" ]; then
    printf 'session folder: nothing is mounted at %s; mount the folder of the sessions there, read-only\n' "$folder" >&2
    exit 1
fi
if [ ! -r "$folder" ] || [ ! -x "$folder" ]; then explain "$folder"; fi
first=$(unreadable_files | sort | head -n 1)
if [ -n "$first" ]; then explain "$first"; fi
