#!/usr/bin/env bash
# The tests of tests/cryptoki/suite against SoftHSM, whose own suite they follow: a test that the
# module it was made for does not pass, and that is not in expected-failures.txt, is wrong itself.
#
#     SOFTHSM=/path/to/libsofthsm2.so interop/softhsm/run.sh
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
cd "$HERE/../.."

for candidate in "${SOFTHSM:-}" /usr/lib/softhsm/libsofthsm2.so /usr/lib*/softhsm/libsofthsm2.so \
    /usr/lib/*/softhsm/libsofthsm2.so; do
    [ -r "$candidate" ] && break
done
if [ ! -r "$candidate" ]; then
    echo 'SKIPPED softhsm: libsofthsm2.so is not installed' >&2
    exit 77
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/claviger-softhsm.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
status=0
CLAVIGER_TEST_MODULE=$candidate "${CARGO:-cargo}" test --locked --test cryptoki suite:: \
    >"$work/log" 2>&1 || status=$?
sed -n 's/^test \(suite::[a-z0-9_:]*\) \.\.\. FAILED$/\1/p' "$work/log" | sort -u >"$work/failed"
passed=$(grep -c '^test suite::.* ok$' "$work/log" || true)
grep -v '^#' "$HERE/expected-failures.txt" | cut -f1 | sort -u >"$work/expected"
if [ "$passed" -lt 20 ]; then
    tail -n 40 "$work/log"
    echo "softhsm: the tests did not run (cargo ended with $status)"
    exit 1
fi
if ! diff -u "$work/expected" "$work/failed"; then
    grep -A 6 'panicked at' "$work/log" | tail -n 80
    echo 'softhsm: the tests that SoftHSM fails are not those of expected-failures.txt'
    exit 1
fi
echo "softhsm: $passed tests of the suite pass with SoftHSM, $(wc -l <"$work/failed") fail as expected"
