//! Arbitrary mechanisms and parameters, with keys of every kind. What was signed verifies, what
//! was encrypted decrypts to what it was, in one part and in several.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::attributes::Attributes;
use super::bytes::Bytes;
use super::keys::{Key, keys};
use super::module::{Module, ask, lent, with_module};

/// What stands before a one-time password: `CK_OTP_SIGNATURE_INFO` and its `CK_OTP_PARAM`.
const FRAME: usize = 40;
/// Room for every answer to data of at most 255 bytes.
const ROOM: usize = 8192;

/// A mechanism with the memory that it leads to.
struct Given {
    c: ck::CK_MECHANISM,
    _parameter: Box<[u8]>,
    _parts: Vec<Box<[u8]>>,
}

/// A value inside a parameter: pointer and length, now and then one that must be refused.
fn part(bytes: &mut Bytes<'_>, parts: &mut Vec<Box<[u8]>>) -> (*mut u8, ck::CK_ULONG) {
    match bytes.below(16) {
        14 => (null_mut(), bytes.pick(&[0, 1, 1 << 40])),
        15 => (null_mut(), 0),
        _ => {
            let most = bytes.pick(&[12, 16, 65, 67, 140]);
            let mut value: Box<[u8]> = bytes.some(most).into();
            let (start, len) = (value.as_mut_ptr(), lent(&value).1);
            parts.push(value);
            (start, len)
        }
    }
}

fn structure<T>(value: &T) -> Vec<u8> {
    let start = std::ptr::from_ref(value).cast::<u8>();
    // SAFETY: the structure is live, and its padding was zeroed before it was filled in.
    unsafe { std::slice::from_raw_parts(start, size_of::<T>()) }.to_vec()
}

#[rustfmt::skip]
const HASHES: &[ck::CK_ULONG] = &[
    ck::CKM_SHA_1, ck::CKM_SHA224, ck::CKM_SHA256, ck::CKM_SHA384, ck::CKM_SHA512, ck::CKM_MD5,
    ck::CK_ULONG::MAX,
];
const MASKS: &[ck::CK_ULONG] =
    &[ck::CKG_MGF1_SHA1, ck::CKG_MGF1_SHA224, ck::CKG_MGF1_SHA256, ck::CKG_MGF1_SHA512, 0];

#[rustfmt::skip]
const PSS: &[ck::CK_MECHANISM_TYPE] = &[
    ck::CKM_RSA_PKCS_PSS, ck::CKM_SHA224_RSA_PKCS_PSS, ck::CKM_SHA256_RSA_PKCS_PSS,
    ck::CKM_SHA384_RSA_PKCS_PSS, ck::CKM_SHA512_RSA_PKCS_PSS,
];
#[rustfmt::skip]
const GENERAL: &[ck::CK_MECHANISM_TYPE] = &[
    ck::CKM_SHA_1_HMAC_GENERAL, ck::CKM_SHA224_HMAC_GENERAL, ck::CKM_SHA256_HMAC_GENERAL,
    ck::CKM_SHA384_HMAC_GENERAL, ck::CKM_SHA512_HMAC_GENERAL,
];
/// Composites, whose numbers no header has yet, and hybrid envelopes.
const CKM_COMP_SIG: ck::CK_MECHANISM_TYPE = 0x403e;
const CKM_COMP_SIG_EXTERNAL_HASH: ck::CK_MECHANISM_TYPE = 0x403f;
const CKM_CLAVIGER_HPKE: ck::CK_MECHANISM_TYPE = 0xC34C_0001;
#[rustfmt::skip]
const WITH_CONTEXT: &[ck::CK_MECHANISM_TYPE] = &[
    ck::CKM_ML_DSA, ck::CKM_SLH_DSA, CKM_COMP_SIG, CKM_COMP_SIG_EXTERNAL_HASH,
    ck::CKM_HASH_ML_DSA_SHA224, ck::CKM_HASH_ML_DSA_SHA256, ck::CKM_HASH_ML_DSA_SHA384,
    ck::CKM_HASH_ML_DSA_SHA512, ck::CKM_HASH_ML_DSA_SHA3_224, ck::CKM_HASH_ML_DSA_SHA3_256,
    ck::CKM_HASH_ML_DSA_SHA3_384, ck::CKM_HASH_ML_DSA_SHA3_512, ck::CKM_HASH_ML_DSA_SHAKE128,
    ck::CKM_HASH_ML_DSA_SHAKE256, ck::CKM_HASH_SLH_DSA_SHA224, ck::CKM_HASH_SLH_DSA_SHA256,
    ck::CKM_HASH_SLH_DSA_SHA384, ck::CKM_HASH_SLH_DSA_SHA512, ck::CKM_HASH_SLH_DSA_SHA3_224,
    ck::CKM_HASH_SLH_DSA_SHA3_256, ck::CKM_HASH_SLH_DSA_SHA3_384, ck::CKM_HASH_SLH_DSA_SHA3_512,
    ck::CKM_HASH_SLH_DSA_SHAKE128, ck::CKM_HASH_SLH_DSA_SHAKE256,
];
#[rustfmt::skip]
const DSA: &[ck::CK_MECHANISM_TYPE] = &[
    ck::CKM_DSA, ck::CKM_DSA_SHA1, ck::CKM_DSA_SHA224, ck::CKM_DSA_SHA256, ck::CKM_DSA_SHA384,
    ck::CKM_DSA_SHA512, ck::CKM_DSA_SHA3_224, ck::CKM_DSA_SHA3_256, ck::CKM_DSA_SHA3_384,
    ck::CKM_DSA_SHA3_512,
];
/// Whether randomness is wanted; two that are no answer.
const HEDGES: &[ck::CK_HEDGE_TYPE] = &[0, 1, 2, 3, ck::CK_HEDGE_TYPE::MAX];
/// Points on P-256: the generator, compressed and not, alone and in an OCTET STRING.
const POINTS: &[&[u8]] = &[
    b"\x04\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2\
      \x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96\
      \x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\x16\
      \x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5",
    b"\x03\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2\
      \x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96",
    b"\x04\x21\x03\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\
      \xf2\x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96",
];

