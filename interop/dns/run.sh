#!/usr/bin/env bash
# DNSSEC: Knot, through GnuTLS, makes its keys in the token and signs zones with them, by command
# and as a server that rolls its keys. BIND, which knows nothing of the token, checks what it signs.
# (BIND cannot be the signer: Debian's has no OpenSSL engines, and 9.18 no other way to a token.)
source "$(dirname "$0")/../lib.sh"
PATH=$PATH:/usr/sbin                          # where Debian has Knot, and users do not look
need pkcs11-tool openssl keymgr knotc knotd kzonesign dig delv dnssec-dsfromkey dnssec-verify

# What a resolver would have forgotten is waited for before a key goes: a second is enough for us.
write_zone() { # FILE SERIAL ADDRESS
    cat >"$1" <<ZONE
\$TTL 1
@ SOA ns hostmaster $2 3600 900 86400 1
@ NS ns
ns A 127.0.0.1
www A $3
ZONE
}
# configure NAME ALGORITHM [POLICY-LINE...]: NAME.conf, and a zone of its own in the folder NAME.
configure() {
    local name=$1 algorithm=$2
    shift 2
    mkdir -p "$name/out" "$name/database"
    write_zone "$name/zone" 1 127.0.0.2
    (umask 077; cat >"$name.conf") <<CONF
server:
  rundir: "$WORK/$name"
${PORT:+  listen: 127.0.0.1@$PORT}
database:
  storage: "$WORK/$name/database"
log:
  - target: stderr
    any: info
keystore:
  - id: token
    backend: pkcs11
    key-label: on
    config: "pkcs11:token=T1;pin-value=${PIN:-$USER_PIN} $MODULE"
policy:
  - id: token
    keystore: token
    algorithm: $algorithm
    dnskey-ttl: 1
    zone-max-ttl: 1
    propagation-delay: 1
$(printf '    %s\n' "$@")
zone:
  - domain: example.test
    storage: "$WORK/$name"
    file: zone
    dnssec-signing: on
    dnssec-policy: token
CONF
}
keys() { timeout 60 keymgr -c "$1.conf" example.test "${@:2}"; }
signed() { timeout 60 kzonesign -c "$1.conf" -o "$1/out" example.test; }
# Is every record of the zone signed, with all of its keys, and is every signature right?
sound() {
    timeout 60 dnssec-verify -o example.test "${@:2}" "$1" >verified || { cat verified; return 1; }
    cat verified
    grep -q 'Zone fully signed' verified
}
private_keys() { token T1 -O --type privkey | grep -c 'Private Key Object' || true; }

prepare() { first_token T1; }
sign() { # NAME ALGORITHM ALGORITHM-NUMBER
    local before
    before=$(private_keys)
    configure "$1" "$2"
    signed "$1"
    sound "$1/out/zone"
    [ "$(private_keys)" = $((before + 2)) ]
    [ "$(keys "$1" dnskey | cut -d' ' -f5)" = "$3" ]
}
# The key in the zone is the one in the token: x and y end a public key and are all of a DNSKEY.
same_key() {
    local id
    id=$(keys p256 list | sed -n 's/^\([0-9a-f]*\) .*KSK.*/\1/p')
    public_key T1 "$id" ksk.pub
    openssl pkey -pubin -in ksk.pub -outform DER | tail -c 64 | openssl base64 -A >of-token
    keys p256 dnskey | cut -d' ' -f6- | tr -d ' \n' >of-zone
    cmp of-token of-zone
}
closed_keys() {
    [ "$(private_keys)" -gt 0 ]
    token T1 -O --type privkey >listed
    [ "$(grep -c 'sensitive, always sensitive, never extractable, local' listed)" = \
        "$(private_keys)" ]
    grep -q 'label: *example.test. KSK' listed
}
delegation() {
    dnssec-dsfromkey -2 -f p256/out/zone example.test | tr A-Z a-z | sort >ds-bind
    keys p256 ds | grep ' 2 [0-9a-f]*$' | sed 's/ DS / in ds /' | tr A-Z a-z | sort >ds-knot
    diff ds-bind ds-knot
}
altered() {
    sed 's/127\.0\.0\.2/127.0.0.3/' p256/out/zone >altered
    refused cmp -s altered p256/out/zone
    refused sound altered
}
# GnuTLS 3.7 cannot make Ed25519 keys (it asks the token to make them with CKM_EDDSA), so Knot takes
# over one that is there. One key signs all, which is what -z is about.
ed25519() {
    only_ours                                 # Debian's SoftHSM2 has no Ed25519
    local id=00112233445566778899aabbccddeeff00112233
    "$CLAVIGER" key generate ed25519 --label ed --id $id --pin-env USER_PIN
    configure ed ed25519 'manual: on' 'single-type-signing: on'
    [ "$(keys ed import-pkcs11 $id algorithm=ed25519 ksk=yes zsk=yes | head -n 1)" = $id ]
    signed ed
    sound ed/out/zone -z
    [ "$(keys ed dnskey | cut -d' ' -f5)" = 15 ]
}
step 'token with a user PIN' prepare
step 'Knot makes P-256 keys in the token and signs a zone' sign p256 ecdsap256sha256 13
step 'Knot makes P-384 keys in the token and signs a zone' sign p384 ecdsap384sha384 14
step 'Knot makes RSA keys in the token and signs a zone' sign rsa rsasha256 8
step 'Knot signs a zone with an Ed25519 key of the token' ed25519
step 'the zone names the key that the token has' same_key
step 'no private key can be read, and each has the label of its zone' closed_keys
step 'BIND and Knot derive the same DS record' delegation
step 'BIND does not accept a changed record' altered

