#!/usr/bin/env bash
# NSS, the library under Firefox, Thunderbird and Evolution, with its own tools: keys and
# certificates are made, imported, used and deleted on the token, and TLS is spoken with it by
# servers and clients. What it makes is checked by openssl, which knows nothing of the token.
source "$(dirname "$0")/../lib.sh"
need pkcs11-tool openssl curl script modutil certutil pk12util cmsutil crlutil signtool selfserv \
    tstclnt

# nss TOOL ARGUMENTS...: with our database. A tool that cannot shut NSS down may say so and end
# with 0.
nss() {
    local tool=$1 status=0
    shift
    timeout 60 "$tool" -d "sql:${DATABASE:-nss}" "$@" 2>nss.err || status=$?
    cat nss.err >&2
    ! grep -q 'NSS_Shutdown failed' nss.err || return 1
    return "$status"
}
# NSS asks for the PIN before it looks at anything, unless the database says that the token is
# FRIENDLY: that what is public on it is for everybody to see. Some tools cannot be given a PIN.
friendly() { DATABASE=friendly nss "$@"; }
module() { timeout 60 modutil -dbdir sql:nss -force "$@"; }
pem() { friendly certutil -L -n "T1:$1" -a; }
keys() { nss certutil -K -h T1 -f pin; }
# The id that NSS gave a key: the hash of its public half, which the certificate has as well.
id_of() { keys | sed -n "s/^<.*> *[a-z]* *\([0-9a-f]\{40\}\) *T1:$1\$/\1/p"; }

prepare() {
    first_token T1
    (umask 077; printf '%s\n' "$USER_PIN" >pin; echo p12-secret >p12.pin; echo wrong-one >wrong.pin)
    mkdir nss friendly
    nss certutil -N --empty-password
    friendly certutil -N --empty-password
    module -add ours -libfile "$MODULE"
    timeout 60 modutil -dbdir sql:friendly -force -add ours -libfile "$MODULE" \
        -mechanisms FRIENDLY
}
listed() {
    module -list >modules
    grep -q 'token: T1' modules
    module -list ours >ours
    grep -q 'Token Name: T1 ' ours
    grep -q 'Login Type: Login required' ours
    grep -q 'User Pin: Initialized' ours
}
head -c 64 /dev/urandom >noise
openssl rand -hex 2000 >message
step 'modutil adds the module to a new database' prepare
step 'modutil lists the token' listed

# ------------------------------------------------------------------ keys and certificates
self_signed() { # NAME KIND...: a CA, so that its own certificate vouches for what it signs
    local name=$1
    shift
    nss certutil -S -h T1 -f pin -n "$name" -s "CN=$name,O=Interop" -x -t CT,C,C -z noise -k "$@" \
        -Z SHA256 -7 "$name@example.org" -8 localhost
    pem "$name" >"$name.pem"
    openssl verify -CAfile "$name.pem" "$name.pem"
    public_key T1 "$(id_of "$name")" "$name.pub"
    openssl x509 -in "$name.pem" -pubkey -noout | cmp - "$name.pub"
}
listing() {
    keys >listed
    [ "$(grep -c '^<' listed)" = 4 ]
    nss certutil -L -h T1 -f pin >listed
    [ "$(grep -c '^T1:.*u,' listed)" = 4 ]
    # The second opinion; what NSS makes without being asked for more can never leave.
    token T1 -O --type privkey >listed
    [ "$(grep -c 'Private Key Object' listed)" = 4 ]
    [ "$(grep -c 'sensitive, always sensitive, never extractable, local' listed)" = 4 ]
}
step 'certutil makes an RSA key and its certificate' self_signed rsa1 rsa -g 2048
step 'certutil makes a P-256 key and its certificate' self_signed ec1 ec -q nistp256
step 'certutil makes a P-384 key and its certificate' self_signed ec2 ec -q nistp384
step 'certutil makes a P-521 key and its certificate' self_signed ec3 ec -q nistp521
step 'certutil lists keys and certificates' listing

