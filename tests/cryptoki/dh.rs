//! Diffie-Hellman over prime fields. PKCS#11 3.2, "Diffie-Hellman"; RFC 3526, RFC 7919.

use cryptoki_sys as ck;

use crate::support::operations::{plain, with_bytes};
use crate::support::template::len;
use crate::support::{Refused, Session, Template, isolated, template};

type Pair = (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE);

/// The second group of Oakley (RFC 2409, section 6.2), of 1024 bits.
const OAKLEY_2: &str = "\
    ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22\
    514a08798e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6\
    f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381\
    ffffffffffffffff";

/// The prime of a group that openssl knows by name, and the public key of a new pair in it, whose
/// private half is left in `peer.pem`.
fn peer(openssl: &crate::support::openssl::OpenSsl<'_>, group: &str) -> (Vec<u8>, Vec<u8>) {
    openssl.must(&format!("genpkey -algorithm DH -pkeyopt group:{group} -out peer.pem"));
    openssl.must("pkey -in peer.pem -pubout -out peer-public.pem");
    let der = openssl.must("pkey -in peer.pem -pubout -outform DER");
    let numbers = integers(&der);
    (numbers[0].clone(), numbers[2].clone())
}

/// The INTEGERs of a SubjectPublicKeyInfo, in their order.
fn integers(der: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut rest = der;
    while let [tag, first, after @ ..] = rest {
        let (length, head) = match first {
            0x82 => (usize::from(after[0]) << 8 | usize::from(after[1]), 2),
            0x81 => (usize::from(after[0]), 1),
            short => (usize::from(*short), 0),
        };
        let content = &after[head..];
        rest = match tag {
            0x30 => content,
            0x03 => &content[1..],
            2 => {
                let number = &content[..length];
                found.push(number.strip_prefix(&[0]).unwrap_or(number).to_vec());
                &content[length..]
            }
            _ => &content[length..],
        };
    }
    found
}

fn pair(session: &Session<'_>, prime: &[u8]) -> Result<Pair, crate::support::Rv> {
    let public = template! { CKA_PRIME => prime, CKA_BASE => &[2] };
    let private = template! { CKA_DERIVE => true };
    session.generate_pair(&plain(ck::CKM_DH_PKCS_KEY_PAIR_GEN), &public, &private)
}

fn readable(length: usize) -> Template {
    template! {
        CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET,
        CKA_SENSITIVE => false, CKA_EXTRACTABLE => true, CKA_VALUE_LEN => len(length),
    }
}

#[test]
fn a_secret_shared_with_openssl_is_the_same_on_both_sides() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let openssl = bench.openssl();
        for group in ["ffdhe2048", "ffdhe3072", "modp_2048"] {
            let (prime, theirs) = peer(&openssl, group);
            let (public, private) = pair(&session, &prime).unwrap();
            session.has(private, ck::CKA_KEY_TYPE, ck::CKK_DH);
            session.has(private, ck::CKA_PRIME, &prime);
            assert!(session.number(private, ck::CKA_VALUE_BITS) > 200);
            openssl.take_public_key(&session, public);
            let how = "pkeyutl -derive -inkey peer.pem -peerkey public.der -peerform DER";
            // openssl leaves zeros at the front away.
            let bare = openssl.must(how);
            let expected = [vec![0; prime.len() - bare.len()], bare].concat();
            let how = with_bytes(ck::CKM_DH_PKCS_DERIVE, &theirs);
            let whole = session.derive(&how, private, &readable(prime.len())).unwrap();
            session.has(whole, ck::CKA_VALUE, &expected);
            let cut = session.derive(&how, private, &readable(32)).unwrap();
            session.has(cut, ck::CKA_VALUE, &expected[expected.len() - 32..]);
        }
    });
}

fn encapsulating(session: &Session<'_>, prime: &[u8]) -> Pair {
    let public = template! { CKA_PRIME => prime, CKA_BASE => &[2], CKA_ENCAPSULATE => true };
    let private = template! { CKA_DERIVE => true, CKA_DECAPSULATE => true };
    let how = plain(ck::CKM_DH_PKCS_KEY_PAIR_GEN);
    session.generate_pair(&how, &public, &private).expect("a pair")
}

