#!/usr/bin/env python3
"""verify.py LOG CHECKPOINT VKEY: is the log in the directory LOG (it holds tile/) the one that the
file CHECKPOINT was signed for, with the key VKEY?

Written from RFC 6962 and C2SP signed-note, tlog-checkpoint and tlog-tiles alone; shares no line
with Claviger. Ends with 0 if everything holds, else says what does not and ends with 1.
"""
import base64, hashlib, json, pathlib, re, sys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def check(holds, what):
    if not holds:
        sys.exit(f"verify.py: {what}")


def signed_checkpoint(note, vkey):
    """Origin, size and root of a note that this key has signed."""
    name, key_id, key = vkey.split("+", 2)
    key = base64.b64decode(key, validate=True)
    check(key[0] == 1 and len(key) == 33, "the key is not an Ed25519 key")
    check(sha256(name.encode(), b"\n", key)[:4].hex() == key_id, "the key's id does not fit")
    text, signatures = note.rsplit("\n\n", 1)
    found = 0
    for line in signatures.splitlines():
        dash, signer, signature = line.split(" ")
        signature = base64.b64decode(signature, validate=True)
        if (dash, signer, signature[:4].hex()) == ("\u2014", name, key_id):
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[4:], (text + "\n").encode())
            found += 1
    check(found, "the checkpoint is not signed with the key")
    origin, size, root = text.split("\n")
    check(origin == name and re.fullmatch("0|[1-9][0-9]*", size), "it is another log's checkpoint")
    return origin, int(size), base64.b64decode(root, validate=True)


def place(index):
    groups = f"{index:03}"
    groups = groups.zfill(-(-len(groups) // 3) * 3)
    groups = [groups[at:at + 3] for at in range(0, len(groups), 3)]
    return "/".join(["x" + group for group in groups[:-1]] + groups[-1:])


def entries(log, size):
    """The entries of the log in order; a last bundle that is not full may have either name."""
    for first in range(0, size, 256):
        width, path = min(256, size - first), log / "tile/entries" / place(first // 256)
        part = path.with_name(f"{path.name}.p") / str(width)
        bundle = (part if width < 256 and part.exists() else path).read_bytes()
        for _ in range(width):
            length = int.from_bytes(bundle[:2], "big")
            check(len(bundle) >= 2 + length, f"a bundle ends early, at or after entry {first}")
            yield bundle[2:2 + length]
            bundle = bundle[2 + length:]


def main(log, checkpoint, vkey):
    log = pathlib.Path(log)
    origin, size, root = signed_checkpoint(pathlib.Path(checkpoint).read_text("utf-8"), vkey)
    edge = []                                      # the roots of the full subtrees, from the left
    for index, entry in enumerate(entries(log, size)):
        check(isinstance(json.loads(entry), dict), f"entry {index} is no JSON object")
        node = sha256(b"\0", entry)
        while index & 1:
            node, index = sha256(b"\1", edge.pop(), node), index >> 1
        edge.append(node)
    node = edge.pop() if edge else sha256()
    while edge:
        node = sha256(b"\1", edge.pop(), node)
    check(node == root, "the entries do not make the root that was signed")
    print(f"{origin}: {size} entries, as signed")


try:
    main(*sys.argv[1:])
except InvalidSignature:
    sys.exit("verify.py: the checkpoint's signature does not hold")
except (OSError, ValueError, TypeError, IndexError) as error:
    sys.exit(f"verify.py: {error!r}")