# A CA that knows nothing of the token signs the request of a key in it.
authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" \
        -out "$1.pem" -subj "/CN=$1" -days 30 -addext 'subjectAltName=DNS:localhost'
}
issued() {
    authority ca
    nss certutil -R -h T1 -f pin -k ec -q nistp256 -s 'CN=issued,O=Interop' -z noise -a -o request
    openssl req -in request -verify -noout 2>&1 | grep -q 'verify OK'
    openssl x509 -req -in request -CA ca.pem -CAkey ca.key -set_serial 7 -days 30 -out issued.pem
    rm ca.key
    nss certutil -A -h T1 -f pin -n issued -t ,, -a -i issued.pem
    # With the certificate the key is no orphan any more.
    [ -n "$(id_of issued)" ]
}
chain() {
    refused friendly certutil -V -n T1:issued -u V -e
    friendly certutil -A -n ca -t C,C,C -a -i ca.pem
    friendly certutil -V -n T1:issued -u V -e
}
# Trust is an object of NSS's own class, which it keeps in its database when the token has none.
trust() {
    refused friendly certutil -V -n T1:doubted -u V -e
    friendly certutil -M -h T1 -f pin -n T1:doubted -t CT,C,C
    friendly certutil -L -h T1 -f pin | grep '^T1:doubted .*CTu,Cu,Cu'
    friendly certutil -V -n T1:doubted -u V -e
}
doubted() {
    nss certutil -S -h T1 -f pin -n doubted -s CN=doubted -x -t ,, -z noise -k ec -q nistp256
}
# With a FRIENDLY token certutil deletes without a login, which policy.public_write does not allow.
delete_without_pin() {
    only_ours
    refused friendly certutil -D -h T1 -n T1:doubted
    pem doubted
}
delete() {
    local id
    id=$(id_of doubted)
    nss certutil -D -h T1 -f pin -n T1:doubted
    refused pem doubted
    keys | grep "$id *(orphan)"
    nss certutil -F -h T1 -f pin -k "$id"
    keys >listed
    token T1 -O --type privkey >>listed
    refused grep "$id" listed
}
step 'a certificate that openssl issued for a key in the token' issued
step 'certutil verifies the chain of a certificate on the token' chain
step 'certutil makes a key whose certificate nobody trusts' doubted
step 'certutil trusts a certificate on the token' trust
step 'certutil deletes no certificate without a PIN' delete_without_pin
step 'certutil deletes a certificate and a key' delete

# ------------------------------------------------------------------ PKCS#12
# The key comes in by C_UnwrapKey, under a key that the token makes of the password with PBKDF2, or
# under the triple DES of older files.
import() { # NAME OPENSSL-KEY-OPTIONS... -- EXPORT-OPTIONS...
    local name=$1 about=()
    shift
    while [ "$1" != -- ]; do about+=("$1"); shift; done
    shift
    openssl req -x509 -newkey "${about[@]}" -nodes -keyout p12.key -out "$name.pem" \
        -subj "/CN=$name" -days 30 -addext "subjectAltName=email:$name@example.org"
    openssl pkcs12 -export -inkey p12.key -in "$name.pem" -name "$name" -passout file:p12.pin "$@" \
        -out "$name.p12"
    rm p12.key
    nss pk12util -i "$name.p12" -h T1 -k pin -w p12.pin
    nss certutil -M -h T1 -f pin -n "T1:$name" -t CT,C,C
    token T1 -O --type privkey | grep -A 4 "label: *$name" | grep 'Access: *sensitive$'
    cms_sign "$name"
}
cms_sign() {
    nss cmsutil -S -f pin -N "T1:$1" -H "${2:-SHA256}" -i message -o signed
    openssl cms -verify -binary -inform DER -in signed -CAfile "$1.pem" -purpose any | cmp - message
}
wrong_password() {
    refused nss pk12util -i p12-rsa.p12 -h T1 -k pin -w wrong.pin
}
export_refused() {
    local name
    for name in rsa1 ec1 p12-rsa p12-ec; do
        refused nss pk12util -o leaked.p12 -n "T1:$name" -k pin -w p12.pin
        [ ! -e leaked.p12 ]
    done
}
readable_refused() {
    only_ours                                 # SoftHSM2 makes keys that can be read, if asked to
    refused nss certutil -G -h T1 -f pin -k ec -q nistp256 -z noise \
        --keyAttrFlags token,private,insensitive,extractable
}
step 'pk12util imports an RSA key, which signs' import p12-rsa rsa:2048 --
step 'pk12util imports a P-256 key, which signs' import p12-ec \
    ec -pkeyopt ec_paramgen_curve:P-256 --