/// A point of the other side, real or not.
fn point(bytes: &mut Bytes<'_>, parts: &mut Vec<Box<[u8]>>) -> (*mut u8, ck::CK_ULONG) {
    if bytes.below(4) == 3 {
        return part(bytes, parts);
    }
    let mut value: Box<[u8]> = bytes.pick(POINTS).into();
    if bytes.below(4) == 3 {
        let place = bytes.below(value.len());
        value[place] ^= bytes.byte();
    }
    let (start, len) = (value.as_mut_ptr(), lent(&value).1);
    parts.push(value);
    (start, len)
}

/// The parameter of a function of SP 800-108, with a few parts of any kind and no further keys.
fn counted(id: ck::CK_MECHANISM_TYPE, bytes: &mut Bytes<'_>, kept: &mut Vec<Box<[u8]>>) -> Vec<u8> {
    let mut list = Vec::new();
    let count = bytes.below(5);
    for _ in 0..count {
        let kind = bytes.pick(&[1, 2, 3, 4, 5, 0]);
        let mut inner: Box<[u8]> = match kind {
            1 | 2 => {
                structure(&[ck::CK_ULONG::from(bytes.byte() & 1), bytes.pick(&[8, 16, 32, 7])])
            }
            3 => {
                let method = bytes.pick(&[1, 2, 3]);
                structure(&[method, ck::CK_ULONG::from(bytes.byte() & 1), bytes.pick(&[16, 64, 0])])
            }
            5 => structure(&bytes.pick(&[0_u64, 1, 2, 3, 4])),
            _ => bytes.some(20).to_vec(),
        }
        .into();
        let empty = bytes.below(4) == 3;
        let (start, len) = (inner.as_mut_ptr(), lent(&inner).1);
        let (start, len) = if empty { (null_mut(), 0) } else { (start, len) };
        list.extend(structure(&ck::CK_PRF_DATA_PARAM {
            type_: kind,
            pValue: start.cast(),
            ulValueLen: len,
        }));
        kept.push(inner);
    }
    let mut list = list.into_boxed_slice();
    let start = list.as_mut_ptr().cast();
    kept.push(list);
    let prf = bytes.pick(&[ck::CKM_SHA256_HMAC, ck::CKM_AES_CMAC, ck::CKM_SHA_1_HMAC, 0]);
    let count = ck::CK_ULONG::try_from(count).expect("a count");
    if id == ck::CKM_SP800_108_FEEDBACK_KDF {
        let (iv, iv_len) = part(bytes, kept);
        return structure(&ck::CK_SP800_108_FEEDBACK_KDF_PARAMS {
            prfType: prf,
            ulNumberOfDataParams: count,
            pDataParams: start,
            ulIVLen: iv_len,
            pIV: iv,
            ulAdditionalDerivedKeys: 0,
            pAdditionalDerivedKeys: null_mut(),
        });
    }
    structure(&ck::CK_SP800_108_KDF_PARAMS {
        prfType: prf,
        ulNumberOfDataParams: count,
        pDataParams: start,
        ulAdditionalDerivedKeys: 0,
        pAdditionalDerivedKeys: null_mut(),
    })
}

#[rustfmt::skip]
const TLS: &[ck::CK_MECHANISM_TYPE] = &[
    ck::CKM_TLS_PRE_MASTER_KEY_GEN,
    ck::CKM_TLS12_MASTER_KEY_DERIVE, ck::CKM_TLS12_MASTER_KEY_DERIVE_DH,
    ck::CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE, ck::CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE_DH,
    ck::CKM_TLS12_KEY_AND_MAC_DERIVE, ck::CKM_TLS12_KEY_SAFE_DERIVE,
    ck::CKM_TLS_KDF, ck::CKM_TLS12_KDF, ck::CKM_TLS_MAC, ck::CKM_TLS12_MAC,
];

/// The parameter of a one-time password: a few values of any kind, most of them as long as they
/// must be.
fn one_time(bytes: &mut Bytes<'_>, kept: &mut Vec<Box<[u8]>>) -> Vec<u8> {
    let count = bytes.below(4);
    let mut list = Vec::new();
    for _ in 0..count {
        let kind = bytes.pick(&[4, 4, 5, 6, 7, 1, 2, 3, 0, 8, ck::CK_ULONG::MAX]);
        let (value, len) = match (bytes.below(8), kind) {
            (7, _) => part(bytes, kept),
            (_, kind) => {
                let number = match kind {
                    5 => bytes.pick(&[0, 1, 2, 4, 8, 16, 32, 58, ck::CK_ULONG::MAX]),
                    6 => bytes.pick(&[6, 7, 8, 5, 9, ck::CK_ULONG::MAX]),
                    7 => bytes.pick(&[0, 1, 2, 3, 4]),
                    _ => bytes.number(),
                };
                let mut value: Box<[u8]> = number.to_be_bytes().into();
                if kind != 4 {
                    value.reverse();
                }
                let lent = (value.as_mut_ptr(), lent(&value).1);
                kept.push(value);
                lent
            }
        };
        list.extend(structure(&ck::CK_OTP_PARAM {
            type_: kind,
            pValue: value.cast(),
            ulValueLen: len,
        }));
    }
    let mut list = list.into_boxed_slice();
    let start = if bytes.below(16) == 15 { null_mut() } else { list.as_mut_ptr().cast() };
    kept.push(list);
    let count = ck::CK_ULONG::try_from(count).expect("a count");
    structure(&ck::CK_OTP_PARAMS { pParams: start, ulCount: count })
}

