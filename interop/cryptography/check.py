"""Classical mechanisms of the token against the package cryptography, both ways.

    check.py rsa|ecdsa|eddsa|agreement|aes|3des|chacha|hashes|derivations
"""

import ctypes
import hashlib
import hmac
import os
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import cmac, hashes, keywrap, padding, poly1305, serialization
from cryptography.hazmat.primitives.asymmetric import dh, ec, ed448, ed25519, x448, x25519
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.asymmetric import rsa as rsa_keys
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature, encode_dss_signature)
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, aead, algorithms, modes
from cryptography.hazmat.primitives.kdf import hkdf, kbkdf, pbkdf2

import module
from module import ULONG, mechanism

MODULUS, MODULUS_BITS, PUBLIC_EXPONENT = 0x120, 0x121, 0x122
EC_PARAMS, EC_POINT, PRIME, BASE = 0x180, 0x181, 0x130, 0x132
RSA, DH, EC, DES3, AES, CHACHA20, POLY1305, AES_XTS, EDWARDS = (
    0, 2, 3, 0x15, 0x1F, 0x33, 0x34, 0x35, 0x40)
MESSAGE = b"what both sides see" * 20
# Name, the hash, its mechanism, MGF1 with it, RSA PKCS#1 v1.5 with it, PSS with it, ECDSA with it.
HASHES = [
    ("SHA-1", hashes.SHA1(), 0x220, 1, 0x6, 0xE, 0x1042),
    ("SHA-224", hashes.SHA224(), 0x255, 5, 0x46, 0x47, 0x1043),
    ("SHA-256", hashes.SHA256(), 0x250, 2, 0x40, 0x43, 0x1044),
    ("SHA-384", hashes.SHA384(), 0x260, 3, 0x41, 0x44, 0x1045),
    ("SHA-512", hashes.SHA512(), 0x270, 4, 0x42, 0x45, 0x1046),
    ("SHA3-224", hashes.SHA3_224(), 0x2B5, 6, 0x66, 0x67, 0x1047),
    ("SHA3-256", hashes.SHA3_256(), 0x2B0, 7, 0x60, 0x63, 0x1048),
    ("SHA3-384", hashes.SHA3_384(), 0x2C0, 8, 0x61, 0x64, 0x1049),
    ("SHA3-512", hashes.SHA3_512(), 0x2D0, 9, 0x62, 0x65, 0x104A),
]
RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)
POINT = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def parameters(*fields, length_first=False):
    """A structure of these fields: numbers, and bytes by pointer and length."""
    columns, values, kept = [], [], []
    for at, field in enumerate(fields):
        if isinstance(field, bytes):
            kept.append(ctypes.create_string_buffer(field, len(field)))
            pair = [((f"p{at}", ctypes.c_void_p), ctypes.addressof(kept[-1]) if field else None),
                    ((f"l{at}", ULONG), len(field))]
            for column, value in reversed(pair) if length_first else pair:
                columns.append(column)
                values.append(value)
        else:
            columns.append((f"n{at}", ULONG))
            values.append(field)
    made = type("Parameters", (ctypes.Structure,), {"_fields_": columns})(*values)
    made.kept = kept
    return made


def refused(check, *arguments):
    """Another implementation's verification, which must say no."""
    try:
        check(*arguments)
    except InvalidSignature:
        return
    raise AssertionError("the check cannot fail")


def equal(found, wanted, name):
    assert found == wanted, f"{name}: {found.hex()} is not {wanted.hex()}"


