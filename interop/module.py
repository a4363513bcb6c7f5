"""The little of PKCS#11 that checks in Python need, over ctypes: the module's exported functions."""

import ctypes
import os

ULONG = ctypes.c_ulong
CLASS, KEY_TYPE, VALUE, VALUE_LEN, PARAMETER_SET = 0x0, 0x100, 0x11, 0x161, 0x61D
SENSITIVE, EXTRACTABLE = 0x103, 0x162
ENCRYPT, DECRYPT, SIGN, VERIFY, DERIVE = 0x104, 0x105, 0x108, 0x10A, 0x10C
PUBLIC_KEY, PRIVATE_KEY, SECRET_KEY, GENERIC_SECRET = 2, 3, 4, 0x10
COMP_SIG, COMP_KEM = 0xC34C0001, 0xC34C0002
# A session key whose value can be read, for checks to compare.
READABLE = {SENSITIVE: False, EXTRACTABLE: True}
ROOM = 16384


class Attribute(ctypes.Structure):
    _fields_ = [("type", ULONG), ("value", ctypes.c_void_p), ("length", ULONG)]


class Mechanism(ctypes.Structure):
    _fields_ = [("mechanism", ULONG), ("parameter", ctypes.c_void_p), ("length", ULONG)]


class SignContext(ctypes.Structure):
    _fields_ = [("hedge", ULONG), ("context", ctypes.c_char_p), ("length", ULONG)]


def mechanism(number, parameter=None):
    """A mechanism with its parameter: nothing, bytes, or a structure."""
    if parameter is None:
        return Mechanism(number, None, 0)
    if isinstance(parameter, bytes):
        parameter = ctypes.create_string_buffer(parameter, len(parameter))
    how = Mechanism(number, ctypes.addressof(parameter), ctypes.sizeof(parameter))
    how.kept = parameter
    return how


def with_context(number, context):
    return mechanism(number, SignContext(0, context, len(context)))


def template(attributes):
    """Attributes from a dictionary; truth values and numbers are written as the standard has them."""
    rows = (Attribute * len(attributes))()
    rows.kept = []
    for row, (kind, value) in zip(rows, attributes.items()):
        if isinstance(value, bool):
            value = bytes([value])
        elif isinstance(value, int):
            value = value.to_bytes(8, "little")
        rows.kept.append(ctypes.create_string_buffer(value, len(value)))
        row.type, row.value, row.length = kind, ctypes.addressof(rows.kept[-1]), len(value)
    return rows


class Refused(Exception):
    """A function's return value that is not CKR_OK."""

    def __init__(self, name, status):
        super().__init__(f"{name}: 0x{status:x}")
        self.status = status


