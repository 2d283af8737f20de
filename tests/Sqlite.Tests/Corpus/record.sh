#!/usr/bin/env bash
# Writes Statements/*.expected: what the sqlite3 shell prints for each line of Statements/*.sql, the shell running on our pinned SQLite.
# Needed after a change of a .sql file or of the pinned version. Wants gcc and a sqlite3 shell that loads libsqlite3.so.0 (Debian: apt-get install sqlite3).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cp "$("$here/../../../native/build.sh")" "$work/libsqlite3.so.0"

# The shell asks for functions that our build leaves out, and for the very source that it was compiled with; the corpus uses neither.
shell=$(command -v sqlite3)
comm -23 <(nm -D --undefined-only "$shell" | awk '/ sqlite3/ {print $2}' | sort) <(nm -D --defined-only "$work/libsqlite3.so.0" | awk '{print $3}' | sort) |
  awk '{print "void " $1 "(void) { __builtin_trap(); }"}' > "$work/shim.c"
echo "const char *sqlite3_sourceid(void) { return \"$("$shell" :memory: 'SELECT sqlite_source_id()')\"; }" >> "$work/shim.c"
gcc -shared -fPIC -w -o "$work/shim.so" "$work/shim.c"

for file in "$here"/Statements/*.sql; do
  # A line is a statement; #N before its output names it. Of an error only the message stays.
  { printf '.mode quote\n.headers on\n'; awk '!/^--/ {print ".print #" NR; print}' "$file"; } |
    (cd "$work" && LD_PRELOAD="$work/shim.so" LD_LIBRARY_PATH="$work" stdbuf -o0 "$shell" -batch :memory: 2>&1 || true) |
    sed -E '/^  /d; s/^(Parse|Runtime) error near line [0-9]+: /error: /' > "${file%.sql}.expected"
done
wc -l "$here"/Statements/*.expected