def rsa(session):
    ours, key = session.pair(mechanism(0), {MODULUS_BITS: 2048, PUBLIC_EXPONENT: b"\1\0\1"}, {})
    modulus = int.from_bytes(session.value(ours, MODULUS), "big")
    public = rsa_keys.RSAPublicNumbers(65537, modulus).public_key()
    private = rsa_keys.generate_private_key(65537, 2048)
    numbers = private.public_key().public_numbers()
    theirs = session.create({
        module.CLASS: module.PUBLIC_KEY, module.KEY_TYPE: RSA,
        MODULUS: numbers.n.to_bytes(256, "big"), PUBLIC_EXPONENT: b"\1\0\1"})

    def both_ways(name, how, pad, algorithm):
        made = session.sign(how, key, MESSAGE)
        public.verify(made, MESSAGE, pad, algorithm)
        refused(public.verify, made, MESSAGE + b"x", pad, algorithm)
        made = private.sign(MESSAGE, pad, algorithm)
        assert session.verify(how, theirs, MESSAGE, made), name
        assert not session.verify(how, theirs, MESSAGE + b"x", made), name

    for name, algorithm, digest, mgf, pkcs, pss, _ in HASHES:
        both_ways(f"PKCS {name}", mechanism(pkcs), rsa_padding.PKCS1v15(), algorithm)
        for salt in (0, 17, algorithm.digest_size):
            pad = rsa_padding.PSS(rsa_padding.MGF1(algorithm), salt)
            how = mechanism(pss, parameters(digest, mgf, salt))
            both_ways(f"PSS {name} {salt}", how, pad, algorithm)
        # The other side has no OAEP with SHA-3.
        for label in () if "SHA3" in name else (b"", b"a label"):
            pad = rsa_padding.OAEP(rsa_padding.MGF1(algorithm), algorithm, label or None)
            how = mechanism(9, parameters(digest, mgf, 1, label))
            equal(session.decrypt(how, key, public.encrypt(b"secret", pad)), b"secret", name)
            equal(private.decrypt(session.encrypt(how, theirs, b"secret"), pad), b"secret", name)
    # MGF1 with another hash than the label's.
    pad = rsa_padding.OAEP(rsa_padding.MGF1(hashes.SHA1()), hashes.SHA256(), None)
    how = mechanism(9, parameters(0x250, 1, 1, b""))
    equal(session.decrypt(how, key, public.encrypt(b"secret", pad)), b"secret", "two hashes")
    pad, how = rsa_padding.PKCS1v15(), mechanism(1)
    equal(session.decrypt(how, key, public.encrypt(b"secret", pad)), b"secret", "PKCS")
    equal(private.decrypt(session.encrypt(how, theirs, b"secret"), pad), b"secret", "PKCS")


CURVES = [
    (ec.SECP224R1(), "06052b81040021"), (ec.SECP256R1(), "06082a8648ce3d030107"),
    (ec.SECP384R1(), "06052b81040022"), (ec.SECP521R1(), "06052b81040023"),
    (ec.SECP256K1(), "06052b8104000a"), (ec.BrainpoolP256R1(), "06092b2403030208010107"),
    (ec.BrainpoolP384R1(), "06092b240303020801010b"),
    (ec.BrainpoolP512R1(), "06092b240303020801010d"),
]


def octets(point):
    """A point in its OCTET STRING."""
    head = [len(point)] if len(point) < 128 else [0x81, len(point)]
    return bytes([4] + head) + point


def ec_public(session, curve, ours):
    written = session.value(ours, EC_POINT)
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, written[3 if written[1] == 0x81 else 2:])


def ecdsa(session):
    for curve, oid in CURVES:
        params, length = bytes.fromhex(oid), (curve.key_size + 7) // 8
        ours, key = session.pair(mechanism(0x1040), {EC_PARAMS: params}, {})
        public, private = ec_public(session, curve, ours), ec.generate_private_key(curve)
        theirs = session.create({
            module.CLASS: module.PUBLIC_KEY, module.KEY_TYPE: EC, EC_PARAMS: params,
            EC_POINT: octets(private.public_key().public_bytes(*POINT))})
        for name, algorithm, _, _, _, _, number in HASHES:
            how, scheme = mechanism(number), ec.ECDSA(algorithm)
            made = session.sign(how, key, MESSAGE)
            written = encode_dss_signature(*(int.from_bytes(half, "big")
                                             for half in (made[:length], made[length:])))
            public.verify(written, MESSAGE, scheme)
            refused(public.verify, written, MESSAGE + b"x", scheme)
            numbers = decode_dss_signature(private.sign(MESSAGE, scheme))
            made = b"".join(number.to_bytes(length, "big") for number in numbers)
            assert session.verify(how, theirs, MESSAGE, made), (curve.name, name)
            assert not session.verify(how, theirs, MESSAGE + b"x", made), (curve.name, name)


EDWARDS_CURVES = [
    ("06032b6570", ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey, None),
    ("06032b6571", ed448.Ed448PrivateKey, ed448.Ed448PublicKey, (0, b"")),
]
MONTGOMERY_CURVES = [
    ("06032b656e", x25519.X25519PrivateKey, x25519.X25519PublicKey),
    ("06032b656f", x448.X448PrivateKey, x448.X448PublicKey),
]


