"""The little of PKCS#11 that the check needs, over ctypes: the module's exported functions."""

import ctypes
import os

ULONG = ctypes.c_ulong
CLASS, KEY_TYPE, VALUE, PARAMETER_SET = 0x0, 0x100, 0x11, 0x61D
SENSITIVE, EXTRACTABLE = 0x103, 0x162
PUBLIC_KEY, PRIVATE_KEY, SECRET_KEY, GENERIC_SECRET = 2, 3, 4, 0x10
COMP_SIG, COMP_KEM = 0xC34C0001, 0xC34C0002


class Attribute(ctypes.Structure):
    _fields_ = [("type", ULONG), ("value", ctypes.c_void_p), ("length", ULONG)]


class Mechanism(ctypes.Structure):
    _fields_ = [("mechanism", ULONG), ("parameter", ctypes.c_void_p), ("length", ULONG)]


class SignContext(ctypes.Structure):
    _fields_ = [("hedge", ULONG), ("context", ctypes.c_char_p), ("length", ULONG)]


def number(value):
    return value.to_bytes(8, "little")


class Session:
    """A logged-in session with the token of a label."""

    def __init__(self, path, label, pin):
        self.lib = ctypes.CDLL(path)
        self.handle = ULONG(0)
        self.call("C_Initialize", None)
        slots, count = (ULONG * 16)(), ULONG(16)
        self.call("C_GetSlotList", b"\1", slots, ctypes.byref(count))
        for slot in slots[: count.value]:
            info = ctypes.create_string_buffer(512)
            self.call("C_GetTokenInfo", ULONG(slot), info)
            if info.raw[:32].rstrip(b" ") == label.encode():
                self.call("C_OpenSession", ULONG(slot), ULONG(6), None, None, ctypes.byref(self.handle))
        self.call("C_Login", self.handle, ULONG(1), pin.encode(), ULONG(len(pin)))

    def status(self, name, *arguments):
        function = getattr(self.lib, name)
        function.restype = ULONG
        return function(*arguments)

    def call(self, name, *arguments):
        status = self.status(name, *arguments)
        if status:
            raise RuntimeError(f"{name}: 0x{status:x}")

    @staticmethod
    def template(attributes):
        rows = (Attribute * len(attributes))()
        kept = []
        for row, (kind, value) in zip(rows, attributes.items()):
            kept.append(ctypes.create_string_buffer(value, len(value)))
            row.type, row.value, row.length = kind, ctypes.addressof(kept[-1]), len(value)
        rows.kept = kept
        return rows

    def pair(self, mechanism, parameter_set):
        """Public and private key of a new pair whose private value can be read."""
        public = self.template({PARAMETER_SET: number(parameter_set)})
        private = self.template({SENSITIVE: b"\0", EXTRACTABLE: b"\1"})
        how, keys = Mechanism(mechanism, None, 0), (ULONG(0), ULONG(0))
        self.call("C_GenerateKeyPair", self.handle, ctypes.byref(how), public, ULONG(1), private,
                  ULONG(2), ctypes.byref(keys[0]), ctypes.byref(keys[1]))
        return keys

    def create(self, cls, key_type, parameter_set, value):
        made = ULONG(0)
        rows = self.template({CLASS: number(cls), KEY_TYPE: number(key_type),
                              PARAMETER_SET: number(parameter_set), VALUE: value})
        self.call("C_CreateObject", self.handle, rows, ULONG(len(rows)), ctypes.byref(made))
        return made

    def value(self, key):
        row = Attribute(VALUE, None, 0)
        self.call("C_GetAttributeValue", self.handle, key, ctypes.byref(row), ULONG(1))
        room = ctypes.create_string_buffer(row.length)
        row.value = ctypes.addressof(room)
        self.call("C_GetAttributeValue", self.handle, key, ctypes.byref(row), ULONG(1))
        return room.raw[: row.length]

    @staticmethod
    def with_context(mechanism, context):
        parameter = SignContext(0, context, len(context))
        how = Mechanism(mechanism, ctypes.addressof(parameter), ctypes.sizeof(parameter))
        how.kept = parameter
        return how

    def sign(self, mechanism, context, key, data):
        how = self.with_context(mechanism, context)
        self.call("C_SignInit", self.handle, ctypes.byref(how), key)
        room, length = ctypes.create_string_buffer(8192), ULONG(8192)
        self.call("C_Sign", self.handle, data, ULONG(len(data)), room, ctypes.byref(length))
        return room.raw[: length.value]

    def verify(self, mechanism, context, key, data, signature):
        how = self.with_context(mechanism, context)
        self.call("C_VerifyInit", self.handle, ctypes.byref(how), key)
        return self.status("C_Verify", self.handle, data, ULONG(len(data)), signature,
                           ULONG(len(signature))) == 0

    def secret_template(self):
        return self.template({CLASS: number(SECRET_KEY), KEY_TYPE: number(GENERIC_SECRET),
                              SENSITIVE: b"\0", EXTRACTABLE: b"\1"})

    def encapsulate(self, mechanism, key):
        how, made = Mechanism(mechanism, None, 0), ULONG(0)
        room, length, rows = ctypes.create_string_buffer(8192), ULONG(8192), self.secret_template()
        self.call("C_EncapsulateKey", self.handle, ctypes.byref(how), key, rows, ULONG(len(rows)),
                  room, ctypes.byref(length), ctypes.byref(made))
        return room.raw[: length.value], self.value(made)

    def decapsulate(self, mechanism, key, ciphertext):
        how, made, rows = Mechanism(mechanism, None, 0), ULONG(0), self.secret_template()
        self.call("C_DecapsulateKey", self.handle, ctypes.byref(how), key, rows, ULONG(len(rows)),
                  ciphertext, ULONG(len(ciphertext)), ctypes.byref(made))
        return self.value(made)


def opened():
    return Session(os.environ["MODULE"], "T1", os.environ["USER_PIN"])
