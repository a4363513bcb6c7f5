#!/usr/bin/env bash
# `make demo`: what Claviger is for, shown on one screen with the tools of a stock Debian 12.
#
# Builds the module, makes tokens in a temporary directory, uses keys in them through pkcs11-tool,
# OpenSSL and ssh, and asserts at each step that the key came from the token. Ends with an error at
# the first step that does not hold. MODULE=path shows another module instead (nothing is built).
set -euo pipefail
case ${LC_ALL:-${LC_CTYPE:-${LANG:-}}} in
*[Uu][Tt][Ff]*) good='✓' bad='✗' ;;
*) good=ok bad=NO ;;
esac
here=$(cd "$(dirname "$0")" && pwd)
"$here/install.sh" demo

# ------------------------------------------------------------------ build
if [ -z "${MODULE:-}" ]; then
    [ -z "${HOME:-}" ] || PATH=$PATH:$HOME/.cargo/bin
    command -v cargo >/dev/null || {
        echo 'There is no cargo in PATH. A Rust toolchain comes from https://rustup.rs' >&2
        exit 1
    }
    target=${CARGO_TARGET_DIR:-$here/../target}
    [ -e "$target/release/libclaviger.so" ] || echo 'Building; the first time takes some minutes.'
    (cd "$here/.." && cargo build --release --quiet --locked)
    MODULE=$(realpath "$target/release/libclaviger.so")
    CLAVIGER=$(realpath "$target/release/claviger")
fi
export MODULE
started=$SECONDS
NEIGHBOUR=demo
source "$here/lib.sh"

shown=0
# show WHAT COMMAND...: runs the command and prints one line; it puts the figure into `note`.
show() {
    local what=$1 status
    shift
    set +e
    (set -euo pipefail; "$@") >show.log 2>&1 </dev/null
    status=$?
    set -e
    if [ "$status" != 0 ]; then
        printf ' %s %-13s FAILED\n' "$bad" "$what"
        tail -n 20 show.log | sed 's/^/   | /'
        printf '\nThe demo ends here: this step did not hold (exit %s).\n' "$status" >&2
        exit 1
    fi
    printf ' %s %-13s %s\n' "$good" "$what" "$(<note)"
    shown=$((shown + 1))
}
note() { printf '%s' "$*" >note; }

# ------------------------------------------------------------------ tokens and keys
make_token() {
    first_token demo
    note 'pkcs11-tool --init-token, --init-pin: token "demo"'
}
make_keys() {
    token demo --keypairgen --key-type rsa:2048 --id 01 --label rsa --usage-sign
    token demo --keypairgen --key-type EC:prime256v1 --id 02 --label ec --usage-sign
    public_key demo 01 rsa.pub
    public_key demo 02 ec.pub
    refused grep -q 'Private Key' <(p11 --token-label demo -O)
    [ "$(token demo -O | grep -c 'sensitive, always sensitive, never extractable')" = 2 ]
    note 'RSA-2048 and P-256 made inside, private, never extractable'
}
make_second() {
    second_token second
    token second --keypairgen --key-type EC:edwards25519 --id 03 --label ed --usage-sign
    public_key second 03 ed.pub
    note "${STAND_IN:-claviger token init}: \"second\", with an Ed25519 key"
}
printf '\nClaviger: keys that stock tools can use and nobody can read\n\n'
show 'token' make_token
show 'keys' make_keys
show 'second token' make_second

# ------------------------------------------------------------------ signatures
printf 'Signed by a key that nobody has seen.\n' >message
openssl dgst -sha256 -binary message >digest
sign_rsa() {
    token demo --sign -m SHA256-RSA-PKCS --id 01 -i message -o rsa.sig
    openssl dgst -sha256 -verify rsa.pub -signature rsa.sig message
    note "$(wc -c <rsa.sig) bytes, SHA256-RSA-PKCS; plain openssl verifies"
}
sign_ec() {
    token demo --sign -m ECDSA --signature-format openssl --id 02 -i digest -o ec.sig
    openssl pkeyutl -verify -pubin -inkey ec.pub -sigfile ec.sig -in digest
    note "$(wc -c <ec.sig) bytes, ECDSA P-256; plain openssl verifies"
}
sign_ed() {
    token second --sign -m EDDSA --id 03 -i message -o ed.sig
    openssl pkeyutl -verify -rawin -pubin -inkey ed.pub -sigfile ed.sig -in message
    note "$(wc -c <ed.sig) bytes, Ed25519; plain openssl verifies"
}
sign_hybrid() {
    local key=(--key hybrid --token demo)
    "$CLAVIGER" key generate comp-sig:mldsa65-ed25519-sha512 --label hybrid --token demo \
        --pin-env USER_PIN
    "$CLAVIGER" sign message "${key[@]}" --pin-env USER_PIN -o hybrid.sig
    "$CLAVIGER" verify message "${key[@]}" --signature hybrid.sig
    printf 'Changed.\n' | refused "$CLAVIGER" verify - "${key[@]}" --signature hybrid.sig
    note "$(wc -c <hybrid.sig) bytes, ML-DSA-65 with Ed25519; claviger sign, claviger verify"
}
show 'RSA' sign_rsa
show 'ECDSA' sign_ec
show 'Ed25519' sign_ed
# OpenSSL's engine does not know such a key, and works with the token all the same.
[ -n "$STAND_IN" ] || show 'hybrid' sign_hybrid

