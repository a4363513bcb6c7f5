#!/usr/bin/env bash
# GnuTLS: p11tool finds the token and tests a signature, certtool makes a certificate, and
# gnutls-serv answers TLS handshakes with keys that stay in the token.
source "$(dirname "$0")/../lib.sh"
need pkcs11-tool openssl p11tool certtool gnutls-serv gnutls-cli

export GNUTLS_PIN=$USER_PIN
tool() { timeout 60 p11tool --provider "$MODULE" "$@"; }
uri() { printf 'pkcs11:token=T1;object=%s;type=%s' "$1" "${2:-private}"; }

prepare() {
    first_token T1
    token T1 --keypairgen --key-type rsa:2048 --id 01 --label rsa1 --usage-sign --usage-decrypt
    token T1 --keypairgen --key-type EC:prime256v1 --id 02 --label ec1 --usage-sign
    public_key T1 01 rsa1.pub
    public_key T1 02 ec1.pub
}
tokens() { tool --list-tokens | grep -q 'token=T1'; }
objects() {
    tool --login --list-all 'pkcs11:token=T1' >listed
    [ "$(grep -c 'Type: Private key' listed)" = 2 ]
    [ "$(grep -c 'Type: Public key' listed)" = 2 ]
    grep -q 'CKA_SENSITIVE' listed
}
public_without_pin() {
    # GnuTLS names the outcome of a refused export; the public half needs no login at all.
    tool --export-pubkey "$(uri ec1 public)" --outfile exported.pub
    openssl pkey -pubin -in exported.pub | cmp - ec1.pub
}
test_sign() { tool --login --test-sign "$(uri "$1")"; }
step 'token with RSA and P-256 keys' prepare
step 'p11tool lists the token' tokens
step 'p11tool lists the objects' objects
step 'p11tool exports a public key' public_without_pin
step 'p11tool tests the RSA key' test_sign rsa1
step 'p11tool tests the P-256 key' test_sign ec1

certificate() {
    printf 'cn = %s\ndns_name = localhost\nexpiration_days = 30\nsigning_key\ntls_www_server\n' \
        "$1" >template
    timeout 60 certtool --provider "$MODULE" --generate-self-signed --template template \
        --load-privkey "$(uri "$1")" --load-pubkey "$(uri "$1" public)" --outfile "$1.pem"
    openssl x509 -in "$1.pem" -pubkey -noout | cmp - "$1.pub"
    openssl verify -CAfile "$1.pem" "$1.pem"
}
generate() {
    tool --login --generate-privkey=ecdsa --curve=secp384r1 --label ec2 --id 03 \
        --outfile ec2.pub 'pkcs11:token=T1'
    test_sign ec2
}
write_certificate() {
    tool --login --write --load-certificate ec1.pem --label ec1 --id 02 'pkcs11:token=T1'
    tool --list-all-certs 'pkcs11:token=T1' | grep -q 'Label: ec1'
}
step 'certificate for the RSA key' certificate rsa1
step 'certificate for the P-256 key' certificate ec1
step 'p11tool generates a P-384 key' generate
step 'p11tool writes a certificate' write_certificate

# gnutls-serv has no way to ask for any free port: a random one is tried until one is free.
serve() {
    local port
    for _ in 1 2 3 4 5; do
        port=$((20000 + RANDOM % 20000))
        background gnutls-serv --provider "$MODULE" --x509keyfile "$(uri "$1")" \
            --x509certfile "$1.pem" -p "$port" >server.log 2>&1 </dev/null
        for _ in $(seq 50); do
            ! grep -q 'listening on IPv4.*done' server.log || break
            sleep 0.1
        done
        if grep -q 'listening on IPv4.*done' server.log; then break; fi
        stop_background
    done
    timeout 60 gnutls-cli --x509cafile "$1.pem" --verify-hostname localhost \
        --priority "$2" -p "$port" 127.0.0.1 </dev/null >client.log 2>&1
    grep -q 'Handshake was completed' client.log
    grep -q 'The certificate is trusted' client.log
    stop_background
}
step 'TLS 1.3 with the P-256 key' serve ec1 NORMAL
step 'TLS 1.2 with the P-256 key' serve ec1 NORMAL:-VERS-TLS1.3
step 'TLS 1.3 with the RSA key (PSS)' serve rsa1 NORMAL
step 'TLS 1.2 with the RSA key' serve rsa1 NORMAL:-VERS-TLS1.3
step 'no private key lies in a file' no_key_file

finish
