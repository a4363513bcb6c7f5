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
python3-cryptography cryptography'

present() {
    case $1 in
    engine)
        local engines
        engines=$(openssl version -e 2>/dev/null | cut -d'"' -f2) && [ -e "$engines/pkcs11.so" ]
        ;;
    cryptography)
        python3 -c 'import cryptography' 2>/dev/null ||
            /usr/bin/python3 -c 'import cryptography' 2>/dev/null
        ;;
    /*) [ -e "$1" ] ;;
    *) command -v "$1" >/dev/null ;;
    esac
}
list_missing() {
    local package probe
    while read -r package probe; do present "$probe" || echo "$package"; done <<<"$wanted" | sort -u
}

mapfile -t missing < <(list_missing)
[ ${#missing[@]} -gt 0 ] || exit 0

say() { printf '%s\n' "$*" >&2; }
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
mapfile -t missing < <(list_missing)
[ ${#missing[@]} = 0 ] || by_hand 'apt-get succeeded, and yet these are not found.'