step 'pk12util imports an RSA key of an older file, which signs' import p12-old rsa:2048 -- \
    -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1
step 'pk12util imports nothing with a wrong password' wrong_password
step 'pk12util exports no key that is in the token' export_refused
step 'certutil makes no key that could be read' readable_refused

# ------------------------------------------------------------------ messages, archives, CRLs
envelope() {
    nss cmsutil -E -r "$1@example.org" -i message -o sealed.cms
    nss cmsutil -D -f pin -i sealed.cms | cmp - message
    openssl cms -encrypt -binary -aes256 -in message -outform DER -out sealed.cms "$1.pem"
    nss cmsutil -D -f pin -i sealed.cms | cmp - message
    refused nss cmsutil -D -f wrong.pin -i sealed.cms
}
archive() {
    local signer=archive
    mkdir tree
    echo one >tree/one
    cp message tree/two
    nss certutil -S -h T1 -f pin -n $signer -s CN=$signer -x -t CT,C,C -z noise -k rsa -g 2048 \
        -Z SHA256 --nsCertType objectSigning
    pem $signer >$signer.pem
    nss signtool -k T1:$signer -p "$USER_PIN" -Z archive.jar tree
    nss signtool -v archive.jar
    # signtool leaves beside the archive what it signed.
    openssl cms -verify -binary -inform DER -in tree/META-INF/zigbert.rsa -purpose any \
        -content tree/META-INF/zigbert.sf -CAfile $signer.pem -out /dev/null
}
# crlutil asks for the PIN at a terminal, whatever it is given.
crl() {
    local now later
    now=$(date -u +%Y%m%d%H%M%SZ) later=$(date -u -d '+10 days' +%Y%m%d%H%M%SZ)
    printf 'update=%s\nnextupdate=%s\naddcert 40-60 %s\n' "$now" "$later" "$now" >crl.conf
    { sleep 1; echo "$USER_PIN"; sleep 1; } |
        timeout 30 script -qec \
            "crlutil -G -d sql:friendly -n T1:$1 -c crl.conf -o $1.crl -B -Z SHA256" /dev/null
    openssl crl -inform DER -in "$1.crl" -noout -CAfile "$1.pem" 2>&1 | grep -q 'verify OK'
}
for key in rsa1 ec1 ec2; do step "cmsutil signs with $key" cms_sign $key; done
step 'cmsutil signs with ec3 and SHA-512' cms_sign ec3 SHA512
step 'cmsutil and openssl encrypt to the RSA key, cmsutil decrypts' envelope rsa1
step 'signtool signs an archive' archive
step 'crlutil makes a CRL, P-256' crl ec1

