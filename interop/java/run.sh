#!/usr/bin/env bash
# Java's SunPKCS11: keytool and jarsigner with keys that stay in the token, a program that does with
# a KeyStore what Java programs do, and TLS. The other side is openssl or a provider in software.
source "$(dirname "$0")/../lib.sh"
need pkcs11-tool openssl java javac jar keytool jarsigner

# These programs live for less than a second: the second compiler and the large heap do not pay.
# The last option keeps Java from leaving files in /tmp.
QUICK=(-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData)
# SunPKCS11 leaves out what a template need not say, and by the standard a key then derives nothing.
# ("attributes = compatibility" says it, and that every key can be read, so that none may be kept.)
printf 'name = T1\nlibrary = %s\nslotListIndex = 0\n' "$MODULE" >bare.cfg
(cat bare.cfg && echo 'attributes = compatibility') >open.cfg
(cat bare.cfg - >java.cfg) <<'CONF'
attributes(*, CKO_PRIVATE_KEY, CKK_EC) = {
  CKA_DERIVE = true
}
attributes(*, CKO_SECRET_KEY, CKK_GENERIC_SECRET) = {
  CKA_SIGN = true
  CKA_DERIVE = true
}
CONF

in_token=(-keystore NONE -storetype PKCS11 -addprovider SunPKCS11 -providerArg)
with_pin=(java.cfg -storepass:env USER_PIN)
J=("${QUICK[@]/#/-J}")
tool() { timeout 60 keytool "${J[@]}" "$1" "${in_token[@]}" "${with_pin[@]}" "${@:2}"; }
program() { timeout 120 java "${QUICK[@]}" -cp classes "$@"; }
check() { program Checks java.cfg "$@"; }

