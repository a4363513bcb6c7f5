#!/usr/bin/env python3
"""verify.py LOG CHECKPOINT VKEY: is what lies in the directory LOG (it holds tile/) what the key
VKEY has signed in the file CHECKPOINT? From RFC 6962 and C2SP signed-note, tlog-tiles alone."""
import base64, hashlib, json, pathlib, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()

def check(holds, what):
    holds or sys.exit(f"verify.py: {what}")

def signed(note, vkey):
    """Size and root of a checkpoint that this key has signed."""
    name, key_id, key = vkey.split("+", 2)
    key = base64.b64decode(key, validate=True)
    check(key[:1] == b"\1" and sha256(name.encode(), b"\n", key)[:4].hex() == key_id, "a bad key")
    text, lines = note.rsplit("\n\n", 1)
    lines = [line.split(" ") for line in lines.splitlines()]
    found = [base64.b64decode(line[2], validate=True) for line in lines if line[1] == name]
    found = [signature[4:] for signature in found if signature[:4].hex() == key_id]
    for signature in found:
        Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature, (text + "\n").encode())
    origin, size, root = text.split("\n")
    check(found and origin == name, "the checkpoint is not one that the key has signed")
    return int(size), base64.b64decode(root, validate=True)

def tile(log, level, index):
    """The bytes of a tile of hashes or of entries, under its full name; None if it is not there."""
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03}")
    path = log.joinpath("tile", str(level), *groups)
    return path.read_bytes() if path.exists() else None

def main(log, checkpoint, vkey):
    log, nodes, level = pathlib.Path(log), [], 0
    size, root = signed(pathlib.Path(checkpoint).read_text("utf-8"), vkey)
    for number in range((size + 255) // 256):
        bundle, count, at = tile(log, "entries", number), min(256, size - 256 * number), 0
        if bundle is None and count == 256:                # exported and removed: its hashes stay
            nodes += [tile(log, 0, number)[at:at + 32] for at in range(0, 8192, 32)]
            continue
        for _ in range(count):
            start, at = at + 2, at + 2 + int.from_bytes(bundle[at:at + 2], "big")
            check(at <= len(bundle) and json.loads(bundle[start:at]), f"bundle {number} ends early")
            nodes.append(sha256(b"\0", bundle[start:at]))
    while level == 0 or len(nodes) > 1:
        for number in range((size >> level) // 256 if level % 8 == 0 else 0):
            found, at = tile(log, level // 8, number), 256 * number    # a missing one can be made
            check(found in (None, b"".join(nodes[at:at + 256])), f"tile {number} was changed")
        left_over, level = nodes[len(nodes) & ~1:], level + 1
        nodes = [sha256(b"\1", *pair) for pair in zip(nodes[::2], nodes[1::2])] + left_over
    check(nodes == [root], "the entries do not make the root that was signed")
    print(f"{size} entries, as signed")

try:
    main(*sys.argv[1:])
except Exception as error:
    sys.exit(f"verify.py: {error!r}")
