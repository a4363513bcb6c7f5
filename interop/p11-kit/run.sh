#!/usr/bin/env bash
# p11-kit: a file in the user's configuration names the module, and then every program that asks
# p11-kit finds the token, beside others, in its own process or through a socket.

# p11-kit reads no configuration of root's own. There this runs again as nobody, who may not see
# where we lie.
if [ "$(id -u)" = 0 ]; then
    here=$(cd "$(dirname "$0")" && pwd)
    built=${CARGO_TARGET_DIR:-$here/../../target}/release
    copy=$(mktemp -d) || exit
    trap 'rm -rf -- "$copy"' EXIT
    mkdir "$copy/interop"
    cp -R "$here" "$here/../lib.sh" "$copy/interop"
    for file in "${CLAVIGER:-$built/claviger}" "${MODULE:-$built/libclaviger.so}"; do
        [ ! -r "$file" ] || cp "$file" "$copy"
    done
    chmod -R a+rX "$copy"
    module=${MODULE:-libclaviger.so}
    setpriv --reuid=65534 --regid=65534 --clear-groups env MODULE="$copy/${module##*/}" \
        CLAVIGER="$copy/claviger" "$copy/interop/p11-kit/run.sh"
    exit
fi

source "$(dirname "$0")/../lib.sh"
need pkcs11-tool openssl p11-kit p11tool softhsm2-util

PROXY=$(compgen -G '/usr/lib/*/p11-kit-proxy.so') &&
    CLIENT=$(compgen -G '/usr/lib/*/pkcs11/p11-kit-client.so') ||
    { say "SKIPPED $NEIGHBOUR: p11-kit-modules is not installed" >&2; exit 77; }
# proxy, client TOKEN ARGUMENTS...: pkcs11-tool through p11-kit, in its process or by the socket.
proxy() { MODULE=$PROXY token "$@"; }
client() { P11_KIT_SERVER_ADDRESS=unix:path=$WORK/${SOCKET:-socket} MODULE=$CLIENT token "$@"; }

configure() { # NAME LINE: what p11-kit reads in a home directory
    mkdir -p "home/$1/.config/pkcs11/modules"
    echo "$2" >"home/$1/.config/pkcs11/modules/ours.module"
}
export HOME=$WORK/home/module GNUTLS_PIN=$USER_PIN
unset XDG_CONFIG_HOME
configure module "module: $MODULE"
configure remote "remote: |p11-kit remote $MODULE"
head -c 32 /dev/urandom >short
head -c 4096 /dev/urandom >message

# Debian's SoftHSM2 is known to p11-kit already, as is its own module of trusted certificates.
prepare() {
    first_token T1
    softhsm2-util --init-token --free --label S1 --so-pin "$SO_PIN" --pin "$USER_PIN"
    p11-kit list-modules >listed
    grep -qF ": $MODULE" listed
    grep -q 'token: T1' listed
}
neighbours() {
    only_ours                                 # SoftHSM2 would be there twice
    grep -q 'token: S1' listed
    grep -q 'token: System Trust' listed
    MODULE=$PROXY p11 -L >listed
    grep -q 'token label *: T1' listed
    grep -q 'token label *: S1' listed
}
by_uri() {
    p11tool --list-tokens | grep -q 'token=T1'
    p11tool --login --generate-privkey=ecdsa --curve=secp256r1 --label uri --id 0a \
        --outfile uri.pub 'pkcs11:token=T1'
    p11tool --login --test-sign 'pkcs11:token=T1;object=uri;type=private'
    p11tool --export-pubkey 'pkcs11:token=T1;object=uri;type=public' --outfile exported.pub
    cmp uri.pub exported.pub
    refused env GNUTLS_PIN=wrong-one p11tool --batch --login --test-sign \
        'pkcs11:token=T1;object=uri;type=private'
}
step 'p11-kit finds the module and lists the token' prepare
step 'beside it those of SoftHSM2 and of trusted certificates' neighbours
step 'p11tool makes and uses a key by its URI' by_uri

