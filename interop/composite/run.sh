#!/usr/bin/env bash
# Composites against another implementation of their components: signatures and secrets both ways,
# put together by the rules of the drafts. Python's package cryptography has ML-DSA and ML-KEM from
# version 48 on.
source "$(dirname "$0")/../lib.sh"
need pkcs11-tool
python_with 'from cryptography.hazmat.primitives.asymmetric import mldsa, mlkem
mldsa.MLDSA44PrivateKey.generate(); mlkem.MLKEM768PrivateKey.generate()'

check() { timeout 300 "$PYTHON" "$HERE/check.py" "$1"; }

step 'a token for the checks' first_token T1
step 'composite signatures, both ways' check signatures
step 'composite secrets, both ways' check kems

# What our own tool writes, taken apart and verified without it.
certify() {
    local set
    for set in $(check names); do
        certificates_of "comp-sig:$set" "$set"
    done
    check certificates
}
step 'certificates and requests of composites' certify
finish
