#!/usr/bin/env bash
# OpenSSH: reads the public keys without a PIN, signs through ssh-agent, and certifies another key
# with a CA key that lies in the token. OpenSSH 9.2 passes over Ed25519 keys in tokens.
source "$(dirname "$0")/../lib.sh"
need pkcs11-tool openssl ssh-keygen ssh-agent ssh-add

export SSH_AUTH_SOCK=$WORK/agent.sock
module=$(realpath "$MODULE")
head -c 5000 /dev/urandom >message

prepare() {
    first_token T1
    token T1 --keypairgen --key-type rsa:2048 --id 01 --label rsa1 --usage-sign
    token T1 --keypairgen --key-type EC:prime256v1 --id 02 --label ec1 --usage-sign
    token T1 --keypairgen --key-type EC:secp384r1 --id 03 --label ec2 --usage-sign
    public_key T1 01 rsa1.pub
    public_key T1 02 ec1.pub
    public_key T1 03 ec2.pub
}
list() {
    local key
    ssh-keygen -D "$module" >listed
    [ "$(wc -l <listed)" = 3 ]
    for key in rsa1 ec1 ec2; do
        ssh-keygen -i -m PKCS8 -f $key.pub >key.ssh        # the same key, by way of openssl
        grep -qF "$(cut -d' ' -f2 key.ssh)" listed
        mv key.ssh $key.ssh
    done
}
step 'token with RSA, P-256 and P-384 keys' prepare
step 'ssh-keygen -D lists the public keys without a PIN' list

# The agent asks for the PIN through a program; this one answers from the environment.
printf '#!/bin/sh\nprintf "%%s\\n" "$USER_PIN"\n' >ask
printf '#!/bin/sh\necho wrong-one\n' >ask-wrong
chmod 700 ask ask-wrong
export SSH_ASKPASS=$WORK/ask SSH_ASKPASS_REQUIRE=force

agent() {
    background ssh-agent -D -a "$SSH_AUTH_SOCK" -P "$module" >agent.log 2>&1
    for _ in $(seq 50); do [ ! -S "$SSH_AUTH_SOCK" ] || break; sleep 0.1; done
    timeout 60 ssh-add -s "$module"
    [ "$(ssh-add -L | grep -c .)" = 3 ]
}
sign() { # KEY
    cut -d' ' -f1,2 "$1.ssh" >key.pub
    rm -f message.sig
    timeout 60 ssh-keygen -Y sign -f key.pub -n file message
    printf 'someone %s\n' "$(<key.pub)" >allowed
    ssh-keygen -Y verify -f allowed -I someone -n file -s message.sig <message
    refused ssh-keygen -Y verify -f allowed -I someone -n file -s message.sig <listed
}
certify() {
    cut -d' ' -f1,2 ec1.ssh >ca.pub
    ssh-keygen -q -t ed25519 -N '' -f user
    timeout 60 ssh-keygen -U -s ca.pub -I someone -n root user.pub
    ssh-keygen -L -f user-cert.pub | grep -q "Signing CA: ECDSA $(ssh-keygen -l -f ca.pub |
        cut -d' ' -f2)"
}
remove() {
    timeout 60 ssh-add -e "$module"
    refused ssh-add -L
    timeout 60 ssh-add -s "$module"
    [ "$(ssh-add -L | grep -c .)" = 3 ]
}
wrong_pin() {
    timeout 60 ssh-add -e "$module"
    SSH_ASKPASS=$WORK/ask-wrong timeout 60 ssh-add -s "$module" || true
    refused ssh-add -L
    timeout 60 ssh-add -s "$module"
    sign ec1
}
step 'ssh-agent takes the token' agent
for key in rsa1 ec1 ec2; do step "ssh-keygen -Y signs with $key and verifies" sign $key; done
step 'a certificate for a user key from a CA key in the token' certify
step 'the agent lets the token go and takes it again' remove
step 'a wrong PIN gives the agent no key' wrong_pin

finish