#[test]
fn an_encapsulated_secret_is_agreed_on_with_an_ephemeral_key() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let openssl = bench.openssl();
        let (prime, theirs) = peer(&openssl, "ffdhe2048");
        let how = plain(ck::CKM_DH_PKCS_DERIVE);
        let (public, private) = encapsulating(&session, &prime);
        let value = |key| session.get(key, ck::CKA_VALUE).unwrap();
        for asked in [readable(prime.len()), readable(32)] {
            let (sealed, made) = session.encapsulate(&how, public, &asked).unwrap();
            assert_eq!(sealed.len(), prime.len());
            let secret = value(made);
            let found = session.decapsulate(&how, private, &asked, &sealed).unwrap();
            session.has(found, ck::CKA_VALUE, &secret);
            // It is what C_DeriveKey makes with the ciphertext as the other side's value.
            let given = with_bytes(ck::CKM_DH_PKCS_DERIVE, &sealed);
            let derived = session.derive(&given, private, &asked).unwrap();
            session.has(derived, ck::CKA_VALUE, &secret);
            let (other, another) = session.encapsulate(&how, public, &asked).unwrap();
            assert!(other != sealed && value(another) != secret);
        }
        // openssl's key opens it, and what openssl agrees on with a key of its own is a secret here.
        let of_openssl = template! {
            CKA_CLASS => ck::CKO_PUBLIC_KEY, CKA_KEY_TYPE => ck::CKK_DH, CKA_PRIME => &prime,
            CKA_BASE => &[2], CKA_VALUE => &theirs, CKA_ENCAPSULATE => true,
        };
        let of_openssl = session.create(&of_openssl).unwrap();
        let whole = readable(prime.len());
        let (sealed, made) = session.encapsulate(&how, of_openssl, &whole).unwrap();
        let ephemeral = template! {
            CKA_CLASS => ck::CKO_PUBLIC_KEY, CKA_KEY_TYPE => ck::CKK_DH, CKA_PRIME => &prime,
            CKA_BASE => &[2], CKA_VALUE => &sealed,
        };
        openssl.take_public_key(&session, session.create(&ephemeral).unwrap());
        let agree = "pkeyutl -derive -inkey peer.pem -peerkey public.der -peerform DER";
        let padded = |bare: Vec<u8>| [vec![0; prime.len() - bare.len()], bare].concat();
        assert_eq!(value(made), padded(openssl.must(agree)));
        openssl.take_public_key(&session, public);
        let found = session.decapsulate(&how, private, &whole, &theirs).unwrap();
        assert_eq!(value(found), padded(openssl.must(agree)));
    });
}

#[test]
fn what_cannot_be_encapsulated_or_was_not_is_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (prime, theirs) = peer(&bench.openssl(), "ffdhe2048");
        let how = plain(ck::CKM_DH_PKCS_DERIVE);
        let (public, private) = encapsulating(&session, &prime);
        let asked = readable(32);
        let given = with_bytes(ck::CKM_DH_PKCS_DERIVE, &theirs);
        let bad = ck::CKR_MECHANISM_PARAM_INVALID;
        session.encapsulate(&given, public, &asked).refused(bad);
        session.decapsulate(&given, private, &asked, &theirs).refused(bad);
        let inconsistent = ck::CKR_TEMPLATE_INCONSISTENT;
        session.encapsulate(&how, public, &readable(prime.len() + 1)).refused(inconsistent);
        session.encapsulate(&how, public, &readable(0)).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        let mut less = prime.clone();
        *less.last_mut().unwrap() -= 1;
        // The last is a number that is no square: it lies outside the subgroup.
        let no_square = (2_u8..).map(|number| vec![number]).find(|number| {
            let opened = session.decapsulate(&how, private, &asked, number);
            opened.is_err()
        });
        for value in [vec![1], less, prime.clone(), no_square.unwrap()] {
            let opened = session.decapsulate(&how, private, &asked, &value);
            opened.refused(ck::CKR_WRAPPED_KEY_INVALID);
        }
        let long = vec![1; prime.len() + 1];
        let opened = session.decapsulate(&how, private, &asked, &long);
        opened.refused(ck::CKR_WRAPPED_KEY_LEN_RANGE);
        let (usual, own) = pair(&session, &prime).unwrap();
        let not_permitted = ck::CKR_KEY_FUNCTION_NOT_PERMITTED;
        session.encapsulate(&how, usual, &asked).refused(not_permitted);
        session.decapsulate(&how, own, &asked, &theirs).refused(not_permitted);
        let wrong = [ck::CKR_KEY_TYPE_INCONSISTENT, not_permitted];
        session.encapsulate(&how, private, &asked).expect_err("the wrong half").is_one_of(&wrong);
    });
}

