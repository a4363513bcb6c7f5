//! What is measured: one row per workload, each a pair of C_...Init and the operation, as a caller
//! would make them. Keys are looked up before the clock starts.

use super::attributes::{Attributes, Mechanism};
use super::module::{Module, Outcome, Session};
use super::objects::{self, Life};
use super::scratch::USER_PIN;
use cryptoki_sys::{
    CK_MECHANISM_TYPE, CKA_CLASS, CKA_EC_POINT, CKA_EXTRACTABLE, CKA_KEY_TYPE, CKA_SENSITIVE,
    CKA_TOKEN, CKA_VALUE_LEN, CKK_GENERIC_SECRET, CKM_AES_CMAC, CKM_ECDSA, CKM_EDDSA, CKM_RSA_PKCS,
    CKM_SHA3_256, CKM_SHA256, CKM_SHA256_HMAC, CKM_SHA512, CKO_SECRET_KEY, CKU_USER,
};

pub(crate) type Operation<'m> = Box<dyn FnMut() -> Outcome<()> + 'm>;
pub(crate) type Prepare = for<'m> fn(&'m Module, Session<'m>) -> Outcome<Operation<'m>>;

pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) prepare: Prepare,
    /// How many times the usual time it needs for a steady figure.
    pub(crate) weight: u32,
    pub(crate) threads: usize,
}

const fn row(name: &'static str, prepare: Prepare) -> Workload {
    Workload { name, prepare, weight: 1, threads: 1 }
}

const fn long(name: &'static str, prepare: Prepare) -> Workload {
    Workload { name, prepare, weight: 8, threads: 1 }
}

const fn threads(name: &'static str, threads: usize, prepare: Prepare) -> Workload {
    Workload { name, prepare, weight: 2, threads }
}

pub(crate) static WORKLOADS: &[Workload] = &[
    row("C_OpenSession + C_CloseSession", open_close),
    row("C_Logout + C_Login", login),
    row("random, 32 B", random),
    row("SHA-256, 64 B", |_, session| digest(session, CKM_SHA256, 64)),
    row("SHA-256, 16 KiB", |_, session| digest(session, CKM_SHA256, 16 * 1024)),
    row("SHA-512, 16 KiB", |_, session| digest(session, CKM_SHA512, 16 * 1024)),
    row("SHA3-256, 16 KiB", |_, session| digest(session, CKM_SHA3_256, 16 * 1024)),
    row("HMAC-SHA-256, 64 B", hmac),
    row("AES-256-CMAC, 64 B", cmac),
    row("AES-256-CBC encrypt, 64 B", |_, session| encrypt(session, Mechanism::cbc(), 64)),
    row("AES-256-CBC encrypt, 16 KiB", |_, session| encrypt(session, Mechanism::cbc(), 16 * 1024)),
    row("AES-256-GCM encrypt, 64 B", gcm_64),
    row("AES-256-GCM encrypt, 16 KiB", |_, session| encrypt(session, Mechanism::gcm(), 16 * 1024)),
    row("AES-256-GCM encrypt, 1 MiB", |_, session| encrypt(session, Mechanism::gcm(), 1 << 20)),
    row("AES-256-GCM decrypt, 16 KiB", |_, session| decrypt_gcm(session, 16 * 1024)),
    row("RSA-2048 PKCS #1 sign", |_, session| rsa_sign(session, || Mechanism::plain(CKM_RSA_PKCS))),
    row("RSA-2048 PKCS #1 verify", rsa_verify),
    row("RSA-2048 PSS sign", |_, session| rsa_sign(session, Mechanism::pss)),
    row("RSA-2048 OAEP decrypt", rsa_decrypt),
    row("ECDSA P-256 sign", ecdsa_p256),
    row("ECDSA P-256 verify", |_, session| ec_verify(session, "p256", CKM_ECDSA)),
    row("ECDSA P-384 sign", |_, session| ec_sign(session, "p384", CKM_ECDSA)),
    row("ECDSA P-384 verify", |_, session| ec_verify(session, "p384", CKM_ECDSA)),
    row("ECDSA P-521 sign", |_, session| ec_sign(session, "p521", CKM_ECDSA)),
    row("ECDSA P-521 verify", |_, session| ec_verify(session, "p521", CKM_ECDSA)),
    row("Ed25519 sign", |_, session| ec_sign(session, "ed25519", CKM_EDDSA)),
    row("Ed25519 verify", |_, session| ec_verify(session, "ed25519", CKM_EDDSA)),
    row("ECDH P-256 derive", ecdh),
    row("generate AES-256, session", |_, session| generate_aes(session, Life::Session)),
    row("generate P-256, session", |_, session| generate_ec(session, Life::Session)),
    long("generate RSA-2048, session", |_, session| generate_rsa(session, Life::Session)),
    row("generate AES-256, token, and destroy", |_, session| generate_aes(session, Life::Token)),
    row("generate P-256, token, and destroy", |_, session| generate_ec(session, Life::Token)),
    long("generate RSA-2048, token, and destroy", |_, session| generate_rsa(session, Life::Token)),
    row("create and destroy a token object", create_destroy),
    threads("ECDSA P-256 sign, 1 thread", 1, ecdsa_p256),
    threads("ECDSA P-256 sign, 2 threads", 2, ecdsa_p256),
    threads("ECDSA P-256 sign, 4 threads", 4, ecdsa_p256),
    threads("ECDSA P-256 sign, 8 threads", 8, ecdsa_p256),
    threads("AES-256-GCM encrypt 64 B, 1 thread", 1, gcm_64),
    threads("AES-256-GCM encrypt 64 B, 2 threads", 2, gcm_64),
    threads("AES-256-GCM encrypt 64 B, 4 threads", 4, gcm_64),
    threads("AES-256-GCM encrypt 64 B, 8 threads", 8, gcm_64),
];

