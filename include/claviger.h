/* Claviger's part of its C interface. Include it after the pkcs11.h of PKCS#11 3.2: the names
 * CK?_VENDOR_DEFINED come from there. Everything else is the standard's.
 *
 * Made from src/abi/vendor.rs; do not edit. SPDX-License-Identifier: MIT OR Apache-2.0 */

#ifndef CLAVIGER_H
#define CLAVIGER_H

/**
 * manufacturerID, padded with blanks there.
 */
#define CLAVIGER_MANUFACTURER "Claviger"

/**
 * The model of tokens whose keys are kept in software.
 */
#define CLAVIGER_MODEL "Claviger soft"

/**
 * libraryDescription, padded with blanks there.
 */
#define CLAVIGER_LIBRARY "Claviger PKCS#11 token"

/* Numbers that OASIS has given out for PKCS#11 3.3 and that are used here. */
#ifndef CKM_COMP_SIG_KEY_PAIR_GEN
#define CKM_COMP_SIG_KEY_PAIR_GEN 0x403dUL
#endif
#ifndef CKM_COMP_SIG
#define CKM_COMP_SIG 0x403eUL
#endif
#ifndef CKM_COMP_SIG_EXTERNAL_HASH
#define CKM_COMP_SIG_EXTERNAL_HASH 0x403fUL
#endif
#ifndef CKM_COMP_KEM_KEY_PAIR_GEN
#define CKM_COMP_KEM_KEY_PAIR_GEN 0x4040UL
#endif
#ifndef CKM_COMP_KEM
#define CKM_COMP_KEM 0x4041UL
#endif
#ifndef CKP_COMP_SIG_MLDSA44_RSA2048_PSS_SHA256
#define CKP_COMP_SIG_MLDSA44_RSA2048_PSS_SHA256 0x1UL
#endif
#ifndef CKP_COMP_SIG_MLDSA44_RSA2048_PKCS15_SHA256
#define CKP_COMP_SIG_MLDSA44_RSA2048_PKCS15_SHA256 0x2UL
#endif
#ifndef CKP_COMP_SIG_MLDSA44_ED25519_SHA512
#define CKP_COMP_SIG_MLDSA44_ED25519_SHA512 0x3UL
#endif
#ifndef CKP_COMP_SIG_MLDSA44_ECDSA_P256_SHA256
#define CKP_COMP_SIG_MLDSA44_ECDSA_P256_SHA256 0x4UL
#endif
#ifndef CKP_COMP_SIG_MLDSA65_RSA3072_PSS_SHA512
#define CKP_COMP_SIG_MLDSA65_RSA3072_PSS_SHA512 0x5UL
#endif
#ifndef CKP_COMP_SIG_MLDSA65_RSA3072_PKCS15_SHA512
#define CKP_COMP_SIG_MLDSA65_RSA3072_PKCS15_SHA512 0x6UL
#endif
#ifndef CKP_COMP_SIG_MLDSA65_RSA4096_PSS_SHA512
#define CKP_COMP_SIG_MLDSA65_RSA4096_PSS_SHA512 0x7UL
#endif
#ifndef CKP_COMP_SIG_MLDSA65_RSA4096_PKCS15_SHA512
#define CKP_COMP_SIG_MLDSA65_RSA4096_PKCS15_SHA512 0x8UL
#endif
#ifndef CKP_COMP_SIG_MLDSA65_ECDSA_P256_SHA512
#define CKP_COMP_SIG_MLDSA65_ECDSA_P256_SHA512 0x9UL
#endif
#ifndef CKP_COMP_SIG_MLDSA65_ECDSA_P384_SHA512
#define CKP_COMP_SIG_MLDSA65_ECDSA_P384_SHA512 0xaUL
#endif
#ifndef CKP_COMP_SIG_MLDSA65_ECDSA_BRAINPOOLP256R1_SHA512
#define CKP_COMP_SIG_MLDSA65_ECDSA_BRAINPOOLP256R1_SHA512 0xbUL
#endif
#ifndef CKP_COMP_SIG_MLDSA65_ED25519_SHA512
#define CKP_COMP_SIG_MLDSA65_ED25519_SHA512 0xcUL
#endif
#ifndef CKP_COMP_SIG_MLDSA87_ECDSA_P384_SHA512
#define CKP_COMP_SIG_MLDSA87_ECDSA_P384_SHA512 0xdUL
#endif
#ifndef CKP_COMP_SIG_MLDSA87_ECDSA_BRAINPOOLP384R1_SHA512
#define CKP_COMP_SIG_MLDSA87_ECDSA_BRAINPOOLP384R1_SHA512 0xeUL
#endif
#ifndef CKP_COMP_SIG_MLDSA87_ED448_SHAKE256
#define CKP_COMP_SIG_MLDSA87_ED448_SHAKE256 0xfUL
#endif
#ifndef CKP_COMP_SIG_MLDSA87_RSA3072_PSS_SHA512
#define CKP_COMP_SIG_MLDSA87_RSA3072_PSS_SHA512 0x10UL
#endif
#ifndef CKP_COMP_SIG_MLDSA87_RSA4096_PSS_SHA512
#define CKP_COMP_SIG_MLDSA87_RSA4096_PSS_SHA512 0x11UL
#endif
#ifndef CKP_COMP_SIG_MLDSA87_ECDSA_P521_SHA512
#define CKP_COMP_SIG_MLDSA87_ECDSA_P521_SHA512 0x12UL
#endif
#ifndef CKP_COMP_KEM_MLKEM768_RSA2048
#define CKP_COMP_KEM_MLKEM768_RSA2048 0x1UL
#endif
#ifndef CKP_COMP_KEM_MLKEM768_RSA3072
#define CKP_COMP_KEM_MLKEM768_RSA3072 0x2UL
#endif
#ifndef CKP_COMP_KEM_MLKEM768_RSA4096
#define CKP_COMP_KEM_MLKEM768_RSA4096 0x3UL
#endif
#ifndef CKP_COMP_KEM_MLKEM768_X25519
#define CKP_COMP_KEM_MLKEM768_X25519 0x4UL
#endif
#ifndef CKP_COMP_KEM_MLKEM768_ECDH_P256
#define CKP_COMP_KEM_MLKEM768_ECDH_P256 0x5UL
#endif
#ifndef CKP_COMP_KEM_MLKEM768_ECDH_P384
#define CKP_COMP_KEM_MLKEM768_ECDH_P384 0x6UL
#endif
#ifndef CKP_COMP_KEM_MLKEM768_ECDH_BRAINPOOLP256R1
#define CKP_COMP_KEM_MLKEM768_ECDH_BRAINPOOLP256R1 0x7UL
#endif
#ifndef CKP_COMP_KEM_MLKEM1024_RSA3072
#define CKP_COMP_KEM_MLKEM1024_RSA3072 0x8UL
#endif
#ifndef CKP_COMP_KEM_MLKEM1024_ECDH_P384
#define CKP_COMP_KEM_MLKEM1024_ECDH_P384 0x9UL
#endif
#ifndef CKP_COMP_KEM_MLKEM1024_ECDH_BRAINPOOLP384R1
#define CKP_COMP_KEM_MLKEM1024_ECDH_BRAINPOOLP384R1 0xaUL
#endif
#ifndef CKP_COMP_KEM_MLKEM1024_X448
#define CKP_COMP_KEM_MLKEM1024_X448 0xbUL
#endif
#ifndef CKP_COMP_KEM_MLKEM1024_ECDH_P521
#define CKP_COMP_KEM_MLKEM1024_ECDH_P521 0xcUL
#endif

