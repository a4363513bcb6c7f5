#!/usr/bin/env bash
# The audit log, checked by somebody else: pkcs11-tool uses a token; `claviger audit` shows, exports
# and proves what it did; and a verifier that shares no line with us accepts the log as it lies on
# the disk, and refuses it after one flipped bit, as ours does.
source "$(dirname "$0")/../lib.sh"
need pkcs11-tool openssl python3
python_with 'import cryptography'

audit() { timeout 60 "$CLAVIGER" audit "$@"; }
ends_with() { local wanted=$1 status=0; shift; "$@" || status=$?; [ "$status" = "$wanted" ]; }
independent() { "$PYTHON" "$HERE/verify.py" log checkpoint "$(cat key)"; }
# The log and its checkpoint, as an auditor would take them away.
take() {
    rm -rf log
    cp -r tokens/tokens/*/log/1 log
    audit checkpoint >checkpoint
}

use() {
    first_token T1
    audit key >key                                 # kept elsewhere from the first day on
    token T1 --keypairgen --key-type EC:prime256v1 --id 01 --label signing --usage-sign
    head -c 32 /dev/urandom >digest
    for _ in 1 2 3; do token T1 --sign -m ECDSA --id 01 -i digest -o signature; done
    USER_PIN=wrong-one refused p11 --token-label T1 --login --pin env:USER_PIN -O
    token T1 --delete-object --type pubkey --id 01
    token T1 -O                                    # a login takes in what came before it
}
verified() {
    ends_with 0 audit verify --key "$(cat key)" >said
    grep -q verified said
    ends_with 3 audit verify >said 2>&1
    grep -q 'self-consistent, key not pinned' said
}
recorded() {
    [ "$(audit show --call C_GenerateKeyPair | wc -l)" = 2 ]
    audit show --call C_GenerateKeyPair | grep -q 'CKR_OK .*change'
    audit show --since 1h --json | python3 -c 'import json, sys
calls = [json.loads(line).get("call") for line in sys.stdin]
assert calls.count("C_DestroyObject") == 1 and calls.count("C_Sign") == 3, calls'
    audit show --call C_Login --failed | grep -q CKR_PIN_INCORRECT
}
private() {
    audit export >all
    for secret in "$USER_PIN" "$SO_PIN" wrong-one signing; do
        refused grep -qF -- "$secret" all
    done
}
exports() {
    take
    audit export --format jsonl | python3 -c 'import json, sys
[json.loads(line) for line in sys.stdin]'
    audit export --format csv | python3 -c 'import csv, sys
rows = list(csv.DictReader(sys.stdin, strict=True))
assert sum(row["call"] == "C_GenerateKeyPair" for row in rows) == 2, rows
assert all(None not in row and None not in row.values() for row in rows)'
    audit export --format syslog | python3 -c 'import re, sys
for line in sys.stdin:
    assert re.match(r"<1[01][0-9]>1 (-|\S+Z) \S+ claviger \S+ \S+ \[claviger@32473( [a-z_]+="
                    r"\"([^\"\\\]]|\\.)*\")+\] .?\{", line), line'
}
independently() { take; independent; }
copy() { audit verify --log log --checkpoint checkpoint --key "$(cat key)"; }
proof() {
    local line
    line=$(audit show --call C_DestroyObject | tail -n 1 | awk '{ print $1 }')
    audit prove "$line" >proof
    head -n 1 proof | grep -qx 'c2sp.org/tlog-proof@v1'
    audit prove --check proof --key "$(cat key)" >entry
    grep -q '"call":"C_DestroyObject"' entry
    ends_with 3 audit prove --check proof
    sed -i "s/^index .*/index $((line + 1))/" proof
    ends_with 1 audit prove --check proof --key "$(cat key)"
}
other_key() {
    local other
    other=$(openssl genpkey -algorithm ed25519 | openssl pkey -pubout -outform DER | tail -c 32 |
        python3 -c 'import base64, hashlib, sys
name, key = sys.argv[1].encode(), b"\1" + sys.stdin.buffer.read()
print(name.decode(), hashlib.sha256(name + b"\n" + key).hexdigest()[:8],
      base64.b64encode(key).decode(), sep="+")' "$(cut -d+ -f1 key)")
    ends_with 1 audit verify --key "$other"
    ends_with 1 "$PYTHON" "$HERE/verify.py" log checkpoint "$other"
}
flipped() {
    local bundle size at byte
    take
    bundle=$(find tokens/tokens/*/log/1/tile/entries -type f | sort | head -n 1)
    size=$(wc -c <"$bundle")
    for at in 2 $((size / 3)) $((size - 1)); do
        cp "$bundle" intact
        byte=$(od -An -tu1 -j "$at" -N 1 "$bundle" | tr -d ' ')
        # shellcheck disable=SC2059
        printf "\\x$(printf %x $((byte ^ 1)))" |
            dd of="$bundle" bs=1 seek="$at" conv=notrunc status=none
        rm -rf log && cp -r tokens/tokens/*/log/1 log
        ends_with 1 audit verify --key "$(cat key)"
        ends_with 1 audit export >exported
        ends_with 1 independent
        cp intact "$bundle"
    done
    ends_with 0 audit verify --key "$(cat key)"
}
step 'pkcs11-tool uses a token; its key is noted first' use
step 'claviger audit verify: 0 with the key, 3 without' verified
step 'changes, uses and a wrong PIN are on record' recorded
step 'no PIN and no label is on record' private
step 'JSON lines, CSV and syslog are what their readers want' exports
step 'an independent verifier accepts the log as it lies' independently
step 'a copy of the log is verified without the token' copy
step 'a proof for one record; the proof of another is refused' proof
step 'both refuse another key' other_key
step 'both refuse the log after one flipped bit' flipped

finish
