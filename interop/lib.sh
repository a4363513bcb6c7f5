# Sourced by every interop script: a token in a temporary directory, numbered steps, a transcript.
#
# A script sources this file, calls `step NAME COMMAND...` for each thing it shows, and ends with
# `finish`, which compares the list of steps with expected.txt beside the script. A step that fails,
# is left out or is added makes the script fail; a tool that is missing makes it end with 77, which
# the runner counts as a skip and never as a pass.
#
# MODULE=path  another PKCS#11 module in our place (Debian's SoftHSM2 is known by its file name);
#              steps for which such a module has no mechanism are then listed, not counted.
# KEEP=1       leaves the working directory behind and prints its name.
# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
HERE=$(cd "$(dirname "$0")" && pwd)
NEIGHBOUR=${NEIGHBOUR:-${HERE##*/}}
BUILT=${CARGO_TARGET_DIR:-$ROOT/target}/release
MODULE=${MODULE:-$BUILT/libclaviger.so}
CLAVIGER=${CLAVIGER:-$BUILT/claviger}
case $MODULE in *softhsm*) STAND_IN=softhsm ;; *) STAND_IN= ;; esac

# Throwaway PINs. They go through the environment, so that they do not show in `ps`.
export USER_PIN=2468-demo SO_PIN=13579-officer

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "$NEIGHBOUR" "$*" >&2; exit 1; }

# Ends a script whose tool is not installed. 77 is the exit code automake gave to skipped tests.
need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null && continue
        say "SKIPPED $NEIGHBOUR: $tool is not installed" >&2
        exit 77
    done
}

# Names a Python whose package cryptography passes a probe, of the system's or of the one that
# install.sh made. Scripts find interop/module.py beside the package's.
python_with() {
    for PYTHON in python3 /usr/bin/python3 "$BUILT/../python/bin/python3"; do
        ! "$PYTHON" -c "$1" 2>/dev/null || {
            export MODULE PYTHONPATH=$ROOT/interop PYTHONDONTWRITEBYTECODE=1
            return
        }
    done
    say "SKIPPED $NEIGHBOUR: no python3 with a package cryptography that has what is asked" >&2
    exit 77
}

[ -r "$MODULE" ] || die "no module at $MODULE (build it: cargo build --release)"

# ------------------------------------------------------------------ working directory
WORK=$(mktemp -d "${TMPDIR:-/tmp}/claviger-$NEIGHBOUR.XXXXXX")
: >"$WORK/pids"
: >"$WORK/transcript"

# What a step leaves running is written down by `background`, and stopped by its process id.
stop_background() {
    local pid
    while read -r pid; do kill "$pid" 2>/dev/null || true; done <"$WORK/pids"
    while read -r pid; do
        for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    done <"$WORK/pids"
    : >"$WORK/pids"
}