/**
 * The first attribute of ours. All numbers of ours have 0x434C ("CL") in bits 16 to 30, so
 * that they can be told from those of other vendors: 0xC34C0000 to 0xC34CFFFF.
 */
#define CKA_CLAVIGER_BASE (CKA_VENDOR_DEFINED | 1129054208)

/**
 * How often a private or secret key of the token may be used still: a CK_ULONG of 8 bytes.
 * Absent: as often as one likes.
 *
 * It can be given when the key is made in any way, and afterwards be set (C_SetAttributeValue) or
 * made smaller, never larger. Each use takes one off: an operation with its key, whatever comes
 * of it, each message of a message-based one, and each call of the functions that have no …Init,
 * also one that asks for a length. That is durable and on record in the audit log before the
 * output is let go, and counts for all processes together; a process that is killed may lose a
 * use. At 0, operations answer CKR_KEY_EXHAUSTED. A key with a limit cannot be copied
 * (CKR_ACTION_PROHIBITED) and not be wrapped (CKR_KEY_UNEXTRACTABLE); one of a session has none
 * (CKR_TEMPLATE_INCONSISTENT).
 */
#define CKA_CLAVIGER_USES_LEFT (CKA_VENDOR_DEFINED | 1129054225)

/**
 * Which of the keys that had its label one after the other a key is: a CK_ULONG of 8 bytes.
 * `claviger key rotate` sets it, from 1; a key that was never rotated has none. No number comes
 * twice for a label while an older version is on the token. Read-only.
 */