class Session:
    """A logged-in session with the token of a label."""

    def __init__(self, path, label, pin):
        self.lib = ctypes.CDLL(path)
        self.handle = ULONG(0)
        self.library("C_Initialize", None)
        slots, count = (ULONG * 16)(), ULONG(16)
        self.library("C_GetSlotList", b"\1", slots, ctypes.byref(count))
        for slot in slots[: count.value]:
            info = ctypes.create_string_buffer(512)
            self.library("C_GetTokenInfo", ULONG(slot), info)
            if info.raw[:32].rstrip(b" ") == label.encode():
                self.library("C_OpenSession", ULONG(slot), ULONG(6), None, None,
                             ctypes.byref(self.handle))
        self.call("C_Login", ULONG(1), pin.encode(), ULONG(len(pin)))

    def library(self, name, *arguments):
        function = getattr(self.lib, name)
        function.restype = ULONG
        status = function(*arguments)
        if status:
            raise Refused(name, status)

    def call(self, name, *arguments):
        self.library(name, self.handle, *arguments)

    def output(self, name, *arguments):
        """What a function writes into its last two arguments."""
        room, length = ctypes.create_string_buffer(ROOM), ULONG(ROOM)
        self.call(name, *arguments, room, ctypes.byref(length))
        return room.raw[: length.value]

    def pair(self, how, public, private):
        """Public and private key of a new pair whose private value can be read."""
        public, private = template(public), template(READABLE | private)
        keys = (ULONG(0), ULONG(0))
        self.call("C_GenerateKeyPair", ctypes.byref(how), public, ULONG(len(public)), private,
                  ULONG(len(private)), ctypes.byref(keys[0]), ctypes.byref(keys[1]))
        return keys

    def create(self, attributes):
        made, rows = ULONG(0), template(attributes)
        self.call("C_CreateObject", rows, ULONG(len(rows)), ctypes.byref(made))
        return made

    def secret(self, key_type, value, *uses):
        """A secret key of these bytes, for these uses."""
        return self.create({CLASS: SECRET_KEY, KEY_TYPE: key_type, VALUE: value}
                           | {use: True for use in uses})

    def value(self, key, kind=VALUE):
        row = Attribute(kind, None, 0)
        self.call("C_GetAttributeValue", key, ctypes.byref(row), ULONG(1))
        room = ctypes.create_string_buffer(row.length)
        row.value = ctypes.addressof(room)
        self.call("C_GetAttributeValue", key, ctypes.byref(row), ULONG(1))
        return room.raw[: row.length]

    def digest(self, how, data):
        self.call("C_DigestInit", ctypes.byref(how))
        return self.output("C_Digest", data, ULONG(len(data)))

    def sign(self, how, key, data):
        self.call("C_SignInit", ctypes.byref(how), key)
        return self.output("C_Sign", data, ULONG(len(data)))

    def verify(self, how, key, data, signature):
        """Whether a signature is good; anything else than yes or no is an error."""
        self.call("C_VerifyInit", ctypes.byref(how), key)
        try:
            self.call("C_Verify", data, ULONG(len(data)), signature, ULONG(len(signature)))
        except Refused as refused:
            # CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE.
            if refused.status in (0xC0, 0xC1):
                return False
            raise
        return True

    def encrypt(self, how, key, data):
        self.call("C_EncryptInit", ctypes.byref(how), key)
        return self.output("C_Encrypt", data, ULONG(len(data)))

    def decrypt(self, how, key, data):
        self.call("C_DecryptInit", ctypes.byref(how), key)
        return self.output("C_Decrypt", data, ULONG(len(data)))

    def wrap(self, how, wrapping, key):
        return self.output("C_WrapKey", ctypes.byref(how), wrapping, key)

    def unwrap(self, how, unwrapping, wrapped, attributes):
        made, rows = ULONG(0), template(READABLE | attributes)
        self.call("C_UnwrapKey", ctypes.byref(how), unwrapping, wrapped, ULONG(len(wrapped)), rows,
                  ULONG(len(rows)), ctypes.byref(made))
        return made

    def derived(self, how, base, attributes):
        """A generic secret that is derived from a key."""
        rows = template({CLASS: SECRET_KEY, KEY_TYPE: GENERIC_SECRET} | attributes)
        made = ULONG(0)
        self.call("C_DeriveKey", ctypes.byref(how), base, rows, ULONG(len(rows)), ctypes.byref(made))
        return made

    def derive(self, how, base, length):
        """The bytes of one."""
        return self.value(self.derived(how, base, {VALUE_LEN: length} | READABLE))

    def encapsulated(self, how, key, attributes):
        """A ciphertext for a public key, and the generic secret in it."""
        rows = template({CLASS: SECRET_KEY, KEY_TYPE: GENERIC_SECRET} | attributes)
        room, length, made = ctypes.create_string_buffer(ROOM), ULONG(ROOM), ULONG(0)
        self.call("C_EncapsulateKey", ctypes.byref(how), key, rows, ULONG(len(rows)), room,
                  ctypes.byref(length), ctypes.byref(made))
        return room.raw[: length.value], made

    def encapsulate(self, how, key):
        ciphertext, made = self.encapsulated(how, key, READABLE)
        return ciphertext, self.value(made)

    def decapsulated(self, how, key, ciphertext, attributes):
        """The generic secret in a ciphertext."""
        rows = template({CLASS: SECRET_KEY, KEY_TYPE: GENERIC_SECRET} | attributes)
        made = ULONG(0)
        self.call("C_DecapsulateKey", ctypes.byref(how), key, rows, ULONG(len(rows)), ciphertext,
                  ULONG(len(ciphertext)), ctypes.byref(made))
        return made

    def decapsulate(self, how, key, ciphertext):
        return self.value(self.decapsulated(how, key, ciphertext, READABLE))


def opened():
    return Session(os.environ["MODULE"], "T1", os.environ["USER_PIN"])
