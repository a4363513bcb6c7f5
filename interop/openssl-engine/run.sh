#!/usr/bin/env bash
# OpenSSL 3 with libp11's engine: certificates, CMS, decryption and TLS with keys that stay in the
# token. Everything it makes is checked by an openssl that knows nothing of the token.
source "$(dirname "$0")/../lib.sh"
need pkcs11-tool openssl curl

uri() { printf 'pkcs11:token=T1;object=%s;type=private' "$1"; }
with_engine() { OPENSSL_CONF=$WORK/engine.cnf timeout 120 openssl "$@"; }
engine_key() { # OPENSSL-COMMAND KEY-OPTION KEY REST...
    local command=$1 option=$2 key=$3
    shift 3
    with_engine "$command" -engine pkcs11 -keyform engine "$option" "$(uri "$key")" "$@"
}
head -c 5000 /dev/urandom >message
head -c 32 /dev/urandom >short
engine_conf engine.cnf

# A key of every kind that `claviger` makes, beside those that libp11 knows: it gives up on all of
# them at one of a type that it does not know, unless that is hidden from it.
others() {
    local kind n=80
    "$CLAVIGER" key algorithms >kinds
    while read -r kind; do
        n=$((n + 1))
        "$CLAVIGER" key generate "$kind" --token T1 --label "other $kind" --id "$(printf %04d "$n")" \
            --pin-env USER_PIN
    done <kinds
}
sees_all() {
    only_ours
    others
    local all
    all=$(token T1 -O | grep -c 'Private Key Object\|Secret Key Object')
    [ "$all" -ge $((3 + $(wc -l <kinds))) ]
}
# Without the view not even the P-256 key can be used (the engine may crash): the hiding is what helps.
needs_the_view() {
    only_ours
    if CLAVIGER_VIEW=full with_engine dgst -engine pkcs11 -keyform engine -sign "$(uri ec1)" \
        -sha256 -out signature message; then
        say 'the engine can stand every key: is the view of any use?'
        exit 1
    fi
    dgst ec1 sha256
}
prepare() {
    first_token T1
    token T1 --keypairgen --key-type rsa:2048 --id 01 --label rsa1 --usage-sign --usage-decrypt
    token T1 --keypairgen --key-type EC:prime256v1 --id 02 --label ec1 --usage-sign --usage-derive
    token T1 --keypairgen --key-type EC:secp384r1 --id 03 --label ec2 --usage-sign --usage-derive
    public_key T1 01 rsa1.pub
    public_key T1 02 ec1.pub
    public_key T1 03 ec2.pub
}
loads() { with_engine engine -t pkcs11 | grep -q 'available'; }
step 'token with RSA, P-256 and P-384 keys' prepare
step 'the engine loads the module' loads
step 'beside them a key of every kind, which pkcs11-tool sees' sees_all

# ------------------------------------------------------------------ certificates
certificate() {
    engine_key req -key "$1" -new -x509 -days 30 -subj "/CN=$1" \
        -addext basicConstraints=critical,CA:TRUE \
        -addext subjectAltName=IP:127.0.0.1,DNS:localhost -out "$1.pem"
    openssl verify -CAfile "$1.pem" "$1.pem"
    openssl x509 -in "$1.pem" -pubkey -noout | cmp - "$1.pub"
}
request() {
    engine_key req -key ec1 -new -subj /CN=request -out request.pem
    openssl req -in request.pem -verify -noout 2>&1 | grep -qi 'verify OK'
}
issue() {
    with_engine x509 -req -in request.pem -CA rsa1.pem -CAkeyform engine -engine pkcs11 \
        -CAkey "$(uri rsa1)" -set_serial 7 -days 10 -out issued.pem
    openssl verify -CAfile rsa1.pem issued.pem
}
keep_certificates() {
    local name
    for name in rsa1:01 ec1:02 ec2:03; do
        openssl x509 -in "${name%:*}.pem" -outform DER -out cert.der
        token T1 --write-object cert.der --type cert --id "${name#*:}" --label "${name%:*}"
    done
    [ "$(p11 --token-label T1 -O --type cert | grep -c 'Certificate Object')" = 3 ]
}
for key in rsa1 ec1 ec2; do step "self-signed certificate, $key" certificate $key; done
step 'certificate request' request
step 'certificate issued by a CA whose key is in the token' issue
step 'certificates kept beside their keys' keep_certificates

