#!/usr/bin/env bash
# Many processes on one token at once: each signature is a fresh pkcs11-tool, which loads the
# module, finds the token, logs in, signs and leaves. None may fail. (SoftHSM2 2.6.1 of Debian 12
# loses about a quarter of them: "No slot with token named T1 found". MODULE=... shows it.)
source "$(dirname "$0")/../lib.sh"
need pkcs11-tool openssl

PROCESSES=${PROCESSES:-8} EACH=${EACH:-25}

prepare() {
    first_token T1
    token T1 --keypairgen --key-type EC:prime256v1 --id 02 --label ec1 --usage-sign
    public_key T1 02 ec1.pub
}
# Writes one line per failure to NAME.failed and one per success to NAME.done.
signer() { # NAME
    local n
    for n in $(seq "$EACH"); do
        head -c 32 /dev/urandom >"$1.$n.in"
        if token T1 --sign -m ECDSA --signature-format openssl --id 02 -i "$1.$n.in" \
            -o "$1.$n.sig" >"$1.log" 2>&1; then
            echo >>"$1.done"
        else
            grep -v '^Using' "$1.log" | tail -n 1 >>"$1.failed"
        fi
    done
}
duel() {
    local p pids=()
    for p in $(seq "$PROCESSES"); do signer "p$p" & pids+=($!); done
    wait "${pids[@]}"
    cat p*.failed 2>/dev/null | sort | uniq -c | sort -rn || true
    say "$(cat p*.done | wc -l) of $((PROCESSES * EACH)) signatures"
    [ "$(cat p*.done | wc -l)" = $((PROCESSES * EACH)) ]
    [ ! -e p1.failed ] && [ -z "$(cat p*.failed 2>/dev/null)" ]
}
verify() {
    local input count=0
    for input in p*.in; do
        openssl pkeyutl -verify -pubin -inkey ec1.pub -sigfile "${input%.in}.sig" -in "$input" \
            >/dev/null
        count=$((count + 1))
    done
    [ "$count" = $((PROCESSES * EACH)) ]
}
# A wrong PIN among right ones must not lock anybody out, nor let anybody in.
mixed() {
    local p pids=() status=0
    for p in 1 2 3 4 5 6; do
        (for _ in 1 2 3 4; do token T1 -O >"right$p.log" 2>&1 || exit 1; done) & pids+=($!)
    done
    USER_PIN=wrong-one refused token T1 -O
    for p in "${pids[@]}"; do wait "$p" || status=1; done
    token T1 -O
    return $status
}
# New keys of one process are found by another, also while others write.
writers() {
    local p pids=() status=0 count
    for p in 1 2 3 4; do
        (for n in 1 2 3 4 5; do
            token T1 --keypairgen --key-type EC:prime256v1 --id "a$p$p$n" --label "w$p$n" \
                --usage-sign >"writer$p.log" 2>&1 || exit 1
        done) & pids+=($!)
    done
    for p in "${pids[@]}"; do wait "$p" || status=1; done
    cat writer*.log
    [ $status = 0 ]
    count=$(token T1 -O | grep -c 'Private Key Object')
    [ "$count" = 21 ]
}
step 'token with a P-256 key' prepare
step 'many processes sign at once, no failure' duel
say "        $PROCESSES processes, $EACH times each: $(cat p*.done | wc -l) signatures"
step 'every signature verifies' verify
step 'right PINs work while a wrong one is tried' mixed
step 'four processes generate keys at once, all are kept' writers

finish
