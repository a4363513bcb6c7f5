//! Keys that everyone knows, to import into test tokens and to check answers against. They were
//! made for these tests and protect nothing.

use cryptoki_sys as ck;

use super::template::{Template, template};

/// The DER object identifiers that CKA_EC_PARAMS takes.
pub const P256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
pub const P384: &[u8] = b"\x06\x05\x2b\x81\x04\x00\x22";
pub const P521: &[u8] = b"\x06\x05\x2b\x81\x04\x00\x23";
pub const ED25519: &[u8] = b"\x06\x03\x2b\x65\x70";
pub const X25519: &[u8] = b"\x06\x03\x2b\x65\x6e";
/// The name that CKA_EC_PARAMS takes as well: a PrintableString "edwards25519".
pub const ED25519_NAME: &[u8] = b"\x13\x0cedwards25519";

/// Bytes from hexadecimal digits; anything else between them is skipped.
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// An RSA key of 2048 bits with exponent 65537.
pub const RSA_MODULUS: &str = "\
    a9cf23f3cccf29782471ebd6ab2746f6237f7f9a30ab8d1f4c01c98136c28af3a831cb93e04fd970\
    b2a029db5f324b3ed0c9269bd9611f72ac551c4290544e480abc0993077187f547361a39871566d9\
    4ad7a0f860ad87a7841a5e5f3efa2d6405cc7d67278578eac4d818a55b3a8bf9beab1a809c33d339\
    5958e07190688d08578736ee943217d11e6111779ad4ff4a8e44bf6d9deb23a133b09204b482c47a\
    68217983567fcc29ff2ec4a0c191265f8127a721bbff6974c796c4544068e6e7fb3245968a98500c\
    399c3b80f10a8f21cda1945c4b3e18e18a275dd7bf5ad0a7810b92c52250a5e4dff5f274a2540dfb\
    2b6fc434dcb623a48ed56def60c2479d";
pub const RSA_PRIVATE_EXPONENT: &str = "\
    1250c00f3a12472609024b9e801ff0a8b84bf67aae50b69c3f51bb07079dc4a882c5fa300543ff8f\
    4708fcf2c72a10d121ea6c5267883100e8a31674fc85c75ac063a741b74e10cccd2541ff5df95a3a\
    4a37074afafc8492f62df4eb5f8ad2ee04ad19829091f628965a3b904c4e7c8e0fb97b568f628ca0\
    1529bfada8168acd843a0c319027770977bbc31597e299057acfe6cf0ad3f3c8c75819965af63f7b\
    9830a3b0fc9238a94c42a83a3e0697a7cb72bb8c04057b7124a8bc3a872db3ac59984a7c1b577f8c\
    46148ae37b3850bfba6a2ed15b1194f91cf1d5048602b3bc5941ccb2f6866a5af6fac3961b5edf74\
    0cea7d03c20d13008d6b49805abf4d41";
pub const RSA_PRIME_1: &str = "\
    dd8277523305d194b66da36121a612965ccf2e766802e929fd271d26104f376bf76568c167d559f5\
    93885c674d63937626bf440913b31666bd310930dfd95ba17d85580a76868dd341f97aa8582cb9c2\
    c59905103595f0a2d3b990cdb7aed7995b8e7daf40d3057c559bfd6b7345b4a153692a6bd18a24a2\
    b631a9be9917d841";
pub const RSA_PRIME_2: &str = "\
    c43fdafeb849f48dc5e52f8c66e7d1831988b3b08584c1fea56cc45fb8b90ff470b542ddd3b6b950\
    4ce78cf5baf31683ba60e3ff4b7c80725d1512d588ea32892e79c2e1336214835047ca2020dadd6b\
    2860977fa8f0817493d3a666f7b3965d93adbd637ba80ec315f46c88ccf2c6f14b33112e006e5073\
    aa86580de52ab85d";
pub const RSA_EXPONENT_1: &str = "\
    388bc79e0a3c60061093e873313dcddce890531212f73b4266c7875f622676c56f004a3fa51c07bc\
    f30e8a582c9f50d3868ca8f79039d56c20bbd5d6ce2e14802324d916c2af12a16d641c75c11c99c7\
    28de2936bc172cb8c447c8b95b3c9cf91f303ed17040ee53911f23103cfafc637a818c3cbddeffff\
    3177781799c94681";
pub const RSA_EXPONENT_2: &str = "\
    b844bcfc2f4e41b25cfeb586bf992bc04d596e5f70ff16a863eb9cf7c41b004025140d94fc15b62b\
    100adaf060799fca505669be6cc29a58c7cde1c15ead8886067d8ddea6c091423b3f2d2abdaec3f8\
    ba10f82f86114d7c88d1528d9c47a4087981c93280096cd300ea607e92f1e29aee6124e06cc72803\
    733a71b39a5a6281";