# ------------------------------------------------------------------ through the proxy
make_keys() { # HOW TOKEN FIRST-DIGIT: an RSA, a P-256 and an AES key, with ids that begin so
    "$1" "$2" --keypairgen --key-type rsa:2048 --id "$3"1 --label "rsa$3" --usage-sign \
        --usage-decrypt
    "$1" "$2" --keypairgen --key-type EC:prime256v1 --id "$3"2 --label "ec$3" --usage-sign
    "$1" "$2" --keygen --key-type aes:32 --id "$3"3 --label "aes$3"
}
public_halves() { # TOKEN FIRST-DIGIT NAME
    public_key "$1" "$2"1 "$3.rsa.pub"
    public_key "$1" "$2"2 "$3.ec.pub"
}
# What p11-kit 0.24 brings through a socket. It knows no AES but ECB, and no ECDSA that hashes.
rsa() { # HOW TOKEN FIRST-DIGIT NAME
    "$1" "$2" --sign --id "$3"1 -m SHA256-RSA-PKCS -i message -o "$4.sig"
    openssl dgst -sha256 -verify "$4.rsa.pub" -signature "$4.sig" message
    "$1" "$2" --sign --id "$3"1 -m RSA-PKCS-PSS --hash-algorithm SHA256 -i short -o "$4.sig"
    openssl pkeyutl -verify -pubin -inkey "$4.rsa.pub" -in short -sigfile "$4.sig" \
        -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:32 -pkeyopt digest:sha256
    openssl pkeyutl -encrypt -pubin -inkey "$4.rsa.pub" -in short -out "$4.sealed" \
        -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha1
    "$1" "$2" --decrypt --id "$3"1 -m RSA-PKCS-OAEP --hash-algorithm SHA-1 -i "$4.sealed" \
        -o "$4.opened"
    cmp short "$4.opened"
}
ecdsa() {
    "$1" "$2" --sign --id "$3"2 -m ECDSA --signature-format openssl -i short -o "$4.sig"
    openssl pkeyutl -verify -pubin -inkey "$4.ec.pub" -in short -sigfile "$4.sig"
}
aes() {
    "$1" "$2" --encrypt --id "$3"3 -m AES-ECB -i short -o "$4.aes"
    refused cmp short "$4.aes"
    "$1" "$2" --decrypt --id "$3"3 -m AES-ECB -i "$4.aes" -o "$4.opened"
    cmp short "$4.opened"
    # The other way to the same key gives the same bytes.
    token "$2" --encrypt --id "$3"3 -m AES-ECB -i short -o "$4.again"
    cmp "$4.aes" "$4.again"
}
all_three() { rsa "$@"; ecdsa "$@"; aes "$@"; }
through_proxy() {
    make_keys proxy T1 1
    public_halves T1 1 proxy
    all_three proxy T1 1 proxy
    offers ECDSA-SHA256
    proxy T1 --sign --id 12 -m ECDSA-SHA256 --signature-format openssl -i message -o signature
    openssl dgst -sha256 -verify proxy.ec.pub -signature signature message
}
every_mechanism() { cmp <(p11 -M) <(MODULE=$PROXY p11 --token-label T1 -M 2>&1 | grep -v ^Using); }
both() {
    only_ours
    make_keys proxy S1 5
    MODULE=/usr/lib/softhsm/libsofthsm2.so public_halves S1 5 other
    ecdsa proxy S1 5 other
    ecdsa proxy T1 1 proxy
    # In one process, and each token has its own keys only.
    p11tool --login --list-privkeys pkcs11: >listed
    grep -q 'token=T1;id=%12' listed
    grep -q 'token=S1;id=%52' listed
    refused grep 'token=T1;id=%52\|token=S1;id=%12' listed
}
step 'keys are made and used through the proxy' through_proxy
step 'the proxy offers every mechanism' every_mechanism
step 'two tokens of two modules behind one proxy' both

# ------------------------------------------------------------------ through a socket
# The server initialises the module and gives each connection a process forked from it.
serve() { # SOCKET P11-KIT-SERVER-OPTIONS...
    background p11-kit server -f -n "$WORK/$1" "${@:2}" 'pkcs11:token=T1' >"$1.log" 2>&1 </dev/null
    wait_for 10 test -S "$1" || { cat "$1.log"; return 1; }
}
through_socket() {
    make_keys client T1 2
    public_halves T1 2 client
    client T1 -O >listed
    grep -q 'label: *rsa2' listed
    grep -q 'label: *aes2' listed
    all_three client T1 2 client
}
many_at_once() {
    only_ours                                 # some see no slot of SoftHSM2
    local n pids=()
    for n in $(seq 8); do
        client T1 --sign --id 22 -m ECDSA --signature-format openssl -i short -o "many.$n" &
        pids+=($!)
    done
    for n in "${pids[@]}"; do wait "$n"; done
    for n in $(seq 8); do
        openssl pkeyutl -verify -pubin -inkey client.ec.pub -in short -sigfile "many.$n"
    done
}
# Killed while the server makes its keys: they are there or not, and nothing else is harmed. The
# later ones may have come to their end; the first has not had time for that.
dies() {
    local n pid
    for n in 05 1 2; do
        P11_KIT_SERVER_ADDRESS=unix:path=$WORK/socket pkcs11-tool --module "$CLIENT" \
            --token-label T1 --login --pin env:USER_PIN --keypairgen --key-type rsa:4096 \
            --id "3${n: -1}" --label "killed$n" --usage-sign &
        pid=$!
        sleep "0.$n"
        kill -KILL "$pid" || [ "$n" != 05 ]
    done
    ecdsa client T1 2 client
    kill -0 "$(head -n 1 pids)"
    [ "$STAND_IN" ] || "$CLAVIGER" audit verify || [ $? = 3 ]
}
socket_pin() {
    refused env USER_PIN=wrong-one P11_KIT_SERVER_ADDRESS="unix:path=$WORK/socket" \
        pkcs11-tool --module "$CLIENT" --token-label T1 --login --pin env:USER_PIN -O
    refused client T1 --read-object --type secrkey --id 23 -o leaked
    [ ! -s leaked ]
    client T1 -O --type privkey >listed
    grep -A 4 'label: *rsa2' listed | grep 'sensitive, always sensitive, never extractable, local'
}
second_server() {
    serve other
    SOCKET=other ecdsa client T1 2 client
}
stopped() {
    stop_background
    [ ! -e socket ]
    refused client T1 -O
    ecdsa token T1 2 client
}
# p11-kit runs the module in a child of each program and talks to it through pipes.
remote() {
    HOME=$WORK/home/remote p11-kit list-modules | grep -q 'token: T1'
    HOME=$WORK/home/remote all_three proxy T1 2 client
}
step 'a server for the token' serve socket --provider "$MODULE"
step 'keys are made and used through a socket' through_socket
step 'eight clients at once' many_at_once
step 'clients that are killed harm nobody' dies
step 'a wrong PIN opens nothing, and no key comes through the socket' socket_pin
step 'a server that finds the token in the configuration' second_server
step 'without the server there is no token, and the keys are where they were' stopped
step 'the module in a process of its own' remote
step 'no private key lies in a file' no_key_file

finish