/// A value of 32 bytes, as a rule.
fn long_part(bytes: &mut Bytes<'_>, parts: &mut Vec<Box<[u8]>>) -> (*mut u8, ck::CK_ULONG) {
    if bytes.below(8) == 7 {
        return part(bytes, parts);
    }
    let mut value: Box<[u8]> = vec![bytes.byte(); 32].into();
    let (start, len) = (value.as_mut_ptr(), lent(&value).1);
    parts.push(value);
    (start, len)
}

/// The parameter of a mechanism of TLS 1.2. What is written to is as long as it may have to be.
fn tls(id: ck::CK_MECHANISM_TYPE, bytes: &mut Bytes<'_>, parts: &mut Vec<Box<[u8]>>) -> Vec<u8> {
    let hash = bytes.pick(HASHES);
    let (client, client_len) = long_part(bytes, parts);
    let (server, server_len) = long_part(bytes, parts);
    let randoms = ck::CK_SSL3_RANDOM_DATA {
        pClientRandom: client,
        ulClientRandomLen: client_len,
        pServerRandom: server,
        ulServerRandomLen: server_len,
    };
    let mut place: Box<[u8]> = vec![0; 64].into();
    let start = place.as_mut_ptr();
    parts.push(place);
    let version: *mut u8 = if bytes.below(2) == 0 { null_mut() } else { start };
    match id {
        ck::CKM_TLS_PRE_MASTER_KEY_GEN => {
            structure(&ck::CK_VERSION { major: bytes.byte(), minor: bytes.byte() })
        }
        ck::CKM_TLS_MAC | ck::CKM_TLS12_MAC => structure(&ck::CK_TLS_MAC_PARAMS {
            prfHashMechanism: hash,
            ulMacLength: bytes.pick(&[12, 32, 64, 11, 65, 0, ck::CK_ULONG::MAX]),
            ulServerOrClient: bytes.pick(&[1, 2, 0, 3]),
        }),
        ck::CKM_TLS_KDF | ck::CKM_TLS12_KDF => {
            let (label, label_len) = part(bytes, parts);
            let (context, context_len) = part(bytes, parts);
            structure(&ck::CK_TLS_KDF_PARAMS {
                prfMechanism: hash,
                pLabel: label,
                ulLabelLength: label_len,
                RandomInfo: randoms,
                pContextData: context,
                ulContextDataLength: context_len,
            })
        }
        ck::CKM_TLS12_KEY_AND_MAC_DERIVE | ck::CKM_TLS12_KEY_SAFE_DERIVE => {
            // SAFETY: all zeros are a valid value of plain C data.
            let mut params: ck::CK_TLS12_KEY_MAT_PARAMS = unsafe { std::mem::zeroed() };
            params.ulMacSizeInBits = bytes.pick(&[0, 160, 4, ck::CK_ULONG::MAX]);
            params.ulKeySizeInBits = bytes.pick(&[0, 128, 256, 4, ck::CK_ULONG::MAX]);
            params.ulIVSizeInBits = bytes.pick(&[0, 32, 96, 128, ck::CK_ULONG::MAX]);
            params.bIsExport = bytes.byte() & 1;
            (params.RandomInfo, params.prfHashMechanism) = (randoms, hash);
            params.pReturnedKeyMaterial = version.cast();
            structure(&params)
        }
        ck::CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE | ck::CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE_DH => {
            structure(&ck::CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS {
                prfHashMechanism: hash,
                pSessionHash: client,
                ulSessionHashLen: client_len,
                pVersion: version.cast(),
            })
        }
        _ => structure(&ck::CK_TLS12_MASTER_KEY_DERIVE_PARAMS {
            RandomInfo: randoms,
            pVersion: version.cast(),
            prfHashMechanism: hash,
        }),
    }
}

#[rustfmt::skip]
const IKE: &[ck::CK_MECHANISM_TYPE] = &[
    ck::CKM_IKE_PRF_DERIVE, ck::CKM_IKE1_PRF_DERIVE, ck::CKM_IKE1_EXTENDED_DERIVE,
    ck::CKM_IKE2_PRF_PLUS_DERIVE,
];
#[rustfmt::skip]
const PRFS: &[ck::CK_ULONG] = &[
    ck::CKM_SHA256_HMAC, ck::CKM_SHA_1_HMAC, ck::CKM_SHA512_HMAC, ck::CKM_AES_XCBC_MAC,
    ck::CKM_AES_CMAC, ck::CKM_SHA256, ck::CK_ULONG::MAX,
];
/// Handles of keys and of what is none.
const HANDLES: &[ck::CK_OBJECT_HANDLE] = &[0, 1, 2, 3, 4, 5, 6, 7, 8];

