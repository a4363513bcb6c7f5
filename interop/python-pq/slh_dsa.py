"""Verification of SLH-DSA (FIPS 205), which Python's package cryptography has not: pure, without a
context. The sections in the comments are the standard's.
"""

import hashlib
import struct

WOTS_HASH, WOTS_PK, TREE, FORS_TREE, FORS_ROOTS = range(5)
CHAIN_STEPS, CHECKSUM_DIGITS = 15, 3


def digits(value, width, count):
    """Numbers of so many bits from the front of some bytes (4.4, base_2b)."""
    number, spare = int.from_bytes(value, "big"), 8 * len(value) - width * count
    number >>= spare
    return [number >> width * at & (1 << width) - 1 for at in reversed(range(count))]


class Address:
    """Layer, tree, type, and three words whose meaning is the type's (4.2)."""

    def __init__(self, tree, layer=0):
        self.layer, self.tree = layer, tree

    def of(self, kind, *words):
        words = words + (0,) * (3 - len(words))
        return struct.pack(">IIQIIII", self.layer, 0, self.tree, kind, *words)


class Shake:
    """11.1."""

    def __init__(self, n):
        self.n = n

    def message(self, randomizer, seed, root, message, length):
        return hashlib.shake_256(randomizer + seed + root + message).digest(length)

    def short(self, seed, address, value):
        return hashlib.shake_256(seed + address + value).digest(self.n)

    long = short


class Sha2:
    """11.2: the larger sets hash all but the chains with SHA-512."""

    def __init__(self, n):
        self.n, self.wide = n, hashlib.sha256 if n == 16 else hashlib.sha512

    def message(self, randomizer, seed, root, message, length):
        inner = self.wide(randomizer + seed + root + message).digest()
        made = b""
        for counter in range(-(-length // self.wide().digest_size)):
            made += self.wide(randomizer + seed + inner + struct.pack(">I", counter)).digest()
        return made[:length]

    def hashed(self, function, seed, address, value):
        address = address[3:4] + address[8:16] + address[19:]
        padding = bytes(function().block_size - self.n)
        return function(seed + padding + address + value).digest()[:self.n]

    def short(self, seed, address, value):
        return self.hashed(hashlib.sha256, seed, address, value)

    def long(self, seed, address, value):
        return self.hashed(self.wide, seed, address, value)


class Set:
    def __init__(self, family, n, height, layers, fors_height, fors_trees):
        self.hash, self.n, self.layers = family(n), n, layers
        self.height, self.below = height, height // layers
        self.fors_height, self.fors_trees = fors_height, fors_trees
        self.chains = 2 * n + CHECKSUM_DIGITS

    def climb(self, seed, node, path, index, at):
        """From a leaf to the root of a tree; `at(height, index)` is the address of a node."""
        for height in range(len(path) // self.n):
            other = path[height * self.n:][:self.n]
            pair = node + other if index >> height & 1 == 0 else other + node
            # The index of FORS counts on from tree to tree, that of a Merkle tree from 0.
            node = self.hash.long(seed, at(height + 1, index >> height + 1), pair)
        return node

    def fors(self, seed, signature, chosen, address, leaf):
        """The public key of a few-times signature (8.4)."""
        roots, size = b"", self.n * (1 + self.fors_height)
        for tree, index in enumerate(chosen):
            part = signature[tree * size:][:size]
            index += tree << self.fors_height

            def at(height, index):
                return address.of(FORS_TREE, leaf, height, index)

            node = self.hash.short(seed, at(0, index), part[:self.n])
            roots += self.climb(seed, node, part[self.n:], index, at)
        return self.hash.long(seed, address.of(FORS_ROOTS, leaf), roots)

    def one_time(self, seed, signature, message, address, leaf):
        """The public key of a one-time signature (5.3)."""
        steps = digits(message, 4, 2 * self.n)
        checksum = sum(CHAIN_STEPS - step for step in steps) << 4
        steps += digits(struct.pack(">H", checksum), 4, CHECKSUM_DIGITS)
        ends = b""
        for chain, done in enumerate(steps):
            value = signature[chain * self.n:][:self.n]
            for step in range(done, CHAIN_STEPS):
                where = address.of(WOTS_HASH, leaf, chain, step)
                value = self.hash.short(seed, where, value)
            ends += value
        return self.hash.long(seed, address.of(WOTS_PK, leaf), ends)

    def verify(self, key, signature, content):
        """9.3 and 10.3."""
        n, seed, root = self.n, key[:self.n], key[self.n:]
        fors_len = n * self.fors_trees * (1 + self.fors_height)
        layer_len = n * (self.chains + self.below)
        if len(signature) != n + fors_len + self.layers * layer_len or len(key) != 2 * n:
            return False
        lengths = [-(-self.fors_trees * self.fors_height // 8),
                   -(-(self.height - self.below) // 8), -(-self.below // 8)]
        digest = self.hash.message(signature[:n], seed, root, b"\0\0" + content, sum(lengths))
        first, second = lengths[0], lengths[0] + lengths[1]
        chosen = digits(digest[:first], self.fors_height, self.fors_trees)
        tree = int.from_bytes(digest[first:second], "big") % (1 << self.height - self.below)
        leaf = int.from_bytes(digest[second:], "big") % (1 << self.below)
        few, rest = signature[n:n + fors_len], signature[n + fors_len:]
        node = self.fors(seed, few, chosen, Address(tree), leaf)
        for layer in range(self.layers):
            part, address = rest[layer * layer_len:][:layer_len], Address(tree, layer)
            node = self.one_time(seed, part, node, address, leaf)
            path = part[n * self.chains:]
            node = self.climb(seed, node, path, leaf,
                              lambda height, index: address.of(TREE, 0, height, index))
            leaf, tree = tree % (1 << self.below), tree >> self.below
        return node == root


# The last arc of the identifier (RFC 9909, section 3), and table 2. Small signatures take a second
# each to make, so that two of their six sets must do.
SETS = {
    "sha2-128s": (20, Set(Sha2, 16, 63, 7, 12, 14).verify),
    "shake-256s": (30, Set(Shake, 32, 64, 8, 14, 22).verify),
    "sha2-128f": (21, Set(Sha2, 16, 66, 22, 6, 33).verify),
    "sha2-192f": (23, Set(Sha2, 24, 66, 22, 8, 33).verify),
    "sha2-256f": (25, Set(Sha2, 32, 68, 17, 9, 35).verify),
    "shake-128f": (27, Set(Shake, 16, 66, 22, 6, 33).verify),
    "shake-192f": (29, Set(Shake, 24, 66, 22, 8, 33).verify),
    "shake-256f": (31, Set(Shake, 32, 68, 17, 9, 35).verify),
}