def eddsa(session):
    for oid, private_key, public_key, parameter in EDWARDS_CURVES:
        how = mechanism(0x1057, parameter and parameters(*parameter))
        ours, key = session.pair(mechanism(0x1055), {EC_PARAMS: bytes.fromhex(oid)}, {})
        public = public_key.from_public_bytes(session.value(ours, EC_POINT))
        made = session.sign(how, key, MESSAGE)
        public.verify(made, MESSAGE)
        refused(public.verify, made, MESSAGE + b"x")
        private = private_key.generate()
        theirs = session.create({
            module.CLASS: module.PUBLIC_KEY, module.KEY_TYPE: EDWARDS, EC_PARAMS: bytes.fromhex(oid),
            EC_POINT: private.public_key().public_bytes(*RAW)})
        made = private.sign(MESSAGE)
        assert session.verify(how, theirs, MESSAGE, made), oid
        assert not session.verify(how, theirs, MESSAGE + b"x", made), oid


def agreed(derivation, info, point):
    return parameters(derivation, info, point, length_first=True)


def agreement(session):
    for curve, oid in CURVES:
        ours, key = session.pair(mechanism(0x1040), {EC_PARAMS: bytes.fromhex(oid)},
                                 {module.DERIVE: True})
        private = ec.generate_private_key(curve)
        wanted = private.exchange(ec.ECDH(), ec_public(session, curve, ours))
        point = private.public_key().public_bytes(*POINT)
        for peer in (point, octets(point)):
            how = mechanism(0x1050, agreed(1, b"", peer))
            equal(session.derive(how, key, len(wanted)), wanted, curve.name)
        # Half of it are the last bytes (6.3.15).
        how = mechanism(0x1050, agreed(1, b"", point))
        equal(session.derive(how, key, 16), wanted[-16:], curve.name)
        # ANSI X9.63 with SHA-256, and shared info.
        how = mechanism(0x1050, agreed(6, b"info", point))
        made = hashlib.sha256(wanted + b"\0\0\0\1" + b"info").digest()
        equal(session.derive(how, key, 32), made, curve.name)
    for oid, private_key, public_key in MONTGOMERY_CURVES:
        ours, key = session.pair(mechanism(0x1056), {EC_PARAMS: bytes.fromhex(oid)},
                                 {module.DERIVE: True})
        private = private_key.generate()
        wanted = private.exchange(public_key.from_public_bytes(session.value(ours, EC_POINT)))
        how = mechanism(0x1050, agreed(1, b"", private.public_key().public_bytes(*RAW)))
        equal(session.derive(how, key, len(wanted)), wanted, oid)
    diffie_hellman(session)


# The group ffdhe2048 of RFC 7919, appendix A.1.
FFDHE2048 = int(
    "FFFFFFFFFFFFFFFFADF85458A2BB4A9AAFDC5620273D3CF1D8B9C583CE2D3695A9E13641146433FBCC939DCE249B3EF9"
    "7D2FE363630C75D8F681B202AEC4617AD3DF1ED5D5FD65612433F51F5F066ED0856365553DED1AF3B557135E7F57C935"
    "984F0C70E0E68B77E2A689DAF3EFE8721DF158A136ADE73530ACCA4F483A797ABC0AB182B324FB61D108A94BB2C8E3FB"
    "B96ADAB760D7F4681D4F42A3DE394DF4AE56EDE76372BB190B07A7C8EE0A6D709E02FCE1CDF7E2ECC03404CD28342F61"
    "9172FE9CE98583FF8E4F1232EEF28183C3FE3B1B4C6FAD733BB5FCBC2EC22005C58EF1837D1683B2C6F34A26C1B2EFFA"
    "886B423861285C97FFFFFFFFFFFFFFFF", 16)


def diffie_hellman(session):
    prime = FFDHE2048.to_bytes(256, "big")
    ours, key = session.pair(mechanism(0x20), {PRIME: prime, BASE: b"\2"}, {module.DERIVE: True})
    numbers = dh.DHParameterNumbers(FFDHE2048, 2)
    private = numbers.parameters().generate_private_key()
    public = dh.DHPublicNumbers(int.from_bytes(session.value(ours), "big"), numbers).public_key()
    wanted = private.exchange(public).rjust(256, b"\0")
    peer = private.public_key().public_numbers().y.to_bytes(256, "big")
    equal(session.derive(mechanism(0x21, peer), key, 256), wanted, "DH")


