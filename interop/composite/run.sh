#!/usr/bin/env bash
# Composites against another implementation of their components: signatures and secrets both ways,
# put together by the rules of the drafts. Python's package cryptography has ML-DSA and ML-KEM from
# version 50 on.
source "$(dirname "$0")/../lib.sh"
need pkcs11-tool
PYTHON=
for python in python3 /usr/bin/python3; do
    ! "$python" -c 'from cryptography.hazmat.primitives.asymmetric import mldsa, mlkem
mldsa.MLDSA44PrivateKey.generate(); mlkem.MLKEM768PrivateKey.generate()' 2>/dev/null ||
        { PYTHON=$python; break; }
done
[ -n "$PYTHON" ] || {
    say "SKIPPED $NEIGHBOUR: python3 has no package cryptography with ML-DSA and ML-KEM" >&2
    exit 77
}
export MODULE

check() { timeout 300 "$PYTHON" "$HERE/check.py" "$1"; }

step 'a token for the checks' first_token T1
step 'composite signatures, both ways' check signatures
step 'composite secrets, both ways' check kems
finish
