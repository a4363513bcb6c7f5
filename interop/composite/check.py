"""Composites by their component rules, with another implementation of every component.

    check.py signatures|kems|certificates|names

What the drafts say is put together here once more: the bytes that both halves sign, how keys,
signatures and ciphertexts are split, the combiner. Keys and signatures go both ways. `names` lists
the sets of signatures, and `certificates` checks NAME.crt and NAME.csr of each.
"""

import hashlib
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import (
    ec, ed448, ed25519, mldsa, mlkem, padding, rsa, x448, x25519)

import certificates
import module

RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)
POINT = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
DSA = {44: (mldsa.MLDSA44PrivateKey, mldsa.MLDSA44PublicKey, 1312, 2420),
       65: (mldsa.MLDSA65PrivateKey, mldsa.MLDSA65PublicKey, 1952, 3309),
       87: (mldsa.MLDSA87PrivateKey, mldsa.MLDSA87PublicKey, 2592, 4627)}
CURVES = {"P256": (ec.SECP256R1(), hashes.SHA256()), "P384": (ec.SECP384R1(), hashes.SHA384()),
          "P521": (ec.SECP521R1(), hashes.SHA512()),
          "BP256": (ec.BrainpoolP256R1(), hashes.SHA256()),
          "BP384": (ec.BrainpoolP384R1(), hashes.SHA384())}


class Edwards:
    def __init__(self, private, public):
        self.private, self.public = private, public

    def fresh(self):
        key = self.private.generate()
        return key, key.public_key().public_bytes(*RAW)

    def sign(self, key, message):
        return key.sign(message)

    def verify(self, public, signature, message):
        self.public.from_public_bytes(public).verify(signature, message)


class Ecdsa:
    def __init__(self, name):
        self.curve, self.hash = CURVES[name]

    def fresh(self):
        key = ec.generate_private_key(self.curve)
        return key, key.public_key().public_bytes(*POINT)

    def sign(self, key, message):
        return key.sign(message, ec.ECDSA(self.hash))

    def verify(self, public, signature, message):
        key = ec.EllipticCurvePublicKey.from_encoded_point(self.curve, public)
        key.verify(signature, message, ec.ECDSA(self.hash))


def sequence(tag, content):
    """DER of 256 bytes and more."""
    return tag + b"\x82" + len(content).to_bytes(2, "big") + content


class Rsa:
    """The drafts' hash for a size: SHA-256 up to 3072 bits, SHA-384 for 4096."""

    def __init__(self, bits, scheme):
        self.bits = bits
        self.hash, salt = (hashes.SHA384(), 48) if bits == 4096 else (hashes.SHA256(), 32)
        pss = padding.PSS(padding.MGF1(self.hash), salt)
        self.pad = pss if scheme == "PSS" else padding.PKCS1v15()

    def fresh(self):
        key = rsa.generate_private_key(65537, self.bits)
        written = key.public_key().public_bytes(serialization.Encoding.DER,
                                                serialization.PublicFormat.PKCS1)
        return key, written

    def sign(self, key, message):
        return key.sign(message, self.pad, self.hash)

    def verify(self, public, signature, message):
        # An RSAPublicKey needs its header to be loaded.
        algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
        whole = sequence(b"\x30", algorithm + sequence(b"\x03", b"\x00" + public))
        key = serialization.load_der_public_key(whole)
        assert key.key_size == self.bits
        key.verify(signature, message, self.pad, self.hash)