/// The parameter of a mechanism of IKE.
fn ike(id: ck::CK_MECHANISM_TYPE, bytes: &mut Bytes<'_>, parts: &mut Vec<Box<[u8]>>) -> Vec<u8> {
    let (prf, first, second) = (bytes.pick(PRFS), bytes.pick(HANDLES), bytes.pick(HANDLES));
    let flags = [bytes.byte() & 1, bytes.byte() & 1];
    let (start, start_len) = part(bytes, parts);
    match id {
        ck::CKM_IKE_PRF_DERIVE => {
            // SAFETY: all zeros are a valid value of plain C data.
            let mut params: ck::CK_IKE_PRF_DERIVE_PARAMS = unsafe { std::mem::zeroed() };
            (params.prfMechanism, params.hNewKey) = (prf, first);
            [params.bDataAsKey, params.bRekey] = flags;
            (params.pNi, params.ulNiLen) = (start, start_len);
            (params.pNr, params.ulNrLen) = part(bytes, parts);
            structure(&params)
        }
        ck::CKM_IKE1_PRF_DERIVE => {
            // SAFETY: as above.
            let mut params: ck::CK_IKE1_PRF_DERIVE_PARAMS = unsafe { std::mem::zeroed() };
            (params.prfMechanism, params.bHasPrevKey) = (prf, flags[0]);
            (params.hKeygxy, params.hPrevKey) = (first, second);
            (params.pCKYi, params.ulCKYiLen) = (start, start_len);
            (params.pCKYr, params.ulCKYrLen) = part(bytes, parts);
            params.keyNumber = bytes.byte();
            structure(&params)
        }
        ck::CKM_IKE1_EXTENDED_DERIVE => {
            // SAFETY: as above.
            let mut params: ck::CK_IKE1_EXTENDED_DERIVE_PARAMS = unsafe { std::mem::zeroed() };
            (params.prfMechanism, params.bHasKeygxy, params.hKeygxy) = (prf, flags[0], first);
            (params.pExtraData, params.ulExtraDataLen) = (start, start_len);
            structure(&params)
        }
        _ => {
            // SAFETY: as above.
            let mut params: ck::CK_IKE2_PRF_PLUS_DERIVE_PARAMS = unsafe { std::mem::zeroed() };
            (params.prfMechanism, params.bHasSeedKey, params.hSeedKey) = (prf, flags[0], first);
            (params.pSeedData, params.ulSeedDataLen) = (start, start_len);
            structure(&params)
        }
    }
}

