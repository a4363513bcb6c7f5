#!/usr/bin/env bash
# ML-DSA and ML-KEM against another implementation: Python's package cryptography, whose OpenSSL has
# both. Signatures, secrets and PKCS #8 go both ways; TLS's X25519MLKEM768 is put together on the
# token of keys that nobody can read.
source "$(dirname "$0")/../lib.sh"
need pkcs11-tool
python_with 'from cryptography.hazmat.primitives.asymmetric import mldsa, mlkem
mldsa.MLDSA44PrivateKey.generate(); mlkem.MLKEM768PrivateKey.generate()'

check() { timeout 300 "$PYTHON" "$HERE/check.py" "$1"; }

step 'a token for the checks' first_token T1
step 'ML-DSA signatures, both ways' check signatures
step 'ML-KEM secrets, both ways' check secrets
step 'private keys as PKCS #8, both ways' check keys
step 'the secret of X25519MLKEM768, made and found on the token' check hybrid

# What our own tool writes, taken apart and verified without it.
certify() {
    local kind
    for kind in 44 65 87; do certificates_of "ml-dsa:$kind" "ml-dsa-$kind"; done
    check certificates
}
step 'certificates and requests of ML-DSA' certify
certify_hashes() {
    local kind
    for kind in $(check names); do certificates_of "slh-dsa:$kind" "slh-dsa-$kind"; done
    check hash-certificates
}
step 'certificates and requests of SLH-DSA' certify_hashes
finish