# Number, name of the set, ML-DSA, the classical half, the hash of the message.
SIGNATURES = [
    (0x01, "MLDSA44-RSA2048-PSS-SHA256", 44, Rsa(2048, "PSS"), hashlib.sha256),
    (0x02, "MLDSA44-RSA2048-PKCS15-SHA256", 44, Rsa(2048, "PKCS15"), hashlib.sha256),
    (0x03, "MLDSA44-Ed25519-SHA512", 44,
     Edwards(ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey), hashlib.sha512),
    (0x04, "MLDSA44-ECDSA-P256-SHA256", 44, Ecdsa("P256"), hashlib.sha256),
    (0x05, "MLDSA65-RSA3072-PSS-SHA512", 65, Rsa(3072, "PSS"), hashlib.sha512),
    (0x06, "MLDSA65-RSA3072-PKCS15-SHA512", 65, Rsa(3072, "PKCS15"), hashlib.sha512),
    (0x07, "MLDSA65-RSA4096-PSS-SHA512", 65, Rsa(4096, "PSS"), hashlib.sha512),
    (0x08, "MLDSA65-RSA4096-PKCS15-SHA512", 65, Rsa(4096, "PKCS15"), hashlib.sha512),
    (0x09, "MLDSA65-ECDSA-P256-SHA512", 65, Ecdsa("P256"), hashlib.sha512),
    (0x0A, "MLDSA65-ECDSA-P384-SHA512", 65, Ecdsa("P384"), hashlib.sha512),
    (0x0B, "MLDSA65-ECDSA-BP256-SHA512", 65, Ecdsa("BP256"), hashlib.sha512),
    (0x0C, "MLDSA65-Ed25519-SHA512", 65,
     Edwards(ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey), hashlib.sha512),
    (0x0D, "MLDSA87-ECDSA-P384-SHA512", 87, Ecdsa("P384"), hashlib.sha512),
    (0x0E, "MLDSA87-ECDSA-BP384-SHA512", 87, Ecdsa("BP384"), hashlib.sha512),
    (0x0F, "MLDSA87-Ed448-SHAKE256", 87,
     Edwards(ed448.Ed448PrivateKey, ed448.Ed448PublicKey),
     lambda m: type("", (), {"digest": staticmethod(lambda: hashlib.shake_256(m).digest(64))})),
    (0x10, "MLDSA87-RSA3072-PSS-SHA512", 87, Rsa(3072, "PSS"), hashlib.sha512),
    (0x11, "MLDSA87-RSA4096-PSS-SHA512", 87, Rsa(4096, "PSS"), hashlib.sha512),
    (0x12, "MLDSA87-ECDSA-P521-SHA512", 87, Ecdsa("P521"), hashlib.sha512),
]


def representative(label, context, digest):
    return b"CompositeAlgorithmSignatures2025" + label + bytes([len(context)]) + context + digest


def signatures(session):
    message, context = b"a message", b"a context"
    for number, name, level, classical, hashed in SIGNATURES:
        private, public, key_len, signature_len = DSA[level]
        label = b"COMPSIG-" + name.encode()
        signed = representative(label, context, hashed(message).digest())
        # Ours, checked by the other implementation.
        how = module.with_context(0x403E, context)
        ours, key = session.pair(module.mechanism(0x403D), {module.PARAMETER_SET: number}, {})
        made = session.sign(how, key, message)
        value = session.value(ours)
        lattice = public.from_public_bytes(value[:key_len])
        lattice.verify(made[:signature_len], signed, label)
        classical.verify(value[key_len:], made[signature_len:], signed)
        seed = session.value(key)[:32]
        assert private.from_seed_bytes(seed).public_key().public_bytes_raw() == value[:key_len]
        try:
            classical.verify(value[key_len:], made[signature_len:], signed + b"x")
            raise AssertionError(f"{name}: the check cannot fail")
        except InvalidSignature:
            pass
        # The other implementation's, checked by us.
        lattice, (key, written) = private.generate(), classical.fresh()
        value = lattice.public_key().public_bytes_raw() + written
        theirs = session.create({
            module.CLASS: module.PUBLIC_KEY, module.KEY_TYPE: module.COMP_SIG,
            module.PARAMETER_SET: number, module.VALUE: value})
        made = lattice.sign(signed, label) + classical.sign(key, signed)
        other = module.with_context(0x403E, b"other")
        assert session.verify(how, theirs, message, made), name
        assert not session.verify(other, theirs, message, made), name
        assert not session.verify(how, theirs, b"another", made), name
        print("ok", name)


def verifies(row, key, value, content):
    """Both halves of a signature, without a context."""
    _, name, level, classical, hashed = row
    _, public, key_len, signature_len = DSA[level]
    label = b"COMPSIG-" + name.encode()
    signed = representative(label, b"", hashed(content).digest())
    lattice = public.from_public_bytes(key[:key_len])
    checks = (lambda: lattice.verify(value[:signature_len], signed, label),
              lambda: classical.verify(key[key_len:], value[signature_len:], signed))
    passed = []
    for check in checks:
        try:
            check()
            passed.append(True)
        except (InvalidSignature, ValueError):  # The second is for a key that is none.
            passed.append(False)
    return all(passed)