/// The parameter that a mechanism wants, filled with whatever the bytes say.
fn fitting(id: ck::CK_MECHANISM_TYPE, bytes: &mut Bytes<'_>) -> (Vec<u8>, Vec<Box<[u8]>>) {
    let mut parts = Vec::new();
    let parameter = match id {
        ck::CKM_AES_CTR => {
            let bits = bytes.pick(&[1, 8, 32, 64, 128, 0, 129]);
            let mut block = [0xff; 16];
            block.iter_mut().for_each(|byte| *byte = bytes.byte());
            structure(&ck::CK_AES_CTR_PARAMS { ulCounterBits: bits, cb: block })
        }
        ck::CKM_AES_GCM => {
            let (iv, iv_len) = part(bytes, &mut parts);
            let (aad, aad_len) = part(bytes, &mut parts);
            structure(&ck::CK_GCM_PARAMS {
                pIv: iv,
                ulIvLen: iv_len,
                ulIvBits: bytes.number(),
                pAAD: aad,
                ulAADLen: aad_len,
                ulTagBits: bytes.pick(&[128, 96, 104, 112, 120, 0, 8, ck::CK_ULONG::MAX]),
            })
        }
        ck::CKM_RSA_PKCS_OAEP => {
            let (label, label_len) = part(bytes, &mut parts);
            structure(&ck::CK_RSA_PKCS_OAEP_PARAMS {
                hashAlg: bytes.pick(HASHES),
                mgf: bytes.pick(MASKS),
                source: bytes.pick(&[ck::CKZ_DATA_SPECIFIED, 0, 7]),
                pSourceData: label.cast(),
                ulSourceDataLen: label_len,
            })
        }
        ck::CKM_ECDH1_DERIVE => {
            let (shared, shared_len) = part(bytes, &mut parts);
            // Encapsulation has the point in its ciphertext.
            let (public, public_len) = match bytes.below(4) {
                0 => (null_mut(), 0),
                _ => point(bytes, &mut parts),
            };
            structure(&ck::CK_ECDH1_DERIVE_PARAMS {
                kdf: bytes.pick(&[ck::CKD_NULL, ck::CKD_SHA256_KDF, ck::CKD_SHA512_KDF, 0]),
                ulSharedDataLen: shared_len,
                pSharedData: shared,
                ulPublicDataLen: public_len,
                pPublicData: public,
            })
        }
        ck::CKM_EDDSA => {
            let (context, context_len) = part(bytes, &mut parts);
            // The padding behind the flag is part of what is copied.
            // SAFETY: all zeros are a valid value of plain C data.
            let mut params: ck::CK_EDDSA_PARAMS = unsafe { std::mem::zeroed() };
            params.phFlag = bytes.byte();
            params.ulContextDataLen = context_len;
            params.pContextData = context;
            structure(&params)
        }
        ck::CKM_CONCATENATE_BASE_AND_DATA
        | ck::CKM_CONCATENATE_DATA_AND_BASE
        | ck::CKM_XOR_BASE_AND_DATA
        | ck::CKM_AES_ECB_ENCRYPT_DATA => {
            let (data, data_len) = part(bytes, &mut parts);
            structure(&ck::CK_KEY_DERIVATION_STRING_DATA { pData: data, ulLen: data_len })
        }
        ck::CKM_AES_CBC_ENCRYPT_DATA => {
            let (data, data_len) = part(bytes, &mut parts);
            let iv = [bytes.byte(); 16];
            structure(&ck::CK_AES_CBC_ENCRYPT_DATA_PARAMS { iv, pData: data, length: data_len })
        }
        ck::CKM_CONCATENATE_BASE_AND_KEY => structure(&bytes.pick(&[0, 1, 2, 3, 4, 5, 6, 7, 8])),
        ck::CKM_EXTRACT_KEY_FROM_KEY => structure(&ck::CK_ULONG::from(bytes.byte())),
        ck::CKM_AES_CCM => {
            let (nonce, nonce_len) = part(bytes, &mut parts);
            let (aad, aad_len) = part(bytes, &mut parts);
            structure(&ck::CK_CCM_PARAMS {
                ulDataLen: bytes.pick(&[0, 1, 16, 40, 255, ck::CK_ULONG::MAX]),
                pNonce: nonce,
                ulNonceLen: nonce_len,
                pAAD: aad,
                ulAADLen: aad_len,
                ulMACLen: bytes.pick(&[16, 8, 4, 12, 0, 5, ck::CK_ULONG::MAX]),
            })
        }
        ck::CKM_CHACHA20 => {
            // Room for the longest of each: here lengths are numbers of bits, not of what was lent.
            let mut counter: Box<[u8]> = vec![bytes.byte(); 8].into();
            let mut nonce: Box<[u8]> = vec![bytes.byte(); 24].into();
            let (counter_at, nonce_at) = (counter.as_mut_ptr(), nonce.as_mut_ptr());
            parts.extend([counter, nonce]);
            structure(&ck::CK_CHACHA20_PARAMS {
                pBlockCounter: if bytes.below(8) == 7 { null_mut() } else { counter_at },
                blockCounterBits: bytes.pick(&[32, 64, 0, 8, ck::CK_ULONG::MAX]),
                pNonce: if bytes.below(8) == 7 { null_mut() } else { nonce_at },
                ulNonceBits: bytes.pick(&[96, 64, 192, 12, 0, 13, ck::CK_ULONG::MAX]),
            })
        }
        ck::CKM_CHACHA20_POLY1305 => {
            let mut nonce: Box<[u8]> = vec![bytes.byte(); 24].into();
            let nonce_at = nonce.as_mut_ptr();
            parts.push(nonce);
            let (aad, aad_len) = part(bytes, &mut parts);
            structure(&ck::CK_SALSA20_CHACHA20_POLY1305_PARAMS {
                pNonce: if bytes.below(8) == 7 { null_mut() } else { nonce_at },
                ulNonceLen: bytes.pick(&[96, 192, 12, 24, 64, 0, ck::CK_ULONG::MAX]),
                pAAD: aad,
                ulAADLen: aad_len,
            })
        }
        ck::CKM_AES_GMAC => {
            let (iv, iv_len) = part(bytes, &mut parts);
            structure(&ck::CK_GCM_PARAMS {
                pIv: iv,
                ulIvLen: iv_len,
                ulIvBits: 0,
                pAAD: null_mut(),
                ulAADLen: 0,
                ulTagBits: bytes.pick(&[128, 96, 0, ck::CK_ULONG::MAX]),
            })
        }
        ck::CKM_DES_ECB_ENCRYPT_DATA | ck::CKM_DES3_ECB_ENCRYPT_DATA => {
            let (data, data_len) = part(bytes, &mut parts);
            structure(&ck::CK_KEY_DERIVATION_STRING_DATA { pData: data, ulLen: data_len })
        }
        ck::CKM_DES_CBC_ENCRYPT_DATA | ck::CKM_DES3_CBC_ENCRYPT_DATA => {
            let (data, data_len) = part(bytes, &mut parts);
            let iv = [bytes.byte(); 8];
            structure(&ck::CK_DES_CBC_ENCRYPT_DATA_PARAMS { iv, pData: data, length: data_len })
        }
        ck::CKM_SP800_108_COUNTER_KDF
        | ck::CKM_SP800_108_DOUBLE_PIPELINE_KDF
        | ck::CKM_SP800_108_FEEDBACK_KDF => counted(id, bytes, &mut parts),
        ck::CKM_HKDF_DERIVE | ck::CKM_HKDF_DATA => {
            let (salt, salt_len) = part(bytes, &mut parts);
            let (info, info_len) = part(bytes, &mut parts);
            // SAFETY: all zeros are a valid value of plain C data.
            let mut params: ck::CK_HKDF_PARAMS = unsafe { std::mem::zeroed() };
            params.bExtract = bytes.byte() & 1;
            params.bExpand = bytes.byte() & 1;
            params.prfHashMechanism = bytes.pick(HASHES);
            params.ulSaltType = bytes.pick(&[0, 1, 2, 4, 8]);
            (params.pSalt, params.ulSaltLen) = (salt, salt_len);
            params.hSaltKey = bytes.pick(&[0, 1, 2, 3, 4, 5]);
            (params.pInfo, params.ulInfoLen) = (info, info_len);
            structure(&params)
        }
        ck::CKM_PKCS5_PBKD2 => {
            let (salt, salt_len) = part(bytes, &mut parts);
            let (password, password_len) = part(bytes, &mut parts);
            structure(&ck::CK_PKCS5_PBKD2_PARAMS2 {
                saltSource: bytes.pick(&[ck::CKZ_SALT_SPECIFIED, 0, 2]),
                pSaltSourceData: salt.cast(),
                ulSaltSourceDataLen: salt_len,
                iterations: bytes.pick(&[1, 2, 0, ck::CK_ULONG::MAX]),
                prf: bytes.pick(&[1, 2, 3, 4, 5, 6, 7, 8, 9]),
                pPrfData: null_mut(),
                ulPrfDataLen: bytes.pick(&[0, 0, 0, 1]),
                pPassword: password,
                ulPasswordLen: password_len,
            })
        }
        ck::CKM_HASH_ML_DSA | ck::CKM_HASH_SLH_DSA => {
            let (context, context_len) = part(bytes, &mut parts);
            structure(&ck::CK_HASH_SIGN_ADDITIONAL_CONTEXT {
                hedgeVariant: bytes.pick(HEDGES),
                pContext: context,
                ulContextLen: context_len,
                hash: bytes.pick(HASHES),
            })
        }
        _ if WITH_CONTEXT.contains(&id) => {
            let (context, context_len) = part(bytes, &mut parts);
            structure(&ck::CK_SIGN_ADDITIONAL_CONTEXT {
                hedgeVariant: bytes.pick(HEDGES),
                pContext: context,
                ulContextLen: context_len,
            })
        }
        // These take nothing, and what is given must be refused.
        _ if DSA.contains(&id) => match bytes.below(8) {
            7 => bytes.some(40).to_vec(),
            _ => Vec::new(),
        },
        ck::CKM_HOTP => one_time(bytes, &mut parts),
        // The info of an envelope is any bytes.
        CKM_CLAVIGER_HPKE => bytes.some(40).to_vec(),
        _ if PSS.contains(&id) => structure(&ck::CK_RSA_PKCS_PSS_PARAMS {
            hashAlg: bytes.pick(HASHES),
            mgf: bytes.pick(MASKS),
            sLen: bytes.pick(&[0, 20, 32, 64, 190, 222, 223, ck::CK_ULONG::MAX]),
        }),
        _ if GENERAL.contains(&id) => structure(&ck::CK_ULONG::from(bytes.byte() % 70)),
        _ if TLS.contains(&id) => tls(id, bytes, &mut parts),
        _ if IKE.contains(&id) => ike(id, bytes, &mut parts),
        ck::CKM_AES_CBC | ck::CKM_AES_CBC_PAD | ck::CKM_AES_CTS => {
            let len = bytes.pick(&[16, 16, 16, 0, 15, 17]);
            (0..len).map(|_| bytes.byte()).collect()
        }
        // Nothing with pointers in it may come this way: a mechanism that takes such a
        // structure needs an arm of its own above.
        // The length is one that no such structure has.
        _ if bytes.below(4) == 3 => {
            let noise = bytes.some(40);
            noise[usize::from(noise.len().is_multiple_of(8) && !noise.is_empty())..].to_vec()
        }
        _ => Vec::new(),
    };
    (parameter, parts)
}