def streamed(algorithm, mode):
    """Encryption and decryption of another implementation's cipher."""
    cipher = Cipher(algorithm, mode)

    def run(context, data):
        return context.update(data) + context.finalize()

    return (lambda data: run(cipher.encryptor(), data), lambda data: run(cipher.decryptor(), data))


def both_ciphers(session, name, how, key, theirs, data=MESSAGE):
    encrypt, decrypt = theirs
    sealed = encrypt(data)
    equal(session.encrypt(how, key, data), sealed, name)
    equal(session.decrypt(how, key, sealed), data, name)
    equal(decrypt(session.encrypt(how, key, data)), data, name)


def padded(algorithm, mode):
    encrypt, decrypt = streamed(algorithm, mode)

    def pad(data):
        context = padding.PKCS7(128).padder()
        return encrypt(context.update(data) + context.finalize())

    def unpad(data):
        context = padding.PKCS7(128).unpadder()
        return context.update(decrypt(data)) + context.finalize()

    return pad, unpad


USES = (module.ENCRYPT, module.DECRYPT)
SIGNING = (module.SIGN, module.VERIFY)


def aes(session):
    blocks, iv = MESSAGE[:320], os.urandom(16)
    for length in (16, 24, 32):
        value = os.urandom(length)
        key, algorithm = session.secret(AES, value, *USES), algorithms.AES(value)
        both_ciphers(session, "ECB", mechanism(0x1081), key, streamed(algorithm, modes.ECB()), blocks)
        both_ciphers(session, "CBC", mechanism(0x1082, iv), key,
                     streamed(algorithm, modes.CBC(iv)), blocks)
        both_ciphers(session, "CBC_PAD", mechanism(0x1085, iv), key, padded(algorithm, modes.CBC(iv)))
        counter = type("Counter", (ctypes.Structure,), {
            "_fields_": [("bits", ULONG), ("block", ctypes.c_ubyte * 16)]})
        block = iv[:12] + bytes(4)
        how = mechanism(0x1086, counter(32, (ctypes.c_ubyte * 16)(*block)))
        both_ciphers(session, "CTR", how, key, streamed(algorithm, modes.CTR(block)))
        sealer = aead.AESGCM(value)
        for nonce in (iv[:12], iv):
            how = mechanism(0x1087, parameters_gcm(nonce, b"associated"))
            both_ciphers(session, "GCM", how, key, (
                lambda data: sealer.encrypt(nonce, data, b"associated"),
                lambda data: sealer.decrypt(nonce, data, b"associated")))
        for tag in (4, 16):
            other = aead.AESCCM(value, tag)
            for data in (MESSAGE, b"x"):
                how = mechanism(0x1088, parameters(len(data), iv[:13], b"associated", tag))
                sealed = other.encrypt(iv[:13], data, b"associated")
                equal(session.encrypt(how, key, data), sealed, "CCM")
                equal(session.decrypt(how, key, sealed), data, "CCM")
        signing = session.secret(AES, value, *SIGNING)
        context = cmac.CMAC(algorithm)
        context.update(MESSAGE)
        made = context.finalize()
        equal(session.sign(mechanism(0x108A), signing, MESSAGE), made, "CMAC")
        assert session.verify(mechanism(0x108A), signing, MESSAGE, made)
        wrapping(session, value)
    value = os.urandom(64)
    key = session.secret(AES_XTS, value, *USES)
    both_ciphers(session, "XTS", mechanism(0x1071, iv), key,
                 streamed(algorithms.AES(value), modes.XTS(iv)))


def parameters_gcm(nonce, associated):
    """CK_GCM_PARAMS has the vector's length in bits behind its length in bytes."""
    kept = [ctypes.create_string_buffer(part, len(part)) for part in (nonce, associated)]
    fields = [("iv", ctypes.c_void_p), ("length", ULONG), ("bits", ULONG),
              ("aad", ctypes.c_void_p), ("aad_length", ULONG), ("tag_bits", ULONG)]
    made = type("Gcm", (ctypes.Structure,), {"_fields_": fields})(
        ctypes.addressof(kept[0]), len(nonce), 8 * len(nonce), ctypes.addressof(kept[1]),
        len(associated), 128)
    made.kept = kept
    return made