def certificate_files():
    for row in SIGNATURES:
        # draft-ietf-lamps-pq-composite-sigs, section 6: the arcs follow the table of sets.
        certificates.check(row[1].lower(), f"1.3.6.1.5.5.7.6.{36 + row[0]}",
                           lambda *signed, row=row: verifies(row, *signed))


class Montgomery:
    def __init__(self, private, public, length):
        self.private, self.public, self.length = private, public, length

    def fresh(self):
        key = self.private.generate()
        return key, key.public_key().public_bytes(*RAW)

    def load(self, value):
        return self.private.from_private_bytes(value)

    def agree(self, key, peer):
        return key.exchange(self.public.from_public_bytes(peer))


class Ecdh:
    def __init__(self, name):
        self.curve, _ = CURVES[name]
        self.length = 1 + 2 * ((self.curve.key_size + 7) // 8)

    def fresh(self):
        key = ec.generate_private_key(self.curve)
        return key, key.public_key().public_bytes(*POINT)

    def load(self, value):
        return serialization.load_der_private_key(value, None)

    def agree(self, key, peer):
        point = ec.EllipticCurvePublicKey.from_encoded_point(self.curve, peer)
        return key.exchange(ec.ECDH(), point)


KEM = {768: (mlkem.MLKEM768PrivateKey, mlkem.MLKEM768PublicKey, 1184, 1088),
       1024: (mlkem.MLKEM1024PrivateKey, mlkem.MLKEM1024PublicKey, 1568, 1568)}
X25519 = Montgomery(x25519.X25519PrivateKey, x25519.X25519PublicKey, 32)
X448 = Montgomery(x448.X448PrivateKey, x448.X448PublicKey, 56)
KEMS = [
    (0x04, bytes.fromhex("5c2e2f2f5e5c"), 768, X25519),
    (0x05, b"MLKEM768-P256", 768, Ecdh("P256")),
    (0x06, b"MLKEM768-P384", 768, Ecdh("P384")),
    (0x07, b"MLKEM768-BP256", 768, Ecdh("BP256")),
    (0x09, b"MLKEM1024-P384", 1024, Ecdh("P384")),
    (0x0A, b"MLKEM1024-BP384", 1024, Ecdh("BP384")),
    (0x0B, b"MLKEM1024-X448", 1024, X448),
    (0x0C, b"MLKEM1024-P521", 1024, Ecdh("P521")),
    (0xC34C0001, bytes.fromhex("5c2e2f2f5e5c"), 768, X25519),
]


def kems(session):
    how = module.mechanism(0x4041)
    for number, label, level, classical in KEMS:
        private, public, key_len, ciphertext_len = KEM[level]

        def combined(first, second, ciphertext, key):
            return hashlib.sha3_256(first + second + ciphertext + key + label).digest()

        # They make a secret for our key.
        ours, key = session.pair(module.mechanism(0x4040), {module.PARAMETER_SET: number}, {})
        value = session.value(ours)
        first, lattice = public.from_public_bytes(value[:key_len]).encapsulate()
        if len(first) != 32:
            first, lattice = lattice, first
        fleeting, sent = classical.fresh()
        second = classical.agree(fleeting, value[key_len:])
        wanted = combined(first, second, sent, value[key_len:])
        assert session.decapsulate(how, key, lattice + sent) == wanted, label
        # We make a secret, and they open it with our private key as it is written.
        ciphertext, secret = session.encapsulate(how, ours)
        written = session.value(key)
        if number == 0xC34C0001:
            written = hashlib.shake_256(written).digest(96)
        first = private.from_seed_bytes(written[:64]).decapsulate(ciphertext[:ciphertext_len])
        second = classical.agree(classical.load(written[64:]), ciphertext[ciphertext_len:])
        found = combined(first, second, ciphertext[ciphertext_len:], value[key_len:])
        assert found == secret, label
        assert combined(first, second, b"", value[key_len:]) != secret, "the check cannot fail"
        print("ok", label)


if __name__ == "__main__":
    asked = sys.argv[1]
    if asked == "names":
        print(*(name.lower() for _, name, *_ in SIGNATURES))
    elif asked == "certificates":
        certificate_files()
    else:
        {"signatures": signatures, "kems": kems}[asked](module.opened())
