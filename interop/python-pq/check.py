"""ML-DSA and ML-KEM with another implementation on the other side.

    check.py signatures|secrets|keys|hybrid|certificates|hash-certificates|names

`certificates` and `hash-certificates` check files NAME.crt and NAME.csr of ML-DSA and SLH-DSA, and
`names` lists the sets of the latter.
"""

import ctypes
import hashlib
import hmac
import sys

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import mldsa, mlkem, x25519

import certificates
import slh_dsa
from module import (
    CLASS, DERIVE, EXTRACTABLE, KEY_TYPE, PARAMETER_SET, PRIVATE_KEY, PUBLIC_KEY, READABLE,
    SENSITIVE, SIGN, ULONG, VALUE, VALUE_LEN, Refused, mechanism, opened, with_context)

ML_DSA, ML_KEM, AES = 0x4A, 0x49, 0x1F
SEED, INFO, EC_PARAMS, EC_POINT, WRAP, UNWRAP = 0x637, 0x129, 0x180, 0x181, 0x106, 0x107
GENERATE_DSA, GENERATE_KEM, CARRY_KEM = mechanism(0x1C), mechanism(0x0F), mechanism(0x17)
GENERATE_X25519, KWP, HMAC = mechanism(0x1056), mechanism(0x210B), mechanism(0x251)
SIGN_DSA, ECDH, CONCATENATE, HKDF, SHA256 = 0x1D, 0x1050, 0x360, 0x402A, 0x250
X25519_NAME = bytes.fromhex("06032b656e")
# Number of the set, private and public keys of the other implementation.
DSA = [(1, mldsa.MLDSA44PrivateKey, mldsa.MLDSA44PublicKey),
       (2, mldsa.MLDSA65PrivateKey, mldsa.MLDSA65PublicKey),
       (3, mldsa.MLDSA87PrivateKey, mldsa.MLDSA87PublicKey)]
# It has no ML-KEM-512.
KEM = [(2, mlkem.MLKEM768PrivateKey, mlkem.MLKEM768PublicKey),
       (3, mlkem.MLKEM1024PrivateKey, mlkem.MLKEM1024PublicKey)]
HIDDEN = {SENSITIVE: True, EXTRACTABLE: False}


def refuses(public, signature, message, context):
    try:
        public.verify(signature, message, context)
    except InvalidSignature:
        return True
    return False


def from_seed(session, kind, level, seed):
    return session.create({CLASS: PRIVATE_KEY, KEY_TYPE: kind, PARAMETER_SET: level, SEED: seed}
                          | READABLE)


def from_public(session, kind, level, key):
    return session.create({CLASS: PUBLIC_KEY, KEY_TYPE: kind, PARAMETER_SET: level,
                           VALUE: key.public_bytes_raw()})


def same_key(session, public, theirs):
    info = theirs.public_bytes(serialization.Encoding.DER,
                               serialization.PublicFormat.SubjectPublicKeyInfo)
    assert session.value(public, INFO) == info
    loaded = serialization.load_der_public_key(session.value(public, INFO))
    assert loaded.public_bytes_raw() == session.value(public) == theirs.public_bytes_raw()


def signatures(session):
    for level, private, public in DSA:
        ours, key = session.pair(GENERATE_DSA, {PARAMETER_SET: level}, {})
        theirs = public.from_public_bytes(session.value(ours))
        same_key(session, ours, theirs)
        same_key(session, ours, private.from_seed_bytes(session.value(key, SEED)).public_key())
        for context in (b"", b"a context", b"c" * 255):
            for message in (b"", b"a message", b"m" * 100000):
                made = session.sign(with_context(SIGN_DSA, context), key, message)
                theirs.verify(made, message, context)
                assert refuses(theirs, made, message + b"x", context)
                assert refuses(theirs, made, message, context[:-1] + b"x")
        # Theirs, by the public key alone, and by the seed of theirs in the token.
        theirs = private.generate()
        known = from_public(session, ML_DSA, level, theirs.public_key())
        for context in (b"", b"a context", b"c" * 255):
            made = theirs.sign(b"a message", context)
            how, other = (with_context(SIGN_DSA, it) for it in (context, context[:-1] + b"x"))
            assert session.verify(how, known, b"a message", made)
            assert not session.verify(how, known, b"a massage", made)
            assert not session.verify(other, known, b"a message", made)
        taken = from_seed(session, ML_DSA, level, theirs.private_bytes_raw())
        made = session.sign(mechanism(SIGN_DSA), taken, b"a message")
        theirs.public_key().verify(made, b"a message", b"")
        same_key(session, known, theirs.public_key())
        print("ok", level)


