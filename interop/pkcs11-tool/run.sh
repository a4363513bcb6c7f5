#!/usr/bin/env bash
# OpenSC's pkcs11-tool: makes a token, generates every kind of key, and uses each mechanism; what it
# signs is verified by plain openssl, what openssl encrypts or derives it opens or derives as well.
source "$(dirname "$0")/../lib.sh"
need pkcs11-tool openssl cc

T() { token T1 "$@"; }
hex() { od -An -v -tx1 "$1" | tr -d ' \n'; }

head -c 700 /dev/urandom >message             # pkcs11-tool sends more than 1 KiB in several parts
head -c 40000 /dev/urandom >long
for hash in sha1 sha224 sha256 sha384 sha512; do
    openssl dgst -"$hash" -binary message >"digest.$hash"
done

# ------------------------------------------------------------------ PINs
make_token() { first_token T1; p11 -L | grep -q 'token label *: T1'; }
wrong_pin() {
    USER_PIN=wrong-one refused p11 --token-label T1 --login --pin env:USER_PIN -O >answer 2>&1
    grep -q CKR_PIN_INCORRECT answer
    T -O                                      # the right one still works, and gives the tries back
}
change_pin() {
    NEXT_PIN=9753-next p11 --token-label T1 --login --pin env:USER_PIN --change-pin \
        --new-pin env:NEXT_PIN
    USER_PIN=9753-next T -O
    NEXT_PIN=$USER_PIN USER_PIN=9753-next p11 --token-label T1 --login --pin env:USER_PIN \
        --change-pin --new-pin env:NEXT_PIN
    T -O
}
step 'initialise a token and its PINs' make_token
step 'refuse a wrong PIN' wrong_pin
step 'change the PIN and back' change_pin