#[test]
fn wrong_public_values_and_groups_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (prime, theirs) = peer(&bench.openssl(), "ffdhe2048");
        let (_, private) = pair(&session, &prime).unwrap();
        let mut less = prime.clone();
        *less.last_mut().unwrap() -= 1;
        for wrong in [vec![0], vec![1], less.clone(), prime.clone(), vec![0xff; 300]] {
            let how = with_bytes(ck::CKM_DH_PKCS_DERIVE, &wrong);
            let made = session.derive(&how, private, &readable(32));
            made.refused(ck::CKR_PUBLIC_KEY_INVALID);
            let public = template! {
                CKA_CLASS => ck::CKO_PUBLIC_KEY, CKA_KEY_TYPE => ck::CKK_DH,
                CKA_PRIME => &prime[..], CKA_BASE => &[2], CKA_VALUE => &wrong[..],
            };
            session.create(&public).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        }
        let how = with_bytes(ck::CKM_DH_PKCS_DERIVE, &theirs);
        let made = session.derive(&how, private, &readable(prime.len() + 1));
        made.refused(ck::CKR_TEMPLATE_INCONSISTENT);
        for value in [&[][..], &[0], &less] {
            let key = template! {
                CKA_CLASS => ck::CKO_PRIVATE_KEY, CKA_KEY_TYPE => ck::CKK_DH,
                CKA_PRIME => &prime[..], CKA_BASE => &[2], CKA_VALUE => value,
            };
            session.create(&key).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        }
        pair(&session, &less).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        pair(&session, &[0xff; 2048]).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        for base in [&[][..], &[0], &[1], &less] {
            let public = template! { CKA_PRIME => &prime[..], CKA_BASE => base };
            let how = plain(ck::CKM_DH_PKCS_KEY_PAIR_GEN);
            let made = session.generate_pair(&how, &public, &template! {});
            made.refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        }
    });
}

#[test]
fn a_public_value_comes_back_as_it_was_made() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (prime, theirs) = peer(&bench.openssl(), "ffdhe2048");
        let public = template! {
            CKA_CLASS => ck::CKO_PUBLIC_KEY, CKA_KEY_TYPE => ck::CKK_DH,
            CKA_PRIME => &prime[..], CKA_BASE => &[2], CKA_VALUE => &theirs[..],
        };
        let public = session.create(&public).unwrap();
        session.has(public, ck::CKA_VALUE, &theirs);
        let info = session.get(public, ck::CKA_PUBLIC_KEY_INFO).unwrap();
        assert_eq!(integers(&info), [prime, vec![2], theirs]);
    });
}

#[test]
fn short_primes_are_for_those_who_ask_for_what_is_outlived() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let prime = crate::support::known::hex(OAKLEY_2);
        pair(&session, &prime).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        let info = token.module.mechanism_info(token.slot, ck::CKM_DH_PKCS_DERIVE).unwrap();
        assert_eq!((info.ulMinKeySize, info.ulMaxKeySize), (2048, 8192));
    });
}

#[test]
fn with_the_legacy_switch_a_prime_of_1024_bits_serves() {
    isolated(|bench| {
        bench.configure("[mechanisms]\nlegacy = true\n");
        let token = bench.token();
        let session = token.user();
        let prime = crate::support::known::hex(OAKLEY_2);
        let [ours, theirs] = [(); 2].map(|()| pair(&session, &prime).unwrap());
        let derived = [(ours.1, theirs.0), (theirs.1, ours.0)].map(|(own, peer)| {
            let value = session.get(peer, ck::CKA_VALUE).unwrap();
            let how = with_bytes(ck::CKM_DH_PKCS_DERIVE, &value);
            let key = session.derive(&how, own, &readable(32)).unwrap();
            session.get(key, ck::CKA_VALUE).unwrap()
        });
        assert_eq!(derived[0], derived[1]);
    });
}