fn mechanism(known: &[ck::CK_MECHANISM_TYPE], bytes: &mut Bytes<'_>) -> Given {
    let id = if bytes.below(64) == 63 { bytes.number() } else { bytes.pick_of_many(known) };
    let (mut parameter, parts) = match bytes.below(16) {
        14 => (Vec::new(), Vec::new()),
        // No structure with pointers has such a length: it must be refused unread.
        15 => (vec![0xff; bytes.below(8) * 8 + 1 + bytes.below(7)], Vec::new()),
        _ => fitting(id, bytes),
    };
    let shift = bytes.below(2);
    let len = ck::CK_ULONG::try_from(parameter.len()).expect("a length");
    parameter.splice(0..0, vec![0; shift]);
    let mut parameter = parameter.into_boxed_slice();
    let start = if len == 0 { null_mut() } else { parameter[shift..].as_mut_ptr() };
    let (start, len) = if bytes.below(64) == 63 { (null_mut(), 24) } else { (start, len) };
    let c = ck::CK_MECHANISM { mechanism: id, pParameter: start.cast(), ulParameterLen: len };
    Given { c, _parameter: parameter, _parts: parts }
}

/// Uses a mechanism and a parameter of these bytes in every way that there is.
pub fn mechanism_params(input: &[u8]) {
    with_module(|module| {
        let slot = module.slot("mechanism_params");
        let session = module.user(slot);
        let keys = keys(module, session);
        let mut known = [0; 1024];
        let mut count = 1024;
        let list = known.as_mut_ptr();
        assert_eq!(ask!(module, C_GetMechanismList(slot, list, &raw mut count)), ck::CKR_OK);
        let known = &known[..usize::try_from(count).expect("a count")];
        let mut bytes = Bytes::new(input);
        let given = mechanism(known, &mut bytes);
        let first = bytes.below(keys.len());
        for offset in 0..keys.len() {
            // The chosen key first; nearly always one of the others fits the mechanism.
            let key = keys[(first + offset) % keys.len()];
            let data = &input[..input.len().min(200)];
            sign(module, session, &given, key, data);
            encrypt(module, session, &given, key, data);
            derive(module, session, &given, key, input.len());
            encapsulate(module, session, &given, key, input);
            envelope(module, session, &given, key, input);
        }
        digest(module, session, &given, input);
    });
}

fn sign(module: &Module, session: ck::CK_SESSION_HANDLE, given: &Given, key: Key, data: &[u8]) {
    let mut c = given.c;
    if ask!(module, C_SignInit(session, &raw mut c, key.private)) != ck::CKR_OK {
        return;
    }
    // One-time passwords are made of no data; now and then they are given some.
    let is_one_time = c.mechanism == ck::CKM_HOTP;
    let data = if is_one_time && data.len() % 8 != 7 { &[] } else { data };
    let (start, len) = lent(data);
    let (mut out, mut out_len) = ([0; ROOM], 0);
    let place = out.as_mut_ptr();
    let rv = ask!(module, C_Sign(session, start, len, place, &raw mut out_len));
    assert!(rv != ck::CKR_OK, "a signature in no room");
    if rv == ck::CKR_BUFFER_TOO_SMALL {
        assert!(out_len > 0 && out_len <= ROOM as u64, "{out_len} bytes for a signature");
        let rv = ask!(module, C_Sign(session, start, len, place, &raw mut out_len));
        if rv == ck::CKR_OK {
            let rv = ask!(module, C_VerifyInit(session, &raw mut c, key.public));
            assert_eq!(rv, ck::CKR_OK, "what signs verifies");
            if is_one_time {
                let password = &out[FRAME..usize::try_from(out_len).expect("a length")];
                let (place, out_len) = lent(password);
                let rv = ask!(module, C_Verify(session, start, len, place, out_len));
                // The key's own counter has moved past the password, one of the caller's has not.
                let right = [ck::CKR_OK, ck::CKR_SIGNATURE_INVALID];
                assert!(right.contains(&rv), "{rv:#x} for a password that was just made");
                return;
            }
            let rv = ask!(module, C_Verify(session, start, len, place, out_len));
            assert_eq!(rv, ck::CKR_OK, "a signature that was just made");
        }
    }
}