# ------------------------------------------------------------------ signatures and decryption
dgst() { # KEY DIGEST OPTIONS...
    engine_key dgst -sign "$1" "-$2" "${@:3}" -out signature message
    openssl dgst "-$2" -verify "$1.pub" "${@:3}" -signature signature message
}
cms_sign() {
    engine_key cms -inkey "$1" -sign -binary -signer "$1.pem" -in message -out message.cms
    openssl cms -verify -binary -in message.cms -CAfile "$1.pem" -purpose any | cmp - message
}
cms_decrypt() {
    openssl cms -encrypt -binary -aes256 -in message -out sealed.cms rsa1.pem
    engine_key cms -inkey rsa1 -decrypt -binary -in sealed.cms -out opened
    cmp message opened
}
decrypt() {
    openssl pkeyutl -encrypt -pubin -inkey rsa1.pub "$@" -in short -out sealed
    engine_key pkeyutl -inkey rsa1 -decrypt "$@" -in sealed -out opened
    cmp short opened
}
derive() {
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:"$2" -out peer.pem
    openssl pkey -in peer.pem -pubout -out peer.pub
    engine_key pkeyutl -inkey "$1" -derive -peerkey peer.pub -out derived
    openssl pkeyutl -derive -inkey peer.pem -peerkey "$1.pub" | cmp - derived
    rm peer.pem
}
step 'RSA signature, SHA-256' dgst rsa1 sha256
step 'RSA signature, SHA-512' dgst rsa1 sha512
step 'RSA-PSS signature, SHA-256' dgst rsa1 sha256 -sigopt rsa_padding_mode:pss \
    -sigopt rsa_pss_saltlen:32
step 'ECDSA signature, P-256' dgst ec1 sha256
step 'ECDSA signature, P-384' dgst ec2 sha384
step 'CMS signed by the RSA key' cms_sign rsa1
step 'CMS signed by the P-256 key' cms_sign ec1
step 'CMS encrypted to the RSA key is opened' cms_decrypt
step 'RSA decryption, PKCS #1 v1.5' decrypt
step 'RSA decryption, OAEP' decrypt -pkeyopt rsa_padding_mode:oaep
step 'ECDH, P-256' derive ec1 P-256
step 'ECDH, P-384' derive ec2 P-384

# ------------------------------------------------------------------ TLS
serve() { # KEY CURL OPTIONS...
    local key=$1 port
    tls_server "$key" "$key.pem" "$(uri "$key")"
    port=$(<"$key.port")
    # The chain is checked against our certificate, and the key against what the token says it is.
    curl -sS --max-time 60 --cacert "$key.pem" --pinnedpubkey "sha256//$(spki_pin "$key.pub")" \
        "${@:2}" -o page "https://127.0.0.1:$port/"
    grep -q 'New, TLSv1' page
    refused curl -sS --max-time 60 --cacert "$key.pem" -o page "https://127.0.0.1:$port/" \
        --pinnedpubkey "sha256//$(openssl rand -base64 32)"
    stop_background
}
many() {
    local port n
    tls_server ec1 ec1.pem "$(uri ec1)" -no_ticket
    port=$(<ec1.port)
    for n in $(seq 40); do
        curl -sS --max-time 60 --cacert ec1.pem -o page "https://127.0.0.1:$port/" || exit 1
    done
    stop_background
}
no_token_no_server() {
    mv tokens tokens.away
    mkdir -m 700 tokens
    if tls_server none ec1.pem "$(uri ec1)"; then say 'a server without the token'; exit 1; fi
    stop_background
    rm -rf tokens
    mv tokens.away tokens
    grep -qi 'could not\|unable\|cannot\|not found' none.log
}
step 'TLS 1.3 with the P-256 key' serve ec1 --tlsv1.3
step 'TLS 1.2 with the P-256 key' serve ec1 --tlsv1.2 --tls-max 1.2
step 'TLS 1.3 with the P-384 key' serve ec2 --tlsv1.3
step 'TLS 1.3 with the RSA key (PSS)' serve rsa1 --tlsv1.3
step 'TLS 1.2 with the RSA key' serve rsa1 --tlsv1.2 --tls-max 1.2
step '40 handshakes with one server' many
step 'without the token there is no server' no_token_no_server

# ------------------------------------------------------------------ what must not work
# libp11 writes a PEM file for an EC key all the same, with a private value it made up.
no_export() {
    local key
    for key in rsa1 ec1; do
        with_engine pkey -engine pkcs11 -inform engine -in "$(uri $key)" -out leaked.pem || true
        if openssl dgst -sha256 -sign leaked.pem -out signature message; then
            refused openssl dgst -sha256 -verify $key.pub -signature signature message
        fi
        rm -f leaked.pem
    done
}
wrong_pin() {
    only_ours                                 # SoftHSM2 crashes in its exit handler
    sed 's/^PIN = .*/PIN = wrong-one/' engine.cnf >wrong.cnf
    refused env OPENSSL_CONF=wrong.cnf timeout 60 openssl dgst -engine pkcs11 -keyform engine \
        -sign "$(uri ec1)" -sha256 -out signature message
    dgst ec1 sha256
}
step 'the engine cannot export a private key' no_export
step 'a wrong PIN signs nothing' wrong_pin
step 'with every key in sight the engine uses none' needs_the_view
step 'no private key lies in a file' no_key_file

finish