clean_up() {
    local status=$?
    trap - EXIT INT TERM
    stop_background
    if [ -n "${KEEP:-}" ]; then say "kept: $WORK" >&2; else rm -rf -- "$WORK"; fi
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$WORK"

mkdir -m 700 tokens
printf '# Defaults.\n' >claviger.toml
export CLAVIGER_DIR=$WORK/tokens CLAVIGER_CONF=$WORK/claviger.toml
printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' \
    "$WORK/tokens" >softhsm2.conf
export SOFTHSM2_CONF=$WORK/softhsm2.conf

background() { "$@" & echo $! >>"$WORK/pids"; }

# Runs a command until it succeeds: for what a server does when it likes.
wait_for() { # SECONDS COMMAND...
    local tries=$(($1 * 5))
    shift
    while ! "$@"; do
        [ $((tries -= 1)) -gt 0 ] || { say "in vain: $*"; return 1; }
        sleep 0.2
    done
}

# ------------------------------------------------------------------ steps
FAILURES=0
# step NAME COMMAND...: the command runs in a shell of its own with `set -e`, so that the first
# failing line of a function fails the step.
step() {
    local name=$1 status log=$WORK/step.log
    shift
    set +e
    (set -euo pipefail; "$@") >"$log" 2>&1 </dev/null
    status=$?
    set -e
    if [ "$status" = 0 ]; then
        printf 'ok      %s\n' "$name" | tee -a "$WORK/transcript"
    elif [ "$status" = 78 ] && [ -n "$STAND_IN" ]; then
        printf 'absent  %s\n' "$name" | tee -a "$WORK/transcript"
    else
        FAILURES=$((FAILURES + 1))
        printf 'FAILED  %s (exit %s)\n' "$name" "$status" | tee -a "$WORK/transcript"
        tail -n 15 "$log" | sed 's/^/        | /'
    fi
}

# Succeeds when the command fails by itself, not by a signal or a time limit. OpenSSH's tools end
# with 255 when they refuse.
refused() {
    local status=0
    "$@" || status=$?
    { [ "$status" -gt 0 ] && [ "$status" -lt 124 ]; } || [ "$status" = 255 ]
}

finish() {
    stop_background
    if [ "$FAILURES" -gt 0 ]; then
        say "$NEIGHBOUR: $FAILURES of $(wc -l <"$WORK/transcript") steps failed"
        exit 1
    fi
    if [ -n "$STAND_IN" ]; then
        say "$NEIGHBOUR: $(grep -c '^ok' "$WORK/transcript") steps passed with $MODULE"
        exit 0
    fi
    if ! diff -u "$HERE/expected.txt" "$WORK/transcript"; then
        say "$NEIGHBOUR: the steps are not those of expected.txt"
        exit 1
    fi
    say "$NEIGHBOUR: $(wc -l <"$WORK/transcript") steps passed"
}

# ------------------------------------------------------------------ the token
# p11 ARGS...: pkcs11-tool on our module; token LABEL ARGS...: logged in to one token.
p11() { timeout 120 pkcs11-tool --module "$MODULE" "$@"; }
token() {
    local label=$1
    shift
    p11 --token-label "$label" --login --pin env:USER_PIN "$@"
}

first_token() {
    p11 --init-token --slot-index 0 --label "$1" --so-pin env:SO_PIN
    p11 --token-label "$1" --login --login-type so --so-pin env:SO_PIN --init-pin \
        --new-pin env:USER_PIN
}

# certificates_of ALGORITHM NAME: a new key pair, and NAME.crt and NAME.csr of it, by our own tool.
certificates_of() {
    local about=(--key "$2" --subject "CN=$2,O=Interop" --san "DNS:$2.example" --der)
    "$CLAVIGER" key generate "$1" --label "$2" --pin-env USER_PIN
    "$CLAVIGER" certificate self-signed "${about[@]}" --ca --days 30 -o "$2.crt" --pin-env USER_PIN
    "$CLAVIGER" certificate request "${about[@]}" -o "$2.csr" --pin-env USER_PIN
}

# (pkcs11-tool finds a token by the beginning of its label: do not call two tokens "a" and "a-b".)
# pkcs11-tool without a slot would initialise the first token again; our own tool adds one.
second_token() {
    if [ "$STAND_IN" = softhsm ]; then
        softhsm2-util --init-token --free --label "$1" --so-pin "$SO_PIN" --pin "$USER_PIN"
        return
    fi
    (umask 077; printf '%s\n' "$SO_PIN" >so.pin; printf '%s\n' "$USER_PIN" >user.pin)
    "$CLAVIGER" token init --label "$1" --so-pin-file so.pin --pin-file user.pin
}

# Does the token offer this mechanism, spelled as pkcs11-tool spells it? For us it must.
offers() {
    [ -s mechanisms ] || p11 -M >mechanisms
    grep -qE "^ *$1(,|\$)" mechanisms || { say "no mechanism $1"; return 78; }
}

# The end of a step that our stand-in is known not to pass, by its own fault.
only_ours() { [ -z "$STAND_IN" ] || exit 78; }

# public_key LABEL ID FILE: the public key as PEM. Some EC keys pkcs11-tool 0.23 lists and cannot
# write, if what its stack held before is no end of a curve's name ("cannot create EVP_PKEY", with
# any module). They are put together here from what it lists: the head of a subjectPublicKeyInfo,
# and the point.
public_key() {
    local point
    if ! p11 --token-label "$1" --read-object --type pubkey --id "$2" -o "$3.raw"; then
        point=$(p11 --token-label "$1" -O --type pubkey | tr '\n' ' ' | sed 's/Public Key/\n&/g' |
            sed -n "s/.*EC_POINT: *\([0-9a-f]*\) .* ID: *$2 .*/\1/p")
        case ${#point} in
        134) point=3059301306072a8648ce3d020106082a8648ce3d030107034200${point#0441} ;;
        198) point=3076301006072a8648ce3d020106052b81040022036200${point#0461} ;;
        *) say "no point that could be a public key: $point"; return 1 ;;
        esac
        # shellcheck disable=SC2059
        printf "$(sed 's/../\\x&/g' <<<"$point")" >"$3.raw"
    fi
    openssl pkey -pubin -in "$3.raw" -out "$3"
    rm -f "$3.raw"
}

# An openssl.cnf with which OpenSSL 3 loads libp11's engine and our module.
engine_conf() {
    local engines
    engines=$(openssl version -e | cut -d'"' -f2)
    [ -e "$engines/pkcs11.so" ] || die "no pkcs11.so in $engines (package libengine-pkcs11-openssl)"
    (umask 077; cat >"$1") <<CONF
openssl_conf = openssl_init
[openssl_init]
engines = engines
[engines]
pkcs11 = pkcs11_engine
[pkcs11_engine]
engine_id = pkcs11
dynamic_path = $engines/pkcs11.so
MODULE_PATH = $MODULE
PIN = $USER_PIN
[req]
distinguished_name = no_prompt
[no_prompt]
CONF
}

# No private key may lie in the working directory as a file that openssl can read, the token's own
# files included. Prints the offender. (A key begins as DER does or has a line of PEM; openssl needs
# up to eight seconds to see that a database is none.)
no_key_file() {
    local file
    while IFS= read -r -d '' file; do
        head -c 1 "$file" | grep -q 0 || grep -qae '-----BEGIN' "$file" || continue
        if openssl pkey -in "$file" -passin pass: -noout 2>/dev/null; then
            say "a private key lies in $file"
            return 1
        fi
    done < <(find "$WORK" -type f -size -200k -print0)
}

# ------------------------------------------------------------------ a TLS server
# tls_server NAME CERTIFICATE KEY-URI OPTIONS...: openssl s_server with a key in the token, on a
# free loopback port, in the background. The system picks the port, s_server says which it is, and
# it is left in NAME.port.
tls_server() {
    local name=$1 certificate=$2 key=$3
    shift 3
    OPENSSL_CONF=$WORK/engine.cnf background openssl s_server -engine pkcs11 -keyform engine \
        -key "$key" -cert "$certificate" -accept 127.0.0.1:0 -www "$@" >"$name.log" 2>&1 </dev/null
    for _ in $(seq 300); do
        sed -n 's/^ACCEPT 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$name.log" >"$name.port"
        [ ! -s "$name.port" ] || return 0
        kill -0 "$(tail -n 1 "$WORK/pids")" 2>/dev/null || break
        sleep 0.1
    done
    cat "$name.log"
    return 1
}

# spki_pin PUBLIC-KEY-FILE: SHA-256 of the public key as curl's --pinnedpubkey wants it.
spki_pin() {
    openssl pkey -pubin -in "$1" -outform DER | openssl dgst -sha256 -binary | openssl base64
}