fn encrypt(module: &Module, session: ck::CK_SESSION_HANDLE, given: &Given, key: Key, data: &[u8]) {
    let mut c = given.c;
    if ask!(module, C_EncryptInit(session, &raw mut c, key.public)) != ck::CKR_OK {
        return;
    }
    let (start, len) = lent(data);
    let (mut out, mut out_len) = ([0; ROOM], ROOM as u64);
    let place = out.as_mut_ptr();
    if ask!(module, C_Encrypt(session, start, len, place, &raw mut out_len)) != ck::CKR_OK {
        return;
    }
    let sealed = &out[..usize::try_from(out_len).expect("a length")];
    let rv = ask!(module, C_DecryptInit(session, &raw mut c, key.private));
    assert_eq!(rv, ck::CKR_OK, "what encrypts decrypts");
    let (start, len) = lent(sealed);
    let (mut opened, mut opened_len) = ([0; ROOM], ROOM as u64);
    let place = opened.as_mut_ptr();
    let rv = ask!(module, C_Decrypt(session, start, len, place, &raw mut opened_len));
    assert_eq!(rv, ck::CKR_OK, "what was just encrypted");
    let opened = &opened[..usize::try_from(opened_len).expect("a length")];
    if given.c.mechanism == ck::CKM_RSA_X_509 {
        // A number as long as the modulus, whatever stood before the data.
        assert!(opened.ends_with(data), "what was just encrypted");
        return;
    }
    assert_eq!(opened, data);
    if key.public == key.private
        && let Some(parts) = in_parts(module, session, given, key, data)
    {
        assert_eq!(parts, sealed, "in parts");
    }
}

/// The same encryption in two parts, if the mechanism takes parts.
fn in_parts(
    module: &Module,
    session: ck::CK_SESSION_HANDLE,
    given: &Given,
    key: Key,
    data: &[u8],
) -> Option<Vec<u8>> {
    let mut c = given.c;
    assert_eq!(ask!(module, C_EncryptInit(session, &raw mut c, key.public)), ck::CKR_OK);
    let mut all = Vec::new();
    for part in [&data[..data.len() / 3], &data[data.len() / 3..]] {
        let (start, len) = lent(part);
        let (mut out, mut out_len) = ([0; ROOM], ROOM as u64);
        let place = out.as_mut_ptr();
        let rv = ask!(module, C_EncryptUpdate(session, start, len, place, &raw mut out_len));
        if rv == ck::CKR_FUNCTION_NOT_SUPPORTED && all.is_empty() {
            return None;
        }
        assert_eq!(rv, ck::CKR_OK, "C_EncryptUpdate");
        all.extend_from_slice(&out[..usize::try_from(out_len).expect("a length")]);
    }
    let (mut out, mut out_len) = ([0; ROOM], ROOM as u64);
    let rv = ask!(module, C_EncryptFinal(session, out.as_mut_ptr(), &raw mut out_len));
    assert_eq!(rv, ck::CKR_OK, "C_EncryptFinal");
    all.extend_from_slice(&out[..usize::try_from(out_len).expect("a length")]);
    Some(all)
}

fn derive(module: &Module, session: ck::CK_SESSION_HANDLE, given: &Given, key: Key, len: usize) {
    let mut c = given.c;
    let class = ck::CKO_SECRET_KEY.to_ne_bytes();
    let kind = ck::CKK_GENERIC_SECRET.to_ne_bytes();
    let len = (len as u64).to_ne_bytes();
    let given = [
        (ck::CKA_CLASS, class.as_slice()),
        (ck::CKA_KEY_TYPE, kind.as_slice()),
        (ck::CKA_VALUE_LEN, len.as_slice()),
    ];
    let mut attributes = Attributes::of(&given, &mut Bytes::new(&[]));
    let (rows, count) = attributes.lend();
    let mut made = 0;
    let base = key.private;
    let rv = ask!(module, C_DeriveKey(session, &raw mut c, base, rows, count, &raw mut made));
    if rv == ck::CKR_OK && made != 0 {
        assert_eq!(ask!(module, C_DestroyObject(session, made)), ck::CKR_OK);
    }
}

fn digest(module: &Module, session: ck::CK_SESSION_HANDLE, given: &Given, data: &[u8]) {
    let mut c = given.c;
    if ask!(module, C_DigestInit(session, &raw mut c)) != ck::CKR_OK {
        return;
    }
    let (start, len) = lent(data);
    let (mut out, mut out_len) = ([0; 64], 64);
    let rv = ask!(module, C_Digest(session, start, len, out.as_mut_ptr(), &raw mut out_len));
    assert_eq!(rv, ck::CKR_OK, "C_Digest");
}

