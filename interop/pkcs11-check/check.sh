#!/usr/bin/env bash
# pkcs11-check (PyPI) against a fresh token: no crash, and no failure but those in explained.txt.
#
#     interop/pkcs11-check/check.sh [arguments of `pkcs11-check test`]
#
# Takes about a quarter of an hour. Ends with 77, and says why, where there is no Python 3.12 or
# later: PYTHON=/path/to/python names one that is not found. The program is installed into a virtual
# environment below target/.
set -euo pipefail
VERSION=0.2.3
HERE=$(cd "$(dirname "$0")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
MODULE=${MODULE:-$TARGET/release/libclaviger.so}

not_run() { printf 'pkcs11-check: NOT RUN: %s\n' "$*"; exit 77; }
[ -r "$MODULE" ] || { echo "no module at $MODULE (build it: make build)" >&2; exit 1; }

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; }
python=
for candidate in ${PYTHON:-} python3.14 python3.13 python3.12 python3; do
    if command -v "$candidate" >/dev/null && new_enough "$candidate"; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || not_run 'no Python 3.12 or later (PYTHON=/path/to/python names one)'

venv=$TARGET/pkcs11-check-$VERSION
if [ ! -x "$venv/bin/pkcs11-check" ]; then
    rm -rf -- "$venv"
    "$python" -m venv "$venv" && "$venv/bin/pip" install -q "pkcs11-check==$VERSION" ||
        { rm -rf -- "$venv"; not_run "pkcs11-check $VERSION cannot be installed"; }
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/claviger-pkcs11-check.XXXXXX")
trap '[ -n "${KEEP:-}" ] && echo "kept: $work" >&2 || rm -rf -- "$work"' EXIT
mkdir "$work/data"
cp "$HERE/claviger.toml" "$work/"
export CLAVIGER_DIR=$work/data CLAVIGER_CONF=$work/claviger.toml LC_ALL=C.UTF-8
export P11TEST_PIN=2468101214 P11TEST_SO_PIN=1357913579
cd "$work"
printf '%s\n' "$P11TEST_SO_PIN" >so-pin
printf '%s\n' "$P11TEST_PIN" >pin
chmod 600 so-pin pin
"${CLAVIGER:-$TARGET/release/claviger}" token init --label judged \
    --so-pin-file so-pin --pin-file pin >/dev/null
rm so-pin pin

"$venv/bin/pkcs11-check" test -m "$MODULE" --slot 0 --skip-slow \
    --output json --output-file results.json "$@" >run.log 2>&1 || true
[ -s results.json ] || { tail -n 30 run.log >&2; echo 'pkcs11-check gave no results' >&2; exit 1; }
"$python" "$HERE/judge.py" results.json report.jsonl "$HERE/explained.txt"