def secrets(session):
    for level, private, public in KEM:
        ours, key = session.pair(GENERATE_KEM, {PARAMETER_SET: level}, {})
        theirs = public.from_public_bytes(session.value(ours))
        same_key(session, ours, theirs)
        secret, ciphertext = theirs.encapsulate()
        assert len(secret) == 32
        assert session.decapsulate(CARRY_KEM, key, ciphertext) == secret
        # Implicit rejection gives both sides the same secret as well.
        broken = bytes([ciphertext[0] ^ 1]) + ciphertext[1:]
        again = private.from_seed_bytes(session.value(key, SEED))
        rejected = session.decapsulate(CARRY_KEM, key, broken)
        assert rejected == again.decapsulate(broken) != secret
        theirs = private.generate()
        known = from_public(session, ML_KEM, level, theirs.public_key())
        same_key(session, known, theirs.public_key())
        ciphertext, secret = session.encapsulate(CARRY_KEM, known)
        assert theirs.decapsulate(ciphertext) == secret
        taken = from_seed(session, ML_KEM, level, theirs.private_bytes_raw())
        assert session.decapsulate(CARRY_KEM, taken, ciphertext) == secret
        print("ok", level)


def element(der, tag):
    """Content of the DER element at the front, and what follows it."""
    assert der[0] == tag, f"{der[0]:x}, and not {tag:x}"
    size = der[1] & 0x7F if der[1] & 0x80 else 0
    length = int.from_bytes(der[2:2 + size], "big") if size else der[1]
    start = 2 + size
    return der[start:start + length], der[start + length:]


def both_forms(written):
    """Seed and expanded key of a PrivateKeyInfo."""
    content, rest = element(written, 0x30)
    assert not rest
    _, content = element(content, 0x02)
    _, content = element(content, 0x30)
    choice, rest = element(content, 0x04)
    assert not rest
    both, rest = element(choice, 0x30)
    assert not rest
    seed, both = element(both, 0x04)
    value, rest = element(both, 0x04)
    assert not rest
    return seed, value


def keys(session):
    """Private keys under AES key wrap with padding (RFC 5649), whose key both sides know."""
    wrapping = bytes(range(32))
    wrapper = session.secret(AES, wrapping, WRAP, UNWRAP)
    kinds = [(ML_DSA, GENERATE_DSA, row) for row in DSA] + [(ML_KEM, GENERATE_KEM, row)
                                                            for row in KEM]
    for kind, generate, (level, private, _) in kinds:
        public, key = session.pair(generate, {PARAMETER_SET: level}, {})
        wrapped = session.wrap(KWP, wrapper, key)
        written = keywrap.aes_key_unwrap_with_padding(wrapping, wrapped)
        # The token writes seed and expanded key, and they read the seed alone: the same key in that
        # form is their own PrivateKeyInfo with another seed at its end.
        seed, value = both_forms(written)
        assert (seed, value) == (session.value(key, SEED), session.value(key))
        theirs = private.generate()
        form = theirs.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
                                    serialization.NoEncryption())
        assert form.endswith(theirs.private_bytes_raw())
        loaded = serialization.load_der_private_key(form[:-len(seed)] + seed, None)
        assert loaded.public_key().public_bytes_raw() == session.value(public)
        written = form
        wrapped = keywrap.aes_key_wrap_with_padding(wrapping, written)
        taken = session.unwrap(KWP, wrapper, wrapped, {CLASS: PRIVATE_KEY, KEY_TYPE: kind})
        assert session.value(taken, SEED) == theirs.private_bytes_raw()
        print("ok", hex(kind), level)


class Ecdh1(ctypes.Structure):
    _fields_ = [("kdf", ULONG), ("shared_len", ULONG), ("shared", ctypes.c_char_p),
                ("public_len", ULONG), ("public", ctypes.c_char_p)]


class Hkdf(ctypes.Structure):
    _fields_ = [("extract", ctypes.c_ubyte), ("expand", ctypes.c_ubyte), ("hash", ULONG),
                ("salt_type", ULONG), ("salt", ctypes.c_char_p), ("salt_len", ULONG),
                ("salt_key", ULONG), ("info", ctypes.c_char_p), ("info_len", ULONG)]


CLOSED = {DERIVE: True} | HIDDEN


def unreadable(session, key):
    try:
        session.value(key)
    except Refused as refused:
        return refused.status == 0x11  # CKR_ATTRIBUTE_SENSITIVE
    return False