/// A secret of the session that may be read.
fn readable(len: Option<u64>) -> Attributes {
    let (class, kind) = (ck::CKO_SECRET_KEY.to_ne_bytes(), ck::CKK_GENERIC_SECRET.to_ne_bytes());
    let len = len.map(u64::to_ne_bytes);
    let mut given = vec![
        (ck::CKA_CLASS, class.as_slice()),
        (ck::CKA_KEY_TYPE, kind.as_slice()),
        (ck::CKA_SENSITIVE, &[0]),
        (ck::CKA_EXTRACTABLE, &[1]),
    ];
    given.extend(len.iter().map(|len| (ck::CKA_VALUE_LEN, len.as_slice())));
    Attributes::of(&given, &mut Bytes::new(&[]))
}

/// The value of a secret that is not needed any more.
fn value(module: &Module, session: ck::CK_SESSION_HANDLE, key: ck::CK_OBJECT_HANDLE) -> Vec<u8> {
    let value = module.get(session, key, ck::CKA_VALUE).expect("CKA_VALUE");
    assert_eq!(ask!(module, C_DestroyObject(session, key)), ck::CKR_OK);
    value
}

/// A place in a ciphertext and what is done to the byte there.
fn altered(sealed: &[u8], input: &[u8]) -> Vec<u8> {
    let mut sealed = sealed.to_vec();
    let place = input.iter().fold(7, |place, byte| place * 31 % 65_521 + usize::from(*byte));
    let count = sealed.len();
    sealed[place % count] ^= 1 << (place % 8);
    sealed
}

fn encapsulate(
    module: &Module,
    session: ck::CK_SESSION_HANDLE,
    given: &Given,
    key: Key,
    input: &[u8],
) {
    let mut c = given.c;
    let asked = [None, Some(16), Some(32), Some(input.len() as u64)][input.len() % 4];
    let mut attributes = readable(asked);
    let (rows, rows_len) = attributes.lend();
    let (mut out, mut out_len, mut made) = ([0; ROOM], ROOM as u64, 0);
    let (to, length, handle) = (out.as_mut_ptr(), &raw mut out_len, &raw mut made);
    let how = &raw mut c;
    let rv = ask!(
        module,
        C_EncapsulateKey(session, how, key.public, rows, rows_len, to, length, handle)
    );
    if rv != ck::CKR_OK {
        return;
    }
    let sealed = &out[..usize::try_from(out_len).expect("a length")];
    let secret = value(module, session, made);
    let open = |sealed: &[u8]| {
        let ((from, len), mut found) = (lent(sealed), 0);
        let handle = &raw mut found;
        let rv = ask!(
            module,
            C_DecapsulateKey(session, how, key.private, rows, rows_len, from, len, handle)
        );
        (rv, found)
    };
    let (rv, found) = open(sealed);
    assert_eq!(rv, ck::CKR_OK, "what was just encapsulated");
    assert_eq!(value(module, session, found), secret);
    if let (ck::CKR_OK, found) = open(&altered(sealed, input)) {
        // Few bytes may be the same by chance; and a point has two ways to be written.
        let found = value(module, session, found);
        let may_be_same = secret.len() < 16 || given.c.mechanism == ck::CKM_ECDH1_DERIVE;
        assert!(found != secret || may_be_same, "an altered ciphertext");
    }
}

fn envelope(
    module: &Module,
    session: ck::CK_SESSION_HANDLE,
    given: &Given,
    key: Key,
    input: &[u8],
) {
    if given.c.mechanism != CKM_CLAVIGER_HPKE {
        return;
    }
    let mut c = given.c;
    let how = &raw mut c;
    let content = [0x5a; 32];
    let mut attributes = readable(None);
    let wrapped = {
        let (class, kind) =
            (ck::CKO_SECRET_KEY.to_ne_bytes(), ck::CKK_GENERIC_SECRET.to_ne_bytes());
        let given = [
            (ck::CKA_CLASS, class.as_slice()),
            (ck::CKA_KEY_TYPE, kind.as_slice()),
            (ck::CKA_VALUE, &content),
            (ck::CKA_EXTRACTABLE, &[1]),
        ];
        let mut attributes = Attributes::of(&given, &mut Bytes::new(&[]));
        let ((rows, count), mut made) = (attributes.lend(), 0);
        let rv = ask!(module, C_CreateObject(session, rows, count, &raw mut made));
        assert_eq!(rv, ck::CKR_OK, "C_CreateObject");
        made
    };
    let (rows, rows_len) = attributes.lend();
    let (aad, aad_len) = lent(input);
    let (mut out, mut out_len) = ([0; ROOM], ROOM as u64);
    let (to, length, by) = (out.as_mut_ptr(), &raw mut out_len, key.public);
    let rv =
        ask!(module, C_WrapKeyAuthenticated(session, how, by, wrapped, aad, aad_len, to, length));
    assert_eq!(ask!(module, C_DestroyObject(session, wrapped)), ck::CKR_OK);
    if rv != ck::CKR_OK {
        return;
    }
    let sealed = &out[..usize::try_from(out_len).expect("a length")];
    let by = key.private;
    let open = |sealed: &[u8], (aad, aad_len): (*mut u8, u64)| {
        let ((from, len), mut found) = (lent(sealed), 0);
        let (s, k) = (session, &raw mut found);
        let rv = ask!(
            module,
            C_UnwrapKeyAuthenticated(s, how, by, from, len, rows, rows_len, aad, aad_len, k)
        );
        (rv, found)
    };
    let (rv, found) = open(sealed, (aad, aad_len));
    assert_eq!(rv, ck::CKR_OK, "what was just wrapped");
    assert_eq!(value(module, session, found), content);
    let (rv, _) = open(&altered(sealed, input), (aad, aad_len));
    assert_ne!(rv, ck::CKR_OK, "an altered envelope");
    let other = [input, &[1]].concat();
    let (rv, _) = open(sealed, lent(&other));
    assert_ne!(rv, ck::CKR_OK, "other associated data");
}
