"""What python-pkcs11 sees of a token; and the pairs that it has no words for.

    sees.py make-composites
    sees.py count PAIRS SECRET-KEYS
"""

import os
import sys

TOKEN, LABEL = 0x1, 0x3
# Generation and parameter set: MLDSA65-Ed25519, MLDSA44-P256, MLKEM768-X25519, X-Wing.
COMPOSITES = [(0x403D, 0x0C), (0x403D, 0x04), (0x4040, 0x04), (0x4040, 0xC34C0001)]


def make_composites():
    import module

    session = module.opened()
    for number, parameter_set in COMPOSITES:
        kept = {TOKEN: True, LABEL: f"composite {number:x} {parameter_set:x}".encode()}
        hidden = {module.SENSITIVE: True, module.EXTRACTABLE: False}
        session.pair(module.mechanism(number), {module.PARAMETER_SET: parameter_set} | kept,
                     kept | hidden)


def count(pairs, secrets):
    import pkcs11

    token = pkcs11.lib(os.environ["MODULE"]).get_token(token_label="T1")
    with token.open(user_pin=os.environ["USER_PIN"]) as session:
        found = {}
        for kept in session.get_objects():
            kind = kept[pkcs11.Attribute.CLASS]
            assert kept[pkcs11.Attribute.LABEL], "a key without a label"
            found[kind] = found.get(kind, 0) + 1
    kinds = pkcs11.ObjectClass
    wanted = {kinds.PRIVATE_KEY: pairs, kinds.PUBLIC_KEY: pairs, kinds.SECRET_KEY: secrets}
    assert found == wanted, f"{found}, and not {wanted}"


if __name__ == "__main__":
    if sys.argv[1] == "make-composites":
        make_composites()
    else:
        count(int(sys.argv[2]), int(sys.argv[3]))
