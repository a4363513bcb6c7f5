#!/usr/bin/env bash
# Go's crypto11, which servers and certificate authorities in Go use: keys made, used, imported and
# deleted, and a TLS server whose key stays in the token. The other side is Go's own cryptography.
source "$(dirname "$0")/../lib.sh"
need pkcs11-tool openssl go
packages=/usr/share/gocode/src/github.com
[ -d "$packages/ThalesIgnite/crypto11" ] || {
    say "SKIPPED $NEIGHBOUR: no package crypto11 for Go" >&2
    exit 77
}
export MODULE

prepare() {
    first_token T1
    GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$WORK/cache GOFLAGS=-p=2 \
        go build -o checks "$HERE/checks.go"
    rm -rf cache
    # crypto11 brings no keys in.
    head -c 32 /dev/urandom >aes1.key
    token T1 --write-object aes1.key --type secrkey --key-type AES:32 --id 11 --label aes1 \
        --usage-decrypt
}
check() { timeout 60 ./checks "$@"; }
# SoftHSM2 has OAEP with SHA-1 alone, and lets secret keys be read.
ours() { only_ours; check "$@"; }
certificate() {
    check certify
    openssl verify -CAfile go.pem go.pem
    openssl x509 -in go.pem -noout -pubkey >certified.pub
    p11 --token-label T1 --read-object --type cert --label ec1 -o kept.der
    openssl x509 -inform DER -in kept.der -noout -pubkey | cmp - certified.pub
}
never_outside() {
    only_ours
    token T1 -O --type privkey >listed
    [ "$(grep -c 'Private Key Object' listed)" = 4 ]
    [ "$(grep -c 'sensitive, always sensitive, never extractable, local' listed)" = 4 ]
}
step 'a token, and a Go program for it' prepare
step 'keys are made: P-256, P-384, P-521, RSA' check generate
step 'and never leave the token' never_outside
step 'signatures: ECDSA, RSA, RSA-PSS' check sign
step 'RSA decryption: OAEP and PKCS #1 v1.5' ours decrypt
step 'AES-GCM and AES-CBC with a key that was brought in' ours ciphers
step 'random bytes' check random
step 'certificate, kept beside its key' certificate
step '192 TLS handshakes, sixteen at a time' check tls
step 'everything in one process' ours sign decrypt random tls
step 'a key pair deleted' check delete
step 'a wrong PIN' check wrongPIN
step 'no private key lies in a file' no_key_file
finish