# ------------------------------------------------------------------ a certificate and TLS
ec_uri='pkcs11:token=demo;object=ec;type=private'
engine_conf engine.cnf
certificate() {
    OPENSSL_CONF=engine.cnf openssl req -new -x509 -engine pkcs11 -keyform engine -key "$ec_uri" \
        -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -days 1 -out ec.pem
    openssl verify -CAfile ec.pem ec.pem
    openssl x509 -in ec.pem -noout -pubkey | cmp - ec.pub
    note "openssl req with OpenSSL's engine, $(openssl x509 -in ec.pem -noout -subject)"
}
handshake() {
    local port pid pin
    tls_server server ec.pem "$ec_uri"
    port=$(<server.port) pid=$(tail -n 1 pids) pin=$(spki_pin ec.pub)
    # The public key that the token tells is the one curl insists on.
    curl -sS --max-time 60 --cacert ec.pem --pinnedpubkey "sha256//$pin" -o page \
        "https://localhost:$port/" --resolve "localhost:$port:127.0.0.1"
    openssl s_client -connect "127.0.0.1:$port" </dev/null 2>/dev/null |
        openssl x509 -noout -pubkey | cmp - ec.pub
    # And the server is a process that has our module in memory.
    grep -qF "$(realpath "$MODULE")" "/proc/$pid/maps"
    stop_background
    note "$(sed -n 's/^New, \(TLS[^,]*\), Cipher is \(.*\)/\1, \2/p' page | head -n 1)," \
        'curl pins the key of the token'
}
no_token() {
    mv tokens tokens.away
    mkdir -m 700 tokens
    if tls_server without ec.pem "$ec_uri"; then
        echo 'the server came up without the token: it has the key from somewhere else'
        exit 1
    fi
    stop_background
    rm -rf tokens
    mv tokens.away tokens
    note 'with the token moved away the same server does not start'
}
show 'certificate' certificate
show 'TLS' handshake
show 'no fallback' no_token

# ------------------------------------------------------------------ ssh, and what must not work
ssh_keys() {
    ssh-keygen -D "$(realpath "$MODULE")" >listed
    ssh-keygen -i -m PKCS8 -f ec.pub | cut -d' ' -f2 | grep -qFf - listed
    ssh-keygen -i -m PKCS8 -f rsa.pub | cut -d' ' -f2 | grep -qFf - listed
    note "ssh-keygen -D: $(cut -d' ' -f1 listed | sort | tr '\n' ' ')"
}
unreadable() {
    local asked
    cc -O1 -o attribute "$ROOT/interop/attribute.c" -ldl
    for asked in 'demo 01 0x123' 'demo 01 0x124' 'demo 02 0x11' 'second 03 0x11'; do
        # shellcheck disable=SC2086
        ./attribute "$MODULE" $asked && exit 1 || [ $? = 3 ]
    done
    token demo --read-object --type privkey --id 01 -o private || true
    [ ! -s private ]
    note 'private exponent, prime, EC and Ed25519 value: SENSITIVE'
}
no_files() {
    no_key_file
    note "$(find . -type f | wc -l) files looked at, none is a private key"
}
on_record() {
    local key
    key=$("$CLAVIGER" audit key --token demo)
    "$CLAVIGER" audit verify --token demo --key "$key" >verified
    grep -q verified verified
    note "claviger audit verify: $("$CLAVIGER" audit show --token demo --call C_Sign | wc -l) signatures on record, signed log"
}
[ -n "$STAND_IN" ] || show 'audit' on_record
show 'ssh' ssh_keys
show 'unreadable' unreadable
show 'no key file' no_files

printf '\nAll %d steps held, in %d s. The tokens lay in a temporary directory and go with it.\n\n' \
    "$shown" $((SECONDS - started))