def joined(session, first, second, salt):
    """HMAC key made by HKDF of both secrets, ML-KEM's first, without reading any of the three."""
    joint = session.derived(mechanism(CONCATENATE, ULONG(second.value)), first, CLOSED)
    assert session.value(joint, VALUE_LEN) == (64).to_bytes(8, "little")
    for key in (first, second, joint):
        assert unreadable(session, key), "an intermediate that can be read"
    parameter = Hkdf(1, 1, SHA256, 2, salt, len(salt), 0, b"test", 4)
    return session.derived(mechanism(HKDF, parameter), joint,
                           CLOSED | {VALUE_LEN: 32, SIGN: True})


def independent(lattice, curve, salt):
    extracted = hmac.new(salt, lattice + curve, hashlib.sha256).digest()
    expanded = hmac.new(extracted, b"test\1", hashlib.sha256).digest()
    return hmac.new(expanded, b"proof", hashlib.sha256).digest()


def agreed(session, key, peer):
    parameter = Ecdh1(1, 0, None, len(peer), peer)
    return session.derived(mechanism(ECDH, parameter), key, CLOSED | {VALUE_LEN: 32})


def hybrid(session):
    salt = b"s" * 32
    curve, derives = {EC_PARAMS: X25519_NAME}, {DERIVE: True} | HIDDEN
    # The token is the client: its share is the encapsulation key and the point.
    lattice, lattice_key = session.pair(GENERATE_KEM, {PARAMETER_SET: 2}, HIDDEN)
    point, point_key = session.pair(GENERATE_X25519, curve, derives)
    secret, ciphertext = mlkem.MLKEM768PublicKey.from_public_bytes(
        session.value(lattice)).encapsulate()
    server = x25519.X25519PrivateKey.generate()
    own = session.value(point, EC_POINT)[-32:]
    shared = server.exchange(x25519.X25519PublicKey.from_public_bytes(own))
    first = session.decapsulated(CARRY_KEM, lattice_key, ciphertext, CLOSED)
    second = agreed(session, point_key, server.public_key().public_bytes_raw())
    proof = session.sign(HMAC, joined(session, first, second, salt), b"proof")
    assert proof == independent(secret, shared, salt)
    assert proof != independent(shared, secret, salt), "the check cannot fail"
    # The token is the server: it answers with a ciphertext and a point.
    client, key = mlkem.MLKEM768PrivateKey.generate(), x25519.X25519PrivateKey.generate()
    known = from_public(session, ML_KEM, 2, client.public_key())
    ciphertext, first = session.encapsulated(CARRY_KEM, known, CLOSED)
    point, point_key = session.pair(GENERATE_X25519, curve, derives)
    second = agreed(session, point_key, key.public_key().public_bytes_raw())
    proof = session.sign(HMAC, joined(session, first, second, salt), b"proof")
    own = session.value(point, EC_POINT)[-32:]
    shared = key.exchange(x25519.X25519PublicKey.from_public_bytes(own))
    assert proof == independent(client.decapsulate(ciphertext), shared, salt)


def lattice_certificates():
    """RFC 9881: pure ML-DSA without a context, and identifiers without parameters."""
    for level, _, public in DSA:
        def verifies(key, signature, content, public=public):
            return not refuses(public.from_public_bytes(key), signature, content, b"")

        name = f"ml-dsa-{(44, 65, 87)[level - 1]}"
        certificates.check(name, f"2.16.840.1.101.3.4.3.{16 + level}", verifies)
        # Their own reader finds the same parts; it does not verify by itself yet.
        with open(f"{name}.crt", "rb") as file:
            found = x509.load_der_x509_certificate(file.read())
        found.public_key().verify(found.signature, found.tbs_certificate_bytes)
        assert found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        with open(f"{name}.csr", "rb") as file:
            request = x509.load_der_x509_csr(file.read())
        request.public_key().verify(request.signature, request.tbs_certrequest_bytes)
        for signed in (found, request):
            names = signed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            assert names.get_values_for_type(x509.DNSName) == [f"{name}.example"]
            assert signed.signature_algorithm_oid.dotted_string.endswith(f".{16 + level}")


def hash_certificates():
    """RFC 9909: pure SLH-DSA without a context."""
    for name, (arc, verifies) in slh_dsa.SETS.items():
        certificates.check(f"slh-dsa-{name}", f"2.16.840.1.101.3.4.3.{arc}", verifies)


if __name__ == "__main__":
    checks = {"signatures": signatures, "secrets": secrets, "keys": keys, "hybrid": hybrid}
    files = {"certificates": lattice_certificates, "hash-certificates": hash_certificates,
             "names": lambda: print(*slh_dsa.SETS)}
    if sys.argv[1] in files:
        files[sys.argv[1]]()
    else:
        checks[sys.argv[1]](opened())