internal=java.base/sun.security.internal.spec=ALL-UNNAMED
prepare() {
    first_token T1
    javac "${J[@]}" -Xlint:all -Werror -d classes --add-exports "$internal" "$HERE"/*.java
}
step 'a token, and a Java program for it' prepare

# ------------------------------------------------------------------ keytool
# Without a provider's name keytool makes RSA keys in software and brings them to the token.
generate() { # ALIAS OPTIONS...
    tool -genkeypair -alias "$1" -dname "CN=$1" -validity 30 -providerName SunPKCS11-T1 "${@:2}"
    tool -exportcert -rfc -alias "$1" >"$1.own"
    openssl verify -CAfile "$1.own" "$1.own"
}
never_outside() {
    only_ours                    # SoftHSM2's are not sensitive
    token T1 -O --type privkey >listed
    [ "$(grep -c 'Private Key Object' listed)" = 3 ]
    [ "$(grep -c 'sensitive, always sensitive, never extractable, local' listed)" = 3 ]
}
listed() {
    tool -list >listed
    [ "$(grep -c PrivateKeyEntry listed)" = 3 ]
}
authority() {
    local about=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
    openssl req -x509 "${about[@]}" -keyout root.key -out root.pem -days 30 -subj /CN=root
    openssl req "${about[@]}" -keyout issuer.key -out issuer.csr -subj /CN=issuer
    openssl x509 -req -in issuer.csr -CA root.pem -CAkey root.key -set_serial 1 -days 30 \
        -extfile <(echo basicConstraints=critical,CA:TRUE) -out issuer.pem
}
# The answer to a request comes as a chain, and takes the place of the self-signed certificate.
issued() { # ALIAS
    [ -s issuer.pem ] || authority
    tool -certreq -alias "$1" >"$1.csr"
    openssl req -in "$1.csr" -verify -noout
    openssl x509 -req -in "$1.csr" -CA issuer.pem -CAkey issuer.key -set_serial 2 -days 30 \
        -extfile <(echo subjectAltName=IP:127.0.0.1,DNS:localhost) -out "$1.pem"
    cat "$1.pem" issuer.pem root.pem >"$1.chain"
    tool -importcert -noprompt -alias "$1" -file "$1.chain"
    tool -list -rfc -alias "$1" >listed
    grep -q 'chain length: 3' listed
    openssl x509 -in listed | cmp - <(openssl x509 -in "$1.pem")
}
step 'keytool generates an RSA key' generate rsa1 -keyalg RSA -keysize 2048
step 'keytool generates a P-256 key' generate ec1 -keyalg EC -groupname secp256r1
step 'keytool generates a P-384 key' generate ec2 -keyalg EC -groupname secp384r1
step 'none of them was ever outside of the token' never_outside
step 'keytool lists them' listed
for key in rsa1 ec1 ec2; do step "request and issued chain, $key" issued $key; done

# A key of a file comes in, signs as itself, gets another name and goes.
imported() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout file.key -out file.pem -days 30 -subj /CN=file
    openssl pkcs12 -export -inkey file.key -in file.pem -name file -passout env:USER_PIN \
        -out file.p12
    rm file.key
    timeout 60 keytool "${J[@]}" -importkeystore -srckeystore file.p12 -srcstorepass:env USER_PIN \
        -destkeystore NONE -deststoretype PKCS11 -addprovider SunPKCS11 -providerArg java.cfg \
        -deststorepass:env USER_PIN
    rm file.p12
    tool -changealias -alias file -destalias moved
    tool -certreq -alias moved >moved.csr
    openssl req -in moved.csr -verify -noout
    openssl req -in moved.csr -pubkey -noout | cmp - <(openssl x509 -in file.pem -pubkey -noout)
}
deleted() {
    tool -delete -alias moved
    refused tool -list -alias moved
    token T1 -O >listed
    ! grep -q "$(printf moved | od -An -tx1 | tr -d ' ')" listed || exit 1
}
wrong_pin() {
    refused env WRONG=wrong-one timeout 60 keytool -list "${in_token[@]}" java.cfg \
        -storepass:env WRONG -v >wrong.log 2>&1
    grep -q CKR_PIN_INCORRECT wrong.log
    listed
}
# What says that it can be read is not kept: that is Java's setting for tokens that hide nothing.
nothing_open() {
    only_ours
    with_pin[0]=open.cfg
    refused tool -genkeypair -alias open -dname CN=open -keyalg EC -groupname secp256r1
    refused tool -genseckey -alias open -keyalg AES -keysize 256
    with_pin[0]=java.cfg
    listed
}
step 'key and certificate of a PKCS #12 file brought in' imported
step 'and deleted' deleted
step 'keytool with a wrong PIN' wrong_pin
step 'keytool keeps no key that can be read' nothing_open

# ------------------------------------------------------------------ jarsigner
signed_jar() { # ALIAS BLOCK
    printf 'one file\n' >content
    jar "${J[@]}" cf "$1.jar" content
    timeout 60 jarsigner "${J[@]}" "${in_token[@]}" "${with_pin[@]}" -sigfile SIGNER "$1.jar" "$1"
    # Without the token: by jarsigner, and by an openssl that knows nothing of jars.
    timeout 60 jarsigner "${J[@]}" -verify "$1.jar" >log
    grep -q '^jar verified' log
    jar "${J[@]}" xf "$1.jar"
    openssl cms -verify -binary -inform DER -in "META-INF/SIGNER.$2" -content META-INF/SIGNER.SF \
        -CAfile root.pem -purpose any -out content.out
    rm -r META-INF
}
changed_jar() {
    printf 'another file\n' >content
    jar "${J[@]}" uf rsa1.jar content
    refused timeout 60 jarsigner "${J[@]}" -verify rsa1.jar
}
step 'jar signed by the RSA key' signed_jar rsa1 RSA
step 'jar signed by the P-384 key' signed_jar ec2 EC
step 'a changed jar is told' changed_jar

# ------------------------------------------------------------------ the program
# What SoftHSM2 does not: no state of a digest, no ChaCha20, and secrets of ECDH are closed to Java.
ours() { only_ours; check "$@"; }
step 'signatures: RSA, RSA-PSS, ECDSA' check rsaSignatures pssSignatures ecSignatures
step 'RSA decryption' check rsaDecryption
step 'ECDH' ours agreement
step 'AES: GCM, CBC, CTR, ECB, with a key of the KeyStore' check ciphers
step 'ChaCha20-Poly1305' ours chacha
step 'HMAC, random numbers' check macs randomNumbers
step 'digests, and copies of their state' ours digests
step 'an AES key made and kept under a name' check generatedKey
step 'a key unwrapped by the RSA key, and a kept one not wrapped' check unwrapping noWrapping
step 'eight threads sign at once' check threads
step 'logout and another login, wrong PIN and right one' check logoutAndLogin wrongPin

# ------------------------------------------------------------------ TLS
# port_in SED-COMMAND: which port the server's log names, if it does by now.
port_in() { sed -n "$1" server.log >port && [ -s port ]; }
# serve KEY VERSION CONFIGURATION OPTIONS: Java is the server, openssl the client. With FIRST=first
# the token is asked for everything before Java's own providers are.
serve() {
    background java "${QUICK[@]}" -cp classes Tls ${FIRST:-} serve "$3" "$1" "TLSv1.$2" \
        >server.log 2>&1 </dev/null
    wait_for 30 port_in 's/^port //p' || { cat server.log; exit 1; }
    echo hello | timeout 60 openssl s_client -connect "127.0.0.1:$(<port)" "-tls1_$2" \
        -CAfile root.pem -verify_return_error -verify_ip 127.0.0.1 -quiet -ign_eof "${@:4}" \
        >answer 2>client.log || { cat client.log server.log; exit 1; }
    grep -qx hello answer
    stop_background
}
everything() { only_ours; FIRST=first serve "$@"; }
# Java is the client, and shows openssl a certificate whose key is in the token.
client() { # KEY VERSION
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key \
        -out server.pem -days 30 -subj /CN=localhost
    background openssl s_server -accept 127.0.0.1:0 -key server.key -cert server.pem "-tls1_$2" \
        -CAfile root.pem -Verify 3 -verify_return_error -www >server.log 2>&1 </dev/null
    wait_for 10 port_in 's/^ACCEPT 127\.0\.0\.1:\([0-9]*\).*/\1/p'
    program Tls connect java.cfg "$1" "TLSv1.$2" "$(<port)" server.pem >client.log
    grep -q "^TLSv1.$2" client.log
    grep -q "CN *= *$1\$" server.log
    stop_background
    rm server.key
}
secrets() {
    only_ours                    # SoftHSM2 has none of these mechanisms
    program --add-exports "$internal" Tls12Secrets java.cfg
}
for key in rsa1 ec1 ec2; do step "TLS 1.3 server, $key" serve $key 3 bare.cfg; done
for key in rsa1 ec1; do step "TLS 1.2 server, $key" serve $key 2 bare.cfg; done
step 'TLS 1.3 client, rsa1' client rsa1 3
step 'TLS 1.2 client, ec1' client ec1 2
step "secrets of TLS 1.2 are SunJCE's" secrets
step 'TLS 1.3, everything by the token' everything rsa1 3 java.cfg -groups P-256
step 'TLS 1.2, everything by the token' everything ec1 2 java.cfg -groups P-256

no_key_left() { rm -f root.key issuer.key; no_key_file; }
step 'no private key lies in a file' no_key_left

finish
