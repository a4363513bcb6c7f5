#!/usr/bin/env bash
# Installs the Debian packages that a target needs and says so; does nothing when all are there.
#
#     interop/install.sh demo | check
#
# Works as root, through sudo, or not at all: then it names the command to run.
set -euo pipefail

# Each row: the package, and a command or file by which we know that it is there.
case ${1:-} in
demo | check) ;;
*) echo "usage: $0 demo|check" >&2; exit 2 ;;
esac
wanted='gcc cc
libc6-dev /usr/include/stdio.h
opensc pkcs11-tool
libengine-pkcs11-openssl engine
openssl openssl
openssh-client ssh-keygen
curl curl'
[ "$1" = demo ] || wanted+='
softhsm2 softhsm2-util
gnutls-bin gnutls-serv
openssh-client ssh-agent
python3 python3
python3-venv ensurepip
default-jdk-headless javac
golang-go go
golang-github-thalesignite-crypto11-dev /usr/share/gocode/src/github.com/ThalesIgnite/crypto11
knot /usr/sbin/knotd
knot-dnssecutils kzonesign
bind9-utils dnssec-verify
bind9-dnsutils delv
libnss3-tools certutil
p11-kit p11-kit
p11-kit-modules p11-kit-client'

present() {
    case $1 in
    engine)
        local engines
        engines=$(openssl version -e 2>/dev/null | cut -d'"' -f2) && [ -e "$engines/pkcs11.so" ]
        ;;
    p11-kit-client) compgen -G '/usr/lib/*/pkcs11/p11-kit-client.so' >/dev/null ;;
    ensurepip) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
    /*) [ -e "$1" ] ;;
    *) command -v "$1" >/dev/null ;;
    esac
}
list_missing() {
    local package probe
    while read -r package probe; do present "$probe" || echo "$package"; done <<<"$wanted" | sort -u
}

say() { printf '%s\n' "$*" >&2; }

# Debian's package cryptography is too old for ML-DSA and ML-KEM, and python-pkcs11 it has not: then
# they come into an environment of our own, beside what is built. lib.sh looks in the same places.
python_package() {
    local python log probe='import pkcs11
from cryptography.hazmat.primitives.asymmetric import mldsa
mldsa.MLDSA44PrivateKey.generate()'
    local own=${CARGO_TARGET_DIR:-$(dirname "$0")/../target}/python
    for python in python3 /usr/bin/python3 "$own/bin/python3"; do
        ! "$python" -c "$probe" 2>/dev/null || return 0
    done
    say "Installing with pip, into $own: cryptography python-pkcs11"
    log=$(mktemp)
    { python3 -m venv "$own" &&
        "$own/bin/pip" install -q 'cryptography>=48' python-pkcs11; } >"$log" 2>&1 || {
        tail -n 15 "$log" >&2
        say 'pip did not install these packages; neighbours that need them will be skipped.'
    }
    rm -f "$log"
}
others() { [ "$1" = demo ] || python_package; }

mapfile -t missing < <(list_missing)
[ ${#missing[@]} -gt 0 ] || { others "$1"; exit 0; }

as_root=()
if [ "$(id -u)" != 0 ]; then
    as_root=(sudo)
    # Without a terminal nobody can type a password.
    [ -t 0 ] || as_root+=(-n)
fi
by_hand() {
    say "$1"
    say 'Please install these packages yourself and run the same command again:'
    say "    apt-get install ${missing[*]}"
    exit 1
}
command -v apt-get >/dev/null || by_hand 'There is no apt-get here: this was written for Debian 12.'
[ ${#as_root[@]} = 0 ] || command -v sudo >/dev/null || by_hand 'Not root, and there is no sudo.'

say "Installing with apt-get: ${missing[*]}"
install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${install[@]}" update -qq &&
    "${install[@]}" install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    by_hand 'apt-get did not install them.'
fi
# Knot's package starts a server; the script here runs its own.
case " ${missing[*]} " in
*' knot '*) "${as_root[@]}" systemctl disable --now knot >/dev/null 2>&1 || true ;;
esac
mapfile -t missing < <(list_missing)
[ ${#missing[@]} = 0 ] || by_hand 'apt-get succeeded, and yet these are not found.'
others "$1"