pub const RSA_COEFFICIENT: &str = "\
    3a8cfacf4611e197a9c0ff86feb9a024281d378ac9bed8ef6cd95d814cf8fbb1192b25fcc7f2f40f\
    5b7c55b13036c5c6eb454717f1ac20dc52ec982dab5e5b6648c085b6e43a28fe3712f570b7f7a254\
    ed4d0c632c61723148e0c3c958ff6f758084e296a3b684ee1d0bdca83c678ea01f7ccb2802417607\
    2ddeb5397a138e67";

/// A key on P-256: the scalar, and the point uncompressed.
pub const P256_PRIVATE: &str = "\
    3ed6b93f57aa53e8bf778face6a7095f5bbc3a7381c7865ff74e27350ee7263a";
pub const P256_POINT: &str = "\
    0444cebbb967f618b5c54b5ad17a4553327b6448d1b9fb40b8f50f184678ec1d1cc37d7944f899c9\
    410567ff0e4d6bdf779a41d30c4b6d04789e124e461340e8f9";

/// RFC 8032, test 1 of Ed25519.
pub const ED25519_SEED: &str = "\
    9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
pub const ED25519_PUBLIC: &str = "\
    d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

/// Bytes in a DER OCTET STRING shorter than 128 bytes, as CKA_EC_POINT of CKK_EC is written.
pub fn octet_string(bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).expect("a short octet string");
    if length < 128 { [&[4, length], bytes].concat() } else { [&[4, 0x81, length], bytes].concat() }
}

/// The RSA private key with all its components.
pub fn rsa_private() -> Template {
    rsa_private_without_primes()
        .and(ck::CKA_PUBLIC_EXPONENT, b"\x01\x00\x01")
        .and(ck::CKA_PRIME_1, &hex(RSA_PRIME_1))
        .and(ck::CKA_PRIME_2, &hex(RSA_PRIME_2))
        .and(ck::CKA_EXPONENT_1, &hex(RSA_EXPONENT_1))
        .and(ck::CKA_EXPONENT_2, &hex(RSA_EXPONENT_2))
        .and(ck::CKA_COEFFICIENT, &hex(RSA_COEFFICIENT))
}

/// The RSA private key as modulus and private exponent only.
pub fn rsa_private_without_primes() -> Template {
    template! {
        CKA_CLASS => ck::CKO_PRIVATE_KEY, CKA_KEY_TYPE => ck::CKK_RSA,
        CKA_MODULUS => &hex(RSA_MODULUS), CKA_PRIVATE_EXPONENT => &hex(RSA_PRIVATE_EXPONENT),
    }
}

pub fn rsa_public() -> Template {
    template! {
        CKA_CLASS => ck::CKO_PUBLIC_KEY, CKA_KEY_TYPE => ck::CKK_RSA,
        CKA_MODULUS => &hex(RSA_MODULUS), CKA_PUBLIC_EXPONENT => b"\x01\x00\x01",
    }
}

pub fn p256_private() -> Template {
    template! {
        CKA_CLASS => ck::CKO_PRIVATE_KEY, CKA_KEY_TYPE => ck::CKK_EC,
        CKA_EC_PARAMS => P256, CKA_VALUE => &hex(P256_PRIVATE),
    }
}

pub fn p256_public() -> Template {
    template! {
        CKA_CLASS => ck::CKO_PUBLIC_KEY, CKA_KEY_TYPE => ck::CKK_EC,
        CKA_EC_PARAMS => P256, CKA_EC_POINT => &octet_string(&hex(P256_POINT)),
    }
}

pub fn ed25519_private() -> Template {
    template! {
        CKA_CLASS => ck::CKO_PRIVATE_KEY, CKA_KEY_TYPE => ck::CKK_EC_EDWARDS,
        CKA_EC_PARAMS => ED25519, CKA_VALUE => &hex(ED25519_SEED),
    }
}

pub fn ed25519_public() -> Template {
    template! {
        CKA_CLASS => ck::CKO_PUBLIC_KEY, CKA_KEY_TYPE => ck::CKK_EC_EDWARDS,
        CKA_EC_PARAMS => ED25519, CKA_EC_POINT => &hex(ED25519_PUBLIC),
    }
}

/// A secret key of any type with this value.
pub fn secret(key_type: ck::CK_KEY_TYPE, value: &[u8]) -> Template {
    let class = match key_type {
        ck::CKK_HOTP => ck::CKO_OTP_KEY,
        _ => ck::CKO_SECRET_KEY,
    };
    template! { CKA_CLASS => class, CKA_KEY_TYPE => key_type, CKA_VALUE => value }
}

/// An AES key.
pub fn aes(value: &[u8]) -> Template {
    secret(ck::CKK_AES, value)
}

/// A generic secret.
pub fn generic(value: &[u8]) -> Template {
    secret(ck::CKK_GENERIC_SECRET, value)
}