def wrapping(session, value):
    key = session.create({module.CLASS: module.SECRET_KEY, module.KEY_TYPE: AES, module.VALUE: value,
                          0x106: True, 0x107: True})
    attributes = {module.CLASS: module.SECRET_KEY, module.KEY_TYPE: module.GENERIC_SECRET}
    ways = [(0x2109, 24, keywrap.aes_key_wrap, keywrap.aes_key_unwrap),
            (0x210B, 24, keywrap.aes_key_wrap_with_padding, keywrap.aes_key_unwrap_with_padding),
            (0x210B, 29, keywrap.aes_key_wrap_with_padding, keywrap.aes_key_unwrap_with_padding)]
    for number, length, wrap, unwrap in ways:
        secret, how = os.urandom(length), mechanism(number)
        held = session.create(attributes | {module.VALUE: secret} | module.READABLE)
        equal(unwrap(value, session.wrap(how, key, held)), secret, "unwrapped by the other")
        made = session.unwrap(how, key, wrap(value, secret), attributes)
        equal(session.value(made), secret, "unwrapped here")


def chacha(session):
    value, nonce = os.urandom(32), os.urandom(12)
    key = session.secret(CHACHA20, value, *USES)
    sealer = aead.ChaCha20Poly1305(value)
    both_ciphers(session, "ChaCha20-Poly1305", mechanism(0x4021, parameters(nonce, b"associated")),
                 key, (lambda data: sealer.encrypt(nonce, data, b"associated"),
                       lambda data: sealer.decrypt(nonce, data, b"associated")))
    counter = ctypes.c_uint32(1)
    kept = ctypes.create_string_buffer(nonce, 12)
    # The block counter of 32 bits, and a nonce of 96.
    fields = [("counter", ctypes.c_void_p), ("bits", ULONG), ("nonce", ctypes.c_void_p),
              ("nonce_bits", ULONG)]
    made = type("ChaCha", (ctypes.Structure,), {"_fields_": fields})(
        ctypes.addressof(counter), 32, ctypes.addressof(kept), 96)
    block = (1).to_bytes(4, "little") + nonce
    both_ciphers(session, "ChaCha20", mechanism(0x1226, made), key,
                 streamed(algorithms.ChaCha20(value, block), None))
    signing, how = session.secret(POLY1305, value, *SIGNING), mechanism(0x1228)
    equal(session.sign(how, signing, MESSAGE), poly1305.Poly1305.generate_tag(value, MESSAGE), "MAC")


def triple_des(session):
    iv = os.urandom(8)
    value = os.urandom(24)
    key, algorithm = session.secret(DES3, value, *USES), TripleDES(value)
    blocks = MESSAGE[:320]
    both_ciphers(session, "ECB", mechanism(0x132), key, streamed(algorithm, modes.ECB()), blocks)
    both_ciphers(session, "CBC", mechanism(0x133, iv), key, streamed(algorithm, modes.CBC(iv)), blocks)


# Name in hashlib, the digest, its HMAC.
DIGESTS = [
    ("sha1", 0x220, 0x221), ("sha224", 0x255, 0x256), ("sha256", 0x250, 0x251),
    ("sha384", 0x260, 0x261), ("sha512", 0x270, 0x271), ("sha512_224", 0x48, 0x49),
    ("sha512_256", 0x4C, 0x4D), ("sha3_224", 0x2B5, 0x2B6), ("sha3_256", 0x2B0, 0x2B1),
    ("sha3_384", 0x2C0, 0x2C1), ("sha3_512", 0x2D0, 0x2D1),
]
BLAKE2B = [(20, 0x400C), (32, 0x4011), (48, 0x4016), (64, 0x401B)]


def hashes_(session):
    for name, digest, mac in DIGESTS:
        equal(session.digest(mechanism(digest), MESSAGE), hashlib.new(name, MESSAGE).digest(), name)
        # A key shorter than a block, and one that is hashed first.
        for length in (20, 200):
            value = os.urandom(length)
            key = session.secret(module.GENERIC_SECRET, value, *SIGNING)
            made = hmac.digest(value, MESSAGE, name)
            equal(session.sign(mechanism(mac), key, MESSAGE), made, name)
            assert session.verify(mechanism(mac), key, MESSAGE, made), name
            assert not session.verify(mechanism(mac), key, MESSAGE + b"x", made), name
    for length, digest in BLAKE2B:
        wanted = hashlib.blake2b(MESSAGE, digest_size=length).digest()
        equal(session.digest(mechanism(digest), MESSAGE), wanted, f"BLAKE2b-{8 * length}")