# ------------------------------------------------------------------ keys
# Ed25519 comes last: a token that holds it is of no use to libp11 before 0.4.13.
KEYS='01 rsa:2048 02 rsa:3072 11 EC:prime256v1 12 EC:secp384r1 13 EC:secp521r1 21 EC:edwards25519'
make_pair() {
    local usage=(--usage-sign)
    case $2 in
    rsa:*) usage+=(--usage-decrypt) ;;
    EC:edwards*) ;;
    EC:*) usage+=(--usage-derive) ;;
    esac
    T --keypairgen --key-type "$2" --id "$1" --label "key $1" "${usage[@]}"
    public_key T1 "$1" "$1.pem"
}
make_secret() { T --keygen --key-type "$2" --id "$1" --label "key $1" --sensitive "${@:3}"; }
# shellcheck disable=SC2086
set -- $KEYS
while [ $# -gt 0 ]; do
    step "generate $2" make_pair "$1" "$2"
    shift 2
done
step 'generate AES:16' make_secret 31 AES:16 --usage-decrypt
step 'generate AES:32' make_secret 32 AES:32 --usage-decrypt
step 'generate GENERIC:64' make_secret 33 GENERIC:64 --usage-sign

list() {
    p11 --token-label T1 -O >public.list
    T -O >all.list
    [ "$(grep -c 'Public Key Object' public.list)" = 6 ]
    refused grep -q 'Private Key Object' public.list
    [ "$(grep -c 'Private Key Object' all.list)" = 6 ]
    [ "$(grep -c 'sensitive, always sensitive, never extractable, local' all.list)" -ge 6 ]
}
step 'list the objects, private ones after login only' list

# ------------------------------------------------------------------ signatures
# The token signs, plain openssl verifies, the token verifies, and both refuse another message.
both_verify() {
    local key=$1 mechanism=$2 input=$3
    shift 3
    "$@" -sigfile signature -in "$input"
    T --verify -m "$mechanism" --id "$key" -i "$input" --signature-file signature \
        "${format[@]}" | grep -q 'Signature is valid'
    [ "$(head -c 1 "$input" | tr -d '\0')" = X ] && printf Y >other || printf X >other
    tail -c +2 "$input" >>other
    refused "$@" -sigfile signature -in other
    T --verify -m "$mechanism" --id "$key" -i other --signature-file signature "${format[@]}" \
        >answer 2>&1 || true
    refused grep -q 'Signature is valid' answer
}
format=()
rsa_sign() { # KEY MECHANISM DIGEST [PADDING OPTIONS]
    local key=$1 mechanism=$2 digest=$3
    shift 3
    offers "$mechanism"
    T --sign -m "$mechanism" --id "$key" -i message -o signature
    both_verify "$key" "$mechanism" message verify_digest "$key" "$digest" "$@"
}
verify_digest() { # KEY DIGEST OPTIONS... -sigfile FILE -in FILE
    local key=$1 digest=$2 options=()
    shift 2
    while [ "$1" != -sigfile ]; do options+=(-sigopt "$1"); shift; done
    openssl dgst -"$digest" -verify "$key.pem" "${options[@]}" -signature "$2" "$4"
}
for hash in 224 256 384 512; do
    step "SHA$hash-RSA-PKCS" rsa_sign 01 SHA$hash-RSA-PKCS sha$hash
    step "SHA$hash-RSA-PKCS-PSS" rsa_sign 02 SHA$hash-RSA-PKCS-PSS sha$hash \
        rsa_padding_mode:pss rsa_pss_saltlen:digest
done
rsa_raw() {
    offers RSA-PKCS
    printf '\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20' >info
    cat digest.sha256 >>info
    T --sign -m RSA-PKCS --id 01 -i info -o signature
    openssl dgst -sha256 -verify 01.pem -signature signature message
    cp digest.sha256 raw                       # and bytes that are no DigestInfo
    T --sign -m RSA-PKCS --id 01 -i raw -o signature
    both_verify 01 RSA-PKCS raw openssl pkeyutl -verify -pubin -inkey 01.pem
}
pss_raw() {
    offers RSA-PKCS-PSS
    T --sign -m RSA-PKCS-PSS --hash-algorithm SHA384 --mgf MGF1-SHA384 --salt-len 17 --id 02 \
        -i digest.sha384 -o signature
    openssl pkeyutl -verify -pubin -inkey 02.pem -pkeyopt rsa_padding_mode:pss \
        -pkeyopt digest:sha384 -pkeyopt rsa_pss_saltlen:17 -sigfile signature -in digest.sha384
}
step 'RSA-PKCS, bytes as given' rsa_raw
step 'RSA-PKCS-PSS, salt of 17' pss_raw

ecdsa_raw() {
    format=(--signature-format openssl)
    T --sign -m ECDSA --id "$1" -i "digest.$2" -o signature "${format[@]}"
    both_verify "$1" ECDSA "digest.$2" openssl pkeyutl -verify -pubin -inkey "$1.pem"
}
ecdsa_hashed() {
    offers "$2"
    format=(--signature-format openssl)
    T --sign -m "$2" --id "$1" -i "$4" -o signature "${format[@]}"
    both_verify "$1" "$2" "$4" verify_digest "$1" "$3"
}
step 'ECDSA, P-256' ecdsa_raw 11 sha256
step 'ECDSA, P-384' ecdsa_raw 12 sha384
step 'ECDSA, P-521' ecdsa_raw 13 sha512
step 'ECDSA, P-384, digest longer than the order is cut' ecdsa_raw 12 sha512
step 'ECDSA-SHA256, P-256' ecdsa_hashed 11 ECDSA-SHA256 sha256 message
step 'ECDSA-SHA384, P-384' ecdsa_hashed 12 ECDSA-SHA384 sha384 message
step 'ECDSA-SHA512, P-521, in parts' ecdsa_hashed 13 ECDSA-SHA512 sha512 long

eddsa() {
    T --sign -m EDDSA --id 21 -i message -o signature
    both_verify 21 EDDSA message openssl pkeyutl -verify -rawin -pubin -inkey 21.pem
}
step 'EDDSA, Ed25519' eddsa

hmac() {
    T --sign -m "SHA$1-HMAC" --id 33 -i long -o signature
    [ "$(wc -c <signature)" = $(($1 / 8)) ]
    T --verify -m "SHA$1-HMAC" --id 33 -i long --signature-file signature |
        grep -q 'Signature is valid'
    T --verify -m "SHA$1-HMAC" --id 33 -i message --signature-file signature >answer 2>&1 || true
    refused grep -q 'Signature is valid' answer
}

# ------------------------------------------------------------------ decryption, derivation, secrets
decrypt_pkcs1() {
    openssl pkeyutl -encrypt -pubin -inkey 01.pem -in digest.sha256 -out sealed
    T --decrypt -m RSA-PKCS --id 01 -i sealed -o opened
    cmp digest.sha256 opened
}
decrypt_oaep() { # DIGEST AS-PKCS11-TOOL-NAMES-IT
    [ "$1" = sha1 ] || only_ours              # SoftHSM2's OAEP takes SHA-1 without a label only
    openssl pkeyutl -encrypt -pubin -inkey 02.pem -in digest.sha256 -out sealed \
        -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:"$1" -pkeyopt rsa_mgf1_md:"$1"
    T --decrypt -m RSA-PKCS-OAEP --hash-algorithm "$2" --mgf "MGF1-${2/-/}" --id 02 \
        -i sealed -o opened
    cmp digest.sha256 opened
}
derive() { # KEY CURVE
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:"$2" -out peer.pem
    openssl pkey -in peer.pem -pubout -outform DER -out peer.der
    T --derive -m ECDH1-DERIVE --id "$1" -i peer.der -o derived
    openssl pkeyutl -derive -inkey peer.pem -peerkey "$1.pem" -out expected
    cmp derived expected
}
IV=000102030405060708090a0b0c0d0e0f
known_aes() {
    head -c 32 /dev/urandom >known
    T --write-object known --type secrkey --key-type AES:32 --id 34 --label known --private \
        --sensitive --usage-decrypt
    refused T --read-object --type secrkey --id 34 -o leaked 2>answer
    refused cmp known leaked
}
aes() { # MECHANISM OPENSSL-CIPHER OPTIONS...
    local mechanism=$1 cipher=$2 iv=()
    shift 2
    case $mechanism in *CBC*) iv=(--iv "$IV") ;; esac
    head -c 4096 long >blocks
    T --encrypt -m "$mechanism" "${iv[@]}" --id 34 -i blocks -o sealed
    openssl enc -d "-$cipher" -K "$(hex known)" ${iv:+-iv "$IV"} "$@" -in sealed | cmp - blocks
    T --decrypt -m "$mechanism" "${iv[@]}" --id 34 -i sealed -o opened
    cmp blocks opened
}
step 'RSA-PKCS decrypts what openssl encrypted' decrypt_pkcs1
step 'RSA-PKCS-OAEP with SHA-1' decrypt_oaep sha1 SHA-1
step 'RSA-PKCS-OAEP with SHA-256' decrypt_oaep sha256 SHA256
step 'ECDH1-DERIVE, P-256, agrees with openssl' derive 11 P-256
step 'ECDH1-DERIVE, P-384, agrees with openssl' derive 12 P-384
step 'ECDH1-DERIVE, P-521, agrees with openssl' derive 13 P-521
step 'store an AES key that cannot be read back' known_aes
step 'AES-ECB' aes AES-ECB aes-256-ecb -nopad
step 'AES-CBC' aes AES-CBC aes-256-cbc -nopad
step 'AES-CBC-PAD' aes AES-CBC-PAD aes-256-cbc
for hash in 256 384 512; do step "SHA$hash-HMAC" hmac $hash; done

