"""Certificates (RFC 5280) and requests (RFC 2986) taken apart by their DER alone, so that those of
algorithms that no library knows can be checked as well.
"""

import pathlib

SEQUENCE, INTEGER, BITS, NAME = 0x30, 0x02, 0x03, 0x06


def take(der):
    """The element at the front, whole; its tag, its content, and what follows it."""
    size = der[1] & 0x7F if der[1] & 0x80 else 0
    length = int.from_bytes(der[2:2 + size], "big") if size else der[1]
    end = 2 + size + length
    assert len(der) >= end, "an element that is cut off"
    return der[:end], der[0], der[2 + size:end], der[end:]


def elements(der):
    """All elements of a content, whole."""
    found = []
    while der:
        whole, _, _, der = take(der)
        found.append(whole)
    return found


def inside(der, tag):
    whole, found, content, rest = take(der)
    assert found == tag and not rest, f"not one element with the tag {tag:x}"
    return content


def bits(der):
    content = inside(der, BITS)
    assert content[0] == 0, "unused bits"
    return content[1:]


def identifier(dotted):
    """An AlgorithmIdentifier without parameters."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    content = bytes([40 * first + second])
    for arc in rest:
        group = [arc & 0x7F]
        while arc := arc >> 7:
            group.insert(0, arc & 0x7F | 0x80)
        content += bytes(group)
    name = bytes([NAME, len(content)]) + content
    return bytes([SEQUENCE, len(name)]) + name


class Parsed:
    """What is signed, by which algorithm, the signature, and the public key in the content."""

    def __init__(self, path, is_request):
        self.whole = pathlib.Path(path).read_bytes()
        self.content, self.algorithm, signature = elements(inside(self.whole, SEQUENCE))
        self.signature = bits(signature)
        parts = elements(inside(self.content, SEQUENCE))
        if is_request:
            version, self.subject, info = parts[:3]
            assert version == b"\x02\x01\x00", "the version of a request"
        else:
            version, serial, algorithm, issuer, _, self.subject, info = parts[:7]
            assert version == b"\xa0\x03\x02\x01\x02", "the version of a certificate"
            assert serial[0] == INTEGER and serial[2] < 0x80, "a positive number"
            assert algorithm == self.algorithm, "another algorithm inside"
            assert issuer == self.subject, "it is self-signed"
        self.key_algorithm, key = elements(inside(info, SEQUENCE))
        self.key = bits(key)


def changed(value, place):
    value = bytearray(value)
    value[place] ^= 1
    return bytes(value)


def check(name, dotted, verify):
    """The files NAME.crt and NAME.csr: `verify(key, signature, content)` says whether the signature
    is right, and must say no as soon as one byte of the three is another."""
    for is_request, ending in ((False, "crt"), (True, "csr")):
        parsed = Parsed(f"{name}.{ending}", is_request)
        assert parsed.algorithm == parsed.key_algorithm == identifier(dotted), "the algorithm"
        assert name.encode() in parsed.subject
        key, signature, content = parsed.key, parsed.signature, parsed.content
        assert verify(key, signature, content), f"{name}.{ending}"
        # The first and last bytes, and of composites both halves, are among these places.
        for place in (0, len(content) // 2, -1):
            assert not verify(key, signature, changed(content, place)), "another content"
        for place in (0, 700, len(signature) // 2, -1):
            assert not verify(key, changed(signature, place), content), "another signature"
        for place in (0, -1):
            assert not verify(changed(key, place), signature, content), "another key"
        assert not verify(key, signature[:-1], content), "a signature that is cut off"
    print("ok", name)