def derivations(session):
    value = os.urandom(40)
    base = session.secret(module.GENERIC_SECRET, value, module.DERIVE)
    salt, info = b"some salt", b"some info"
    for name, algorithm, digest, *_ in HASHES:
        # Extract and expand are bytes of a truth value each, then CKF_HKDF_SALT_DATA is 2.
        how = mechanism(0x402A, hkdf_parameters(digest, salt, info))
        wanted = hkdf.HKDF(algorithm, 42, salt, info).derive(value)
        equal(session.derive(how, base, 42), wanted, f"HKDF {name}")
    # CKP_PKCS5_PBKD2_HMAC_SHA256 is 4, the salt is CKZ_SALT_SPECIFIED.
    password = b"a password"
    for prf, algorithm in ((1, hashes.SHA1()), (4, hashes.SHA256()), (6, hashes.SHA512())):
        how = mechanism(0x3B0, parameters(1, salt, 1000, prf, b"", password))
        rows = module.template({module.CLASS: module.SECRET_KEY, module.VALUE_LEN: 32,
                                module.KEY_TYPE: module.GENERIC_SECRET} | module.READABLE)
        made = ULONG(0)
        session.call("C_GenerateKey", ctypes.byref(how), rows, ULONG(len(rows)), ctypes.byref(made))
        wanted = pbkdf2.PBKDF2HMAC(algorithm, 32, salt, 1000).derive(password)
        equal(session.value(made), wanted, f"PBKDF2 {algorithm.name}")
    for mac, algorithm in ((0x251, hashes.SHA256()), (0x271, hashes.SHA512())):
        wanted = kbkdf.KBKDFHMAC(
            algorithm, kbkdf.Mode.CounterMode, 48, 4, None, kbkdf.CounterLocation.BeforeFixed,
            None, None, info).derive(value)
        equal(session.derive(counter_mode(mac, info), base, 48), wanted, "SP 800-108")


def hkdf_parameters(digest, salt, info):
    fields = [("extract", ctypes.c_ubyte), ("expand", ctypes.c_ubyte), ("hash", ULONG),
              ("salt_type", ULONG), ("salt", ctypes.c_void_p), ("salt_length", ULONG),
              ("salt_key", ULONG), ("info", ctypes.c_void_p), ("info_length", ULONG)]
    kept = [ctypes.create_string_buffer(part, len(part)) for part in (salt, info)]
    made = type("Hkdf", (ctypes.Structure,), {"_fields_": fields})(
        1, 1, digest, 2, ctypes.addressof(kept[0]), len(salt), 0, ctypes.addressof(kept[1]),
        len(info))
    made.kept = kept
    return made


def counter_mode(mac, fixed):
    """SP 800-108 with a big-endian counter of 32 bits before the fixed input."""
    counter = type("Format", (ctypes.Structure,), {
        "_fields_": [("little_endian", ctypes.c_ubyte), ("bits", ULONG)]})(0, 32)
    kept = ctypes.create_string_buffer(fixed, len(fixed))
    row = type("Row", (ctypes.Structure,), {
        "_fields_": [("type", ULONG), ("value", ctypes.c_void_p), ("length", ULONG)]})
    # CK_SP800_108_ITERATION_VARIABLE, CK_SP800_108_BYTE_ARRAY.
    rows = (row * 2)(row(1, ctypes.addressof(counter), ctypes.sizeof(counter)),
                     row(4, ctypes.addressof(kept), len(fixed)))
    made = type("Kdf", (ctypes.Structure,), {"_fields_": [
        ("prf", ULONG), ("count", ULONG), ("rows", ctypes.c_void_p), ("more", ULONG),
        ("keys", ctypes.c_void_p)]})(mac, 2, ctypes.addressof(rows), 0, None)
    made.kept = (counter, kept, rows)
    return mechanism(0x3AC, made)


if __name__ == "__main__":
    {"rsa": rsa, "ecdsa": ecdsa, "eddsa": eddsa, "agreement": agreement, "aes": aes,
     "3des": triple_des, "chacha": chacha, "hashes": hashes_, "derivations": derivations}[sys.argv[1]](module.opened())
