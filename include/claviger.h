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

/**
 * The first attribute of ours. All numbers of ours have 0x434C ("CL") in bits 16 to 30, so
 * that they can be told from those of other vendors: 0xC34C0000 to 0xC34CFFFF. None is given
 * out yet.
 */
#define CKA_CLAVIGER_BASE (CKA_VENDOR_DEFINED | 1129054208)

/**
 * The first mechanism of ours. None is given out yet.
 */
#define CKM_CLAVIGER_BASE (CKM_VENDOR_DEFINED | 1129054208)

/**
 * The first key type of ours. None is given out yet.
 */
#define CKK_CLAVIGER_BASE (CKK_VENDOR_DEFINED | 1129054208)

/**
 * The first return value of ours. None is given out yet: every call answers with a value of
 * the standard.
 */
#define CKR_CLAVIGER_BASE (CKR_VENDOR_DEFINED | 1129054208)

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

#endif  /* CLAVIGER_H */