fn open_close<'m>(module: &'m Module, _: Session<'m>) -> Outcome<Operation<'m>> {
    let slot = super::scratch::slot(module)?;
    Ok(Box::new(move || module.open(slot)?.close()))
}

fn login<'m>(_: &'m Module, session: Session<'m>) -> Outcome<Operation<'m>> {
    Ok(Box::new(move || {
        session.logout()?;
        session.login(CKU_USER, USER_PIN)
    }))
}

fn random<'m>(_: &'m Module, session: Session<'m>) -> Outcome<Operation<'m>> {
    let mut room = [0; 32];
    Ok(Box::new(move || session.random(&mut room)))
}

fn digest(session: Session<'_>, hash: CK_MECHANISM_TYPE, len: usize) -> Outcome<Operation<'_>> {
    let (mut mechanism, data, mut room) = (Mechanism::plain(hash), vec![0x5a; len], [0; 64]);
    Ok(Box::new(move || session.digest(&mut mechanism, &data, &mut room).map(drop)))
}

fn hmac<'m>(_: &'m Module, session: Session<'m>) -> Outcome<Operation<'m>> {
    let key = objects::secret(&session, "mac")?;
    let (mut mechanism, mut room) = (Mechanism::plain(CKM_SHA256_HMAC), [0; 64]);
    Ok(Box::new(move || session.sign(&mut mechanism, key, &[0x5a; 64], &mut room).map(drop)))
}

fn cmac<'m>(_: &'m Module, session: Session<'m>) -> Outcome<Operation<'m>> {
    let key = objects::secret(&session, "aes")?;
    let (mut mechanism, mut room) = (Mechanism::plain(CKM_AES_CMAC), [0; 16]);
    Ok(Box::new(move || session.sign(&mut mechanism, key, &[0x5a; 64], &mut room).map(drop)))
}

fn encrypt(session: Session<'_>, mut mechanism: Mechanism, len: usize) -> Outcome<Operation<'_>> {
    let key = objects::secret(&session, "aes")?;
    let (data, mut room) = (vec![0x5a; len], vec![0; len + 16]);
    Ok(Box::new(move || {
        mechanism.next_iv();
        session.encrypt(&mut mechanism, key, &data, &mut room).map(drop)
    }))
}

fn gcm_64<'m>(_: &'m Module, session: Session<'m>) -> Outcome<Operation<'m>> {
    encrypt(session, Mechanism::gcm(), 64)
}

fn decrypt_gcm(session: Session<'_>, len: usize) -> Outcome<Operation<'_>> {
    let key = objects::secret(&session, "aes")?;
    let (mut mechanism, mut sealed, mut room) =
        (Mechanism::gcm(), vec![0; len + 16], vec![0; len + 16]);
    session.encrypt(&mut mechanism, key, &vec![0x5a; len], &mut sealed)?;
    Ok(Box::new(move || session.decrypt(&mut mechanism, key, &sealed, &mut room).map(drop)))
}

fn rsa_sign(session: Session<'_>, mechanism: fn() -> Mechanism) -> Outcome<Operation<'_>> {
    let key = objects::private(&session, "rsa")?;
    let (mut mechanism, mut room) = (mechanism(), [0; 256]);
    Ok(Box::new(move || session.sign(&mut mechanism, key, &[0x5a; 32], &mut room).map(drop)))
}

fn rsa_verify<'m>(_: &'m Module, session: Session<'m>) -> Outcome<Operation<'m>> {
    let (private, public) = (objects::private(&session, "rsa")?, objects::public(&session, "rsa")?);
    let (mut mechanism, mut signature) = (Mechanism::plain(CKM_RSA_PKCS), [0; 256]);
    session.sign(&mut mechanism, private, &[0x5a; 32], &mut signature)?;
    Ok(Box::new(move || session.verify(&mut mechanism, public, &[0x5a; 32], &signature)))
}

fn rsa_decrypt<'m>(_: &'m Module, session: Session<'m>) -> Outcome<Operation<'m>> {
    let (private, public) = (objects::private(&session, "rsa")?, objects::public(&session, "rsa")?);
    let (mut mechanism, mut sealed, mut room) = (Mechanism::oaep(), [0; 256], [0; 256]);
    session.encrypt(&mut mechanism, public, &[0x5a; 32], &mut sealed)?;
    Ok(Box::new(move || session.decrypt(&mut mechanism, private, &sealed, &mut room).map(drop)))
}

fn ec_sign<'m>(
    session: Session<'m>,
    label: &str,
    mechanism: CK_MECHANISM_TYPE,
) -> Outcome<Operation<'m>> {
    let key = objects::private(&session, label)?;
    let (mut mechanism, mut room) = (Mechanism::plain(mechanism), [0; 132]);
    Ok(Box::new(move || session.sign(&mut mechanism, key, &[0x5a; 32], &mut room).map(drop)))
}

fn ecdsa_p256<'m>(_: &'m Module, session: Session<'m>) -> Outcome<Operation<'m>> {
    ec_sign(session, "p256", CKM_ECDSA)
}

fn ec_verify<'m>(
    session: Session<'m>,
    label: &str,
    mechanism: CK_MECHANISM_TYPE,
) -> Outcome<Operation<'m>> {
    let (private, public) = (objects::private(&session, label)?, objects::public(&session, label)?);
    let (mut mechanism, mut room) = (Mechanism::plain(mechanism), [0; 132]);
    let len = session.sign(&mut mechanism, private, &[0x5a; 32], &mut room)?;
    let signature = room[..len].to_vec();
    Ok(Box::new(move || session.verify(&mut mechanism, public, &[0x5a; 32], &signature)))
}