#define CKA_CLAVIGER_KEY_VERSION (CKA_VENDOR_DEFINED | 1129054226)

/**
 * The name of the operation by which a key became the next version of its label: UTF-8, of 1 to
 * 128 bytes. A rotation with the same name again finds what it has done, and does nothing.
 * Read-only.
 */
#define CKA_CLAVIGER_OPERATION (CKA_VENDOR_DEFINED | 1129054227)

/**
 * How the bytes of a key of type CKK_ML_DSA, CKK_ML_KEM, CKK_SLH_DSA, CKK_CLAVIGER_COMP_SIG or
 * CKK_CLAVIGER_COMP_KEM are written: a CK_ULONG of 8 bytes, 1 for what docs/composites.md says.
 * Read-only. A key in a format that the module does not know is not read at all: no search finds
 * it, and every use of a handle that was given out before is CKR_CLAVIGER_FORMAT_UNKNOWN.
 */
#define CKA_CLAVIGER_FORMAT (CKA_VENDOR_DEFINED | 1129054228)

/**
 * The first mechanism of ours.
 */
#define CKM_CLAVIGER_BASE (CKM_VENDOR_DEFINED | 1129054208)

/**
 * The first key type of ours.
 */
#define CKK_CLAVIGER_BASE (CKK_VENDOR_DEFINED | 1129054208)

/**
 * CKK_COMP_SIG: composite signature keys as the working draft of PKCS#11 3.3 has them. OASIS
 * has numbered their mechanisms and parameter sets, but not this type; when it does, the token
 * will take both numbers and show the new one. docs/composites.md has the formats.
 *
 * CKA_PARAMETER_SET is one of CKP_COMP_SIG_…; CKA_VALUE is the serialised public or private key
 * of draft-ietf-lamps-pq-composite-sigs.
 */
#define CKK_CLAVIGER_COMP_SIG (CKK_VENDOR_DEFINED | 1129054209)

/**
 * CKK_COMP_KEM: composite KEM keys; as above, after draft-ietf-lamps-pq-composite-kem.
 * CKA_PARAMETER_SET is one of CKP_COMP_KEM_… or CKP_CLAVIGER_XWING.
 */
#define CKK_CLAVIGER_COMP_KEM (CKK_VENDOR_DEFINED | 1129054210)

/**
 * X-Wing as a parameter set of CKK_COMP_KEM (draft-connolly-cfrg-xwing-kem): public keys of 1216
 * and ciphertexts of 1120 bytes, as of CKP_COMP_KEM_MLKEM768_X25519, which makes the same
 * secrets; but the private CKA_VALUE is the seed of 32 bytes.
 */
#define CKP_CLAVIGER_XWING 3276537857

/**
 * The first return value of ours. They are answers of CKM_CLAVIGER_BUNDLE, and about keys that a
 * later version of the module wrote; every other call answers with a value of the standard.
 */
#define CKR_CLAVIGER_BASE (CKR_VENDOR_DEFINED | 1129054208)

/**
 * The other key of a bundle: a classical and a post-quantum key pair that sign together with
 * CKM_CLAVIGER_BUNDLE, and each for itself as any other key.
 *
 * Two keys on the token of the same class, CKO_PUBLIC_KEY or CKO_PRIVATE_KEY, are tied by
 * C_SetAttributeValue of this attribute alone, to the CKA_UNIQUE_ID of the other key; both keys
 * get it, in one step and for good. Keys of the public and of the private class are tied
 * separately. It reads as a byte 1, the SHA-256 of the other key's CKA_PUBLIC_KEY_INFO (32
 * bytes), and the other key's CKA_UNIQUE_ID; empty for keys in no bundle. No template of a new
 * key holds it, and a copy of a key does not have it.
 *
 * CKR_ATTRIBUTE_VALUE_INVALID: no such key in sight. CKR_TEMPLATE_INCONSISTENT: keys that make
 * no bundle, or session keys. CKR_ATTRIBUTE_READ_ONLY: one of them is in a bundle.
 * CKR_ACTION_PROHIBITED: CKA_MODIFIABLE of one of them is false.
 */
#define CKA_CLAVIGER_BUNDLE (CKA_VENDOR_DEFINED | 1129054209)

