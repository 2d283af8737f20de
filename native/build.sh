#!/usr/bin/env bash
# Builds the pinned SQLite into artifacts/native/<key>/libe_sqlite3.so and points artifacts/native/libe_sqlite3.so at it.
# The key is a hash of source, patches and flags, so that a finished build is used again. Prints the library's path.
#   SQLITE3_AMALGAMATION=DIR   use sqlite3.c and sqlite3.h from DIR instead of fetching the package (machines without npm)
#   SQLITE3_UNPATCHED=1        leave native/*.patch out and point artifacts/native/unpatched/libe_sqlite3.so at the result: for the tests and for measuring
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$here/../artifacts/native"
out=$(cd "$here/../artifacts/native" && pwd -P)
package=better-sqlite3@12.11.1
sha512=76af40b40a608393c616d0733c54819771d94231e893981a40233ace1d989346929830acd426e7548f3f1e001242434ab16169b1e20ef5b7a0e71c696216c87c  # npm's integrity field, in hexadecimal
wanted=3.53.2
flags=(-O2 -fPIC -shared -DSQLITE_THREADSAFE=2 -DSQLITE_ENABLE_FTS5 -DSQLITE_ENABLE_RTREE -DSQLITE_ENABLE_MATH_FUNCTIONS
  -DSQLITE_ENABLE_COLUMN_METADATA -DSQLITE_ENABLE_SNAPSHOT -DSQLITE_ENABLE_NORMALIZE -DSQLITE_ENABLE_UPDATE_DELETE_LIMIT
  -DSQLITE_DEFAULT_MEMSTATUS=0 -DSQLITE_ENABLE_PREUPDATE_HOOK -DSQLITE_ENABLE_DBPAGE_VTAB -DSQLITE_DEFAULT_FOREIGN_KEYS=1 -DSQLITE_OMIT_SHARED_CACHE)

stop() { echo "native/build.sh: $1" >&2; exit 1; }
compiler=${CC:-gcc}
command -v "$compiler" >/dev/null || stop "no C compiler '$compiler'. Install gcc (Debian: apt-get install gcc libc6-dev), or name one with CC."

exec 9>"$out/.lock"; flock 9   # two builds of the solution may come here at once
shopt -s nullglob; patches=("$here"/*.patch); link="$out/libe_sqlite3.so"; to=.
if [ "${SQLITE3_UNPATCHED:-}" = 1 ]; then
  patches=(); mkdir -p "$out/unpatched"; link="$out/unpatched/libe_sqlite3.so"; to=..
fi
key=$( { echo "$package $sha512 ${SQLITE3_AMALGAMATION:-} ${flags[*]}"; "$compiler" -dumpfullversion -dumpmachine
  [ ${#patches[@]} -gt 0 ] && cat "${patches[@]}"
  [ -n "${SQLITE3_AMALGAMATION:-}" ] && cat "$SQLITE3_AMALGAMATION/sqlite3.c"; true; } | sha256sum | cut -c1-16)
library="$out/$key/libe_sqlite3.so"

if [ ! -f "$library" ]; then
  work=$(mktemp -d "$out/.build.XXXXXX"); trap 'rm -rf "$work"' EXIT
  if [ -n "${SQLITE3_AMALGAMATION:-}" ]; then
    cp "$SQLITE3_AMALGAMATION/sqlite3.c" "$SQLITE3_AMALGAMATION/sqlite3.h" "$work/" || stop "SQLITE3_AMALGAMATION=$SQLITE3_AMALGAMATION has no sqlite3.c and sqlite3.h."
  else
    command -v npm >/dev/null || stop "no npm to fetch $package with. Install npm, or set SQLITE3_AMALGAMATION to a folder with SQLite $wanted's sqlite3.c and sqlite3.h."
    # pack, never install: the package's install script would fetch a binary.
    (cd "$work" && npm pack "$package" --silent >/dev/null 2>npm.log) || stop "npm pack $package failed: $(tail -n 3 "$work/npm.log")"
    archive=$(echo "$work"/better-sqlite3-*.tgz)
    found=$(sha512sum "$archive" | cut -d' ' -f1)
    [ "$found" = "$sha512" ] || stop "$package has SHA-512 $found, expected $sha512. Nothing was built."
    tar -xzf "$archive" -C "$work" --strip-components=3 package/deps/sqlite3
  fi
  version=$(sed -n 's/^#define SQLITE_VERSION  *"\(.*\)"/\1/p' "$work/sqlite3.h")
  [ "$version" = "$wanted" ] || stop "the source is SQLite $version, expected $wanted."
  # Without the ceiling git would find the repository around the folder, and leave out files that are not where the repository starts.
  apply() { (cd "$work" && env -u GIT_DIR -u GIT_WORK_TREE GIT_CEILING_DIRECTORIES="$out" git apply "$@"); }
  for patch in "${patches[@]}"; do
    { apply --check "$patch" && apply "$patch"; } || stop "$(basename "$patch") does not apply to SQLite $version."
  done
  echo "Building SQLite $version (about 40 s, once) ..." >&2
  "$compiler" "${flags[@]}" -o "$work/libe_sqlite3.so" "$work/sqlite3.c" -lm -lpthread -ldl
  mkdir -p "$out/$key"
  cp "$work/sqlite3.h" "$out/$key/"
  mv "$work/libe_sqlite3.so" "$library"   # last, so that a half-made folder is never taken for a build
fi
touch "$library"   # also a build from the cache is newer than what was copied from another one, so MSBuild copies it again
ln -sfn "$to/$key/libe_sqlite3.so" "$link"
echo "$library"