hashes() {
    local name
    for name in SHA-1 SHA224 SHA256 SHA384 SHA512; do
        p11 --token-label T1 --hash -m "$name" -i long -o hashed
        openssl dgst -"$(tr -d - <<<"${name,,}")" -binary long | cmp - hashed
    done
}
random() {
    p11 --token-label T1 --generate-random 4000 -o random1
    p11 --token-label T1 --generate-random 4000 -o random2
    [ "$(wc -c <random1)" = 4000 ]
    refused cmp -s random1 random2
}
step 'SHA-1 and SHA-2 digests' hashes
step 'random bytes' random

# ------------------------------------------------------------------ objects
data_object() {
    T --write-object message --type data --label note --application-label demo --private
    T --read-object --type data --label note -o read
    cmp message read
    T --delete-object --type data --label note
    refused T --read-object --type data --label note -o gone
}
certificate() {
    openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=demo -keyout ca.key -outform DER -out ca.der
    T --write-object ca.der --type cert --id 01 --label 'key 01'
    p11 --token-label T1 --read-object --type cert --id 01 -o read
    cmp ca.der read
}
set_id() {
    T --set-id aa01 --type secrkey --id 31
    T -O --type secrkey | grep -q 'ID: *aa01'
}
private_stays() { # ID ATTRIBUTE
    local status=0
    cc -O1 -o attribute "$ROOT/interop/attribute.c" -ldl
    ./attribute "$MODULE" T1 "$1" "$2" || status=$?
    [ "$status" = 3 ]
}
step 'write, read and delete a data object' data_object
step 'write and read a certificate' certificate
step 'change an id' set_id
step 'CKA_PRIVATE_EXPONENT of an RSA key stays inside' private_stays 01 0x123
step 'CKA_PRIME_1 of an RSA key stays inside' private_stays 01 0x124
step 'CKA_VALUE of a P-256 key stays inside' private_stays 11 0x11
step 'CKA_VALUE of an Ed25519 key stays inside' private_stays 21 0x11

# ------------------------------------------------------------------ the tool's own tests
own_tests() {
    only_ours                                 # OAEP with SHA-256 and a label
    T --test >answer 2>&1
    grep -q 'No errors' answer
}
fork_test() {
    only_ours                                 # SoftHSM2: the child is ALREADY_INITIALIZED
    T --test-fork
}
threads_test() {
    only_ours                                 # SoftHSM2: segmentation fault
    local thread=(--test-threads IL:GI:SL:T0:GI:SL)
    p11 --use-locking "${thread[@]}" "${thread[@]}" "${thread[@]}" "${thread[@]}" -L >answer 2>&1
    [ "$(grep -cE 'returning rv( = 0|:CKR_OK)' answer)" = 4 ]
}
delete_all() {
    T --delete-object --type privkey --id 21
    T --delete-object --type pubkey --id 21
    T -O >all.list
    refused grep -q EDWARDS all.list
}
step 'pkcs11-tool --test' own_tests
step 'pkcs11-tool --test-fork' fork_test
step 'pkcs11-tool --test-threads' threads_test
step 'delete a key pair' delete_all

finish