/**
 * Signs and verifies with both keys of a bundle; either handle will do. No parameter; data in one
 * part or in several. The signature is DER:
 *
 *     SEQUENCE OF SEQUENCE { algorithm AlgorithmIdentifier, signature BIT STRING }
 *
 * with the classical signature first: sha256WithRSAEncryption, ecdsa-with-SHA256, -SHA384 or
 * -SHA512 by the curve, or id-Ed25519; then id-ml-dsa-44, -65 or -87. Each signs the data alone,
 * so that it can be checked for itself. The configuration says which are made
 * (pq.produce_hybrid) and which must be right (pq.verify_mode: or, and, pq-only).
 *
 * CKR_CLAVIGER_DOWNGRADE_REFUSED, CKR_CLAVIGER_BUNDLE_INCOMPLETE; CKR_KEY_TYPE_INCONSISTENT: the
 * key is in no bundle. CKR_SIGNATURE_INVALID: also for what is not that DER.
 */
#define CKM_CLAVIGER_BUNDLE (CKM_VENDOR_DEFINED | 1129054210)

/**
 * What is there of a bundle's signature is right, but a signature that pq.verify_mode asks for is
 * not there. The audit log has such a call under this name.
 */
#define CKR_CLAVIGER_DOWNGRADE_REFUSED (CKR_VENDOR_DEFINED | 1129054209)

/**
 * The other key of a bundle is gone, or is another one. One that may not be used, by its usage
 * attribute or its dates, is CKR_KEY_FUNCTION_NOT_PERMITTED.
 */
#define CKR_CLAVIGER_BUNDLE_INCOMPLETE (CKR_VENDOR_DEFINED | 1129054210)

/**
 * CKA_CLAVIGER_FORMAT of the key is a number that this version of the module does not know.
 */
#define CKR_CLAVIGER_FORMAT_UNKNOWN (CKR_VENDOR_DEFINED | 1129054211)

/**
 * Slot numbers are below this one. A token's slot number never changes.
 */
#define CLAVIGER_SLOT_LIMIT 16777216

/**
 * The shortest PIN, in bytes: ulMinPinLen.
 */
#define CLAVIGER_PIN_MIN_LEN 4

/**
 * The longest PIN, in bytes: ulMaxPinLen.
 */
#define CLAVIGER_PIN_MAX_LEN 255

/**
 * For `SetContext`: the trace that the session's calls are a part of, for example a
 * `traceparent` of the W3C's Trace Context. The audit log keeps it as `trace`.
 */
#define CLAVIGER_CONTEXT_TRACE 1

/**
 * For `SetContext`: the caller's name for the operation. The audit log keeps it as `op`.
 */
#define CLAVIGER_CONTEXT_OPERATION 2

/**
 * For `SetContext`: on whose behalf the session's calls are made, as the caller says. The audit
 * log keeps it as `actor`.
 */
#define CLAVIGER_CONTEXT_ACTOR 3

/**
 * The longest text that `SetContext` takes, in bytes.
 */
#define CLAVIGER_CONTEXT_MAX_LEN 128

/**
 * Room for every text that `LastError` gives, in bytes.
 */
#define CLAVIGER_ERROR_MAX_LEN 512

/**
 * What C_GetInterface gives for "Vendor claviger", version 1.0.
 */
typedef struct CLAVIGER_FUNCTION_LIST {
  /**
   * 1.0. Later versions add functions at the end.
   */
  CK_VERSION version;
  /**
   * Says something about the calls of a session from now on, until it is said anew or the
   * session is closed: `kind` is one of CLAVIGER_CONTEXT_…, `text` is UTF-8 without control
   * characters, of at most CLAVIGER_CONTEXT_MAX_LEN bytes; with a length of 0 nothing is said
   * any more. It goes into the audit record of each call.
   *
   * CKR_ARGUMENTS_BAD, CKR_SESSION_HANDLE_INVALID, CKR_CRYPTOKI_NOT_INITIALIZED.
   */
  CK_RV (*SetContext)(CK_SESSION_HANDLE session, CK_ULONG kind, CK_BYTE_PTR text, CK_ULONG length);
  /**
   * Why the calling thread's last failing call failed, in English, as UTF-8 without an end:
   * the return value's name, what was wrong, and in brackets the mechanism, parameter,
   * attribute, key, session and slot as far as they are known (docs/cli.md); never a secret.
   * The standard's convention for output of variable length holds. Empty if nothing has
   * failed. Answers also when C_Initialize has failed; calls of this function do not count.
   *
   * CKR_ARGUMENTS_BAD, CKR_BUFFER_TOO_SMALL.
   */
  CK_RV (*LastError)(CK_BYTE_PTR text, CK_ULONG_PTR length);
} CLAVIGER_FUNCTION_LIST;

#endif  /* CLAVIGER_H */