# ------------------------------------------------------------------ a server
control() { timeout 60 knotc -c server.conf "$@"; }
# knotd has no way to ask for any free port: a random one is tried until one is free.
start() {
    local PORT
    for _ in 1 2 3 4 5; do
        PORT=$((20000 + RANDOM % 20000))
        configure server ecdsap256sha256 'zsk-lifetime: 0'
        echo "$PORT" >server.port
        background knotd -c server.conf >server.log 2>&1 </dev/null
        if wait_for 10 served 127.0.0.2; then return; fi
        stop_background
    done
    cat server.log
    return 1
}
ask() { dig @127.0.0.1 -p "$(<server.port)" +time=2 +tries=1 "$@"; }
# delv is a validating resolver's half of BIND; the KSK is all it trusts.
served() { # ADDRESS-OF-www
    { keys server dnskey | sed -n 's/.* DNSKEY \([0-9]*\) 3 \([0-9]*\) \(.*\)/\1 3 \2 "\3"/p' |
        sed 's/.*/trust-anchors { example.test. static-key &; };/' >anchors; } || return 1
    timeout 20 delv @127.0.0.1 -p "$(<server.port)" -a anchors +root=example.test \
        www.example.test A >answer 2>&1 || return 1
    grep -q '^; fully validated' answer && grep -q "A[[:space:]]*$1\$" answer
}
answers() {
    start
    ask +dnssec +norec www.example.test A | grep -q 'RRSIG.*A 13 3 '
    served 127.0.0.2
}
another_anchor() {
    served 127.0.0.2
    sed "s|\"[^\"]*\"|\"$(keys p256 dnskey | cut -d' ' -f6-)\"|" anchors >other
    refused cmp -s other anchors
    timeout 20 delv @127.0.0.1 -p "$(<server.port)" -a other +root=example.test \
        www.example.test A >answer 2>&1 || true
    cat answer
    refused grep -q 'fully validated\|^www' answer
    grep -q 'broken trust chain' answer
}
changed() {
    write_zone server/zone 2 127.0.0.9
    control -b zone-reload example.test
    wait_for 10 served 127.0.0.9
}
zone_signing_keys() { keys server list | grep ZSK | cut -d' ' -f1; }
rolled() { [ "$(zone_signing_keys)" != "$1" ] && [ "$(zone_signing_keys | wc -l)" = 1 ]; }
roll() {
    local before old
    before=$(private_keys)
    old=$(zone_signing_keys)
    token T1 -O --type privkey | grep "ID: *$old"
    control -b zone-key-rollover example.test zsk
    wait_for 20 rolled "$old"
    served 127.0.0.9
    # What is no longer in use is gone from the token too.
    [ "$(private_keys)" = "$before" ]
    refused grep -q "ID: *$old" <(token T1 -O --type privkey)
}
# Another process makes and deletes a key while the server has the token open.
beside() {
    local id before
    before=$(private_keys)
    id=$(keys server generate algorithm=ecdsap256sha256 zsk=yes ksk=no publish=+1y active=+1y)
    [ "$(private_keys)" = $((before + 1)) ]
    keys server delete "$id"
    [ "$(private_keys)" = "$before" ]
    control -b zone-sign example.test
    served 127.0.0.9
}
stops() {
    local pid
    pid=$(tail -n 1 pids)
    kill -0 "$pid"
    control stop
    wait_for 10 gone "$pid"
    grep -q 'shutting down' server.log
}
gone() { ! kill -0 "$1" 2>/dev/null; }
step 'knotd serves the zone, and delv validates it' answers
step 'delv does not accept it under another key' another_anchor
step 'a changed zone is signed again' changed
step 'a key roll deletes the old key from the token' roll
step 'keymgr makes and deletes keys beside the server' beside
step 'knotd ends when it is told to' stops

# ------------------------------------------------------------------ what must not work
wrong_pin() {
    PIN=wrong-one configure wrong ecdsap256sha256
    refused signed wrong
    [ ! -e wrong/out/zone ]
    signed p256                               # the right one still does
}
step 'a wrong PIN signs nothing' wrong_pin
step 'no private key lies in a file' no_key_file

finish