fn ecdh<'m>(_: &'m Module, session: Session<'m>) -> Outcome<Operation<'m>> {
    let private = objects::private(&session, "p256")?;
    // DER: OCTET STRING, 65 bytes, then the point itself.
    let point = session.attribute(objects::public(&session, "p256")?, CKA_EC_POINT)?;
    let mut mechanism = Mechanism::ecdh(point.get(2..).unwrap_or_default().to_vec());
    let mut template = Attributes::new()
        .number(CKA_CLASS, CKO_SECRET_KEY)
        .number(CKA_KEY_TYPE, CKK_GENERIC_SECRET)
        .number(CKA_VALUE_LEN, 32)
        .flag(CKA_TOKEN, false)
        .flag(CKA_SENSITIVE, false)
        .flag(CKA_EXTRACTABLE, true);
    Ok(Box::new(move || {
        let derived = session.derive(&mut mechanism, private, &mut template)?;
        session.destroy(derived)
    }))
}

fn generate_aes(session: Session<'_>, life: Life) -> Outcome<Operation<'_>> {
    Ok(Box::new(move || session.destroy(objects::make_aes(&session, "short-lived", life)?)))
}

fn generate_ec(session: Session<'_>, life: Life) -> Outcome<Operation<'_>> {
    Ok(Box::new(move || {
        let (public, private) = objects::make_ec(&session, "short-lived", objects::P256, life)?;
        session.destroy(public)?;
        session.destroy(private)
    }))
}

fn generate_rsa(session: Session<'_>, life: Life) -> Outcome<Operation<'_>> {
    Ok(Box::new(move || {
        let (public, private) = objects::make_rsa(&session, "short-lived", life)?;
        session.destroy(public)?;
        session.destroy(private)
    }))
}

fn create_destroy<'m>(_: &'m Module, session: Session<'m>) -> Outcome<Operation<'m>> {
    Ok(Box::new(move || session.destroy(objects::create_numbered(&session, u64::MAX)?)))
}

/// Finds one of `count` objects by its CKA_ID, another one each time, and uses it if `used`.
pub(crate) fn find(session: Session<'_>, count: u64, used: bool) -> Operation<'_> {
    let (mut state, mut mechanism, mut room) = (1_u64, Mechanism::cbc(), [0; 80]);
    Box::new(move || {
        // Knuth's multiplier; the upper half of the product is what varies well.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let found = session.find(&mut objects::numbered((state >> 33) % count))?;
        let [key] = found.as_slice() else {
            return super::module::refuse("one object was to be found");
        };
        if used {
            session.encrypt(&mut mechanism, *key, &[0x5a; 64], &mut room)?;
        }
        Ok(())
    })
}