# ------------------------------------------------------------------ TLS
# selfserv, too, has no way to ask for any free port.
server() {
    local port
    [ "$1" != rsa1 ] || only_ours             # SoftHSM2 copies no key by an empty template
    for _ in 1 2 3 4 5; do
        port=$((20000 + RANDOM % 20000))
        background selfserv -d sql:nss -f pin -n "T1:$1" -p "$port" -V tls1.2:tls1.3 -H 1 -v \
            "${@:2}" >server.log 2>&1 </dev/null
        if wait_for 10 grep -q 'About to call accept' server.log; then
            echo "$port" >port
            return
        fi
        stop_background
    done
    return 1
}
get() { curl -sS --max-time 60 -o page "$@" "https://localhost:$(<port)/"; }
serve() { # KEY CURL-OPTIONS...
    server "$1"
    get --cacert "$1.pem" --pinnedpubkey "sha256//$(spki_pin "$1.pub")" "${@:2}"
    refused get --cacert "$1.pem" --pinnedpubkey "sha256//$(openssl rand -base64 32)" "${@:2}"
    stop_background
}
# A client whose key is in the token meets a server that wants a certificate; the server then stops,
# which ends with an error if NSS cannot be shut down.
ask() { # PATH KEY PIN-FILE VERSION: from a file, because with a pipe tstclnt never ends
    printf 'GET /%s HTTP/1.0\r\n\r\n' "$1" >asked
    friendly tstclnt -h 127.0.0.1 -a localhost -p "$(<port)" -n "T1:$2" -W "$3" -V "$4:$4" \
        <asked >page
    grep -q '200 OK' page
}
client() {
    # An unfriendly token tstclnt asks for one thing after the other, each with the same wrong PIN,
    # and locks it.
    friendly certutil -A -n "$1" -t CT,C,C -a -i "$1.pem"
    friendly certutil -A -n rsa1 -t CT,C,C -a -i rsa1.pem
    server rsa1 -e T1:ec1 -r -r -t 4
    ask '' "$1" pin tls1.2
    ask '' "$1" pin tls1.3
    refused ask '' "$1" wrong.pin tls1.2
    ask stop "$1" pin tls1.3
    get --insecure || true                    # wakes the server, which looks every five seconds
    wait_for 10 grep -q 'normal termination' server.log
    refused grep 'NSS_Shutdown failed' server.log
    stop_background
}
step 'TLS 1.3 with the P-256 key' serve ec1 --tlsv1.3
step 'TLS 1.2 with the P-384 key' serve ec2 --tls-max 1.2
step 'TLS 1.3 with the RSA key (PSS)' serve rsa1 --tlsv1.3
step 'TLS 1.2 with the RSA key' serve rsa1 --tls-max 1.2
step 'TLS 1.2 with key transport, which the RSA key decrypts' serve rsa1 --tls-max 1.2 \
    --ciphers AES128-GCM-SHA256
step 'TLS with the P-256 key in the client' client ec1
step 'TLS with the RSA key in the client' client rsa1

# ------------------------------------------------------------------ PINs, and the end
wrong_pin() {
    refused nss certutil -K -h T1 -f wrong.pin
    refused nss cmsutil -S -f wrong.pin -N T1:ec1 -i message -o refused.cms
    [ ! -s refused.cms ]
    cms_sign ec1
}
change_pin() {
    (umask 077; echo 8642-changed >new.pin)
    module -changepw T1 -pwfile pin -newpwfile new.pin
    refused keys
    nss certutil -K -h T1 -f new.pin
    nss certutil -W -h T1 -f new.pin -@ pin
    keys
}
gone() {
    module -delete ours
    module -list >listed
    refused grep 'token: T1' listed
    refused keys
    [ "$(token T1 -O --type privkey | grep -c 'Private Key Object')" = 9 ]
}
step 'a wrong PIN shows and signs nothing' wrong_pin
step 'modutil and certutil change the PIN' change_pin
step 'modutil deletes the module, and the token keeps its keys' gone
nowhere_else() {
    # NSS's databases are read by NSS; openssl would look at them for half a minute.
    { nss certutil -K -h 'NSS Certificate DB' || true; } 2>&1 | grep 'no keys found'
    { friendly certutil -K -h 'NSS Certificate DB' || true; } 2>&1 | grep 'no keys found'
    rm -r nss friendly
    no_key_file
}
step 'no private key lies in a file' nowhere_else

finish
