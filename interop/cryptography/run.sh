#!/usr/bin/env bash
# Classical mechanisms against another implementation, both ways: what the token signs, encrypts,
# derives is checked and opened by Python's package cryptography, and the other way round.
source "$(dirname "$0")/../lib.sh"
need pkcs11-tool
python_with 'from cryptography.hazmat.primitives.asymmetric import mldsa
mldsa.MLDSA44PrivateKey.generate()'

check() { timeout 300 "$PYTHON" "$HERE/check.py" "$1"; }

# SHA-1 signatures and 3DES.
printf '[mechanisms]\nlegacy = true\n' >claviger.toml

step 'a token for the checks' first_token T1
step 'RSA: signatures, encryption' check rsa
step 'ECDSA: every curve and hash' check ecdsa
step 'EdDSA: Ed25519, Ed448' check eddsa
step 'agreement: ECDH on every curve, X25519, X448, DH' check agreement
step 'AES: every mode, wrapping' check aes
step '3DES' check 3des
step 'ChaCha20, Poly1305' check chacha
step 'digests and HMACs' check hashes
step 'HKDF, PBKDF2, SP 800-108' check derivations
finish
