#!/usr/bin/env bash
# A token that holds a key of every kind, before each consumer that is known to stand keys of types
# it does not know: each sees all of them. What OpenSSL's engine makes of such a token, and why it
# has a view of its own, is in openssl-engine.
source "$(dirname "$0")/../lib.sh"
need pkcs11-tool p11tool ssh-keygen keytool
python_with 'import pkcs11'
export GNUTLS_PIN=$USER_PIN
here=$(realpath "$MODULE")

# Pairs by the tool, but for the slow ones; composites by the mechanisms that make them.
keys() {
    local kind
    first_token T1
    "$CLAVIGER" key algorithms | sed 's/^generic.*/generic:32/' |
        grep -v '^rsa:[34]\|^slh-dsa:.*s$\|^comp' | uniq >kinds
    while read -r kind; do
        "$CLAVIGER" key generate "$kind" --token T1 --label "$kind" --pin-env USER_PIN
    done <kinds
    "$PYTHON" "$HERE/sees.py" make-composites
    grep -c '^aes\|^chacha20\|^generic\|^hkdf\|^hmac\|^poly1305' kinds >secret
    echo $(($(wc -l <kinds) - $(<secret) + 4)) >pairs
    [ "$(<pairs)" -gt 20 ]
}
# as_many: does a list have as many private, public and secret keys as there are?
as_many() { # FILE PRIVATE PUBLIC SECRET
    [ "$(grep -c "$2" "$1")" = "$(<pairs)" ]
    [ "$(grep -c "$3" "$1")" = "$(<pairs)" ]
    [ "$(grep -c "$4" "$1")" = "$(<secret)" ]
}
by_pkcs11_tool() {
    token T1 -O >listed
    as_many listed '^Private Key Object' '^Public Key Object' '^Secret Key Object'
}
# GnuTLS reads public keys to list them, and passes over those that it cannot read.
by_p11tool() {
    timeout 60 p11tool --provider "$MODULE" --login --list-all 'pkcs11:token=T1' >listed
    [ "$(grep -c 'Type: Private key' listed)" = "$(<pairs)" ]
    [ "$(grep -c 'Type: Secret key' listed)" = "$(<secret)" ]
    [ "$(grep -c 'Type: Public key (' listed)" -ge 4 ]
}
by_python() { "$PYTHON" "$HERE/sees.py" count "$(<pairs)" "$(<secret)"; }
# OpenSSH lists the keys that its protocol has (Debian 12's leaves out Ed25519 in tokens), and is not
# disturbed by the others.
by_ssh() {
    local kind
    ssh-keygen -D "$here" >listed
    for kind in ssh-rsa ecdsa-sha2-nistp256 ecdsa-sha2-nistp384 ecdsa-sha2-nistp521; do
        grep -q "^$kind " listed
    done
}
# Java lists secret keys; a private key only with a certificate, and one of a type that it does not
# know with none.
by_java() {
    printf 'name = T1\nlibrary = %s\nslotListIndex = 0\n' "$here" >java.cfg
    timeout 120 keytool -list -keystore NONE -storetype PKCS11 -storepass:env USER_PIN \
        -addprovider SunPKCS11 -providerArg java.cfg >listed
    [ "$(grep -c SecretKeyEntry listed)" = "$(<secret)" ]
}
# What a view hides is hidden from the same consumers, so that the counts above can fail.
by_view() {
    local all
    all=$(token T1 -O | grep -c '^Private Key Object')
    [ "$(CLAVIGER_VIEW=classic token T1 -O | grep -c '^Private Key Object')" -lt "$all" ]
    ! CLAVIGER_VIEW=classic "$PYTHON" "$HERE/sees.py" count "$(<pairs)" "$(<secret)" || exit 1
}

step 'a token with a key of every kind' keys
step 'pkcs11-tool sees all of them' by_pkcs11_tool
step 'p11tool sees all private and secret keys, and the public ones that it can read' by_p11tool
step 'python-pkcs11 sees all of them' by_python
step 'ssh-keygen -D lists its own kinds beside them' by_ssh
step 'keytool lists the secret keys beside them' by_java
step 'a view hides from the same programs what it shall' by_view
finish
