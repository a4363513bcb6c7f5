//! Tests of birth, reading and change, rule by rule; here, what they are made of.

mod birth;
mod change;
mod reading;
mod value;

use super::{Birth, Class, Context, KeyType, X_509, complete};
use crate::error::{Result, Rv};
use crate::object::attribute::{self, Attr};
use crate::object::template::Template;
use crate::secret::Secret;

const STANDARD: Context = Context::STANDARD;
const DENIED: Context = Context { export_denied: true, ..STANDARD };
const OFFICER: Context = Context { so: true, ..STANDARD };

fn with(mut template: Template, flags: &[(Attr<bool>, bool)]) -> Template {
    for (name, flag) in flags {
        template.set(*name, *flag);
    }
    template
}

fn flags(flags: &[(Attr<bool>, bool)]) -> Template {
    with(Template::default(), flags)
}

fn secret(bytes: &[u8]) -> Secret {
    Secret::copy_of(bytes).expect("memory")
}

fn of_class(class: Class) -> Template {
    let mut template = Template::default();
    template.set(attribute::CLASS, class.code());
    template
}

fn secret_key(key_type: KeyType, value: &[u8]) -> Template {
    let mut template = of_class(Class::SecretKey);
    template.set(attribute::KEY_TYPE, key_type.code());
    template.set(attribute::VALUE, secret(value));
    template
}

fn aes() -> Template {
    secret_key(KeyType::Aes, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 2, 3, 4, 5, 6])
}

/// Modulus of a 512-bit key and a private exponent, as small as an import may be.
fn small_rsa(class: Class) -> Template {
    let mut template = of_class(class);
    template.set(attribute::KEY_TYPE, KeyType::Rsa.code());
    let mut modulus = vec![0xc6; 64];
    modulus[63] = 0x35;
    template.set(attribute::MODULUS, modulus);
    if class == Class::PublicKey {
        template.set(attribute::PUBLIC_EXPONENT, vec![1, 0, 1]);
    } else {
        template.set(attribute::PRIVATE_EXPONENT, secret(&[0x6d; 64]));
    }
    template
}

fn ed25519() -> Template {
    let mut template = of_class(Class::PrivateKey);
    template.set(attribute::KEY_TYPE, KeyType::EcEdwards.code());
    template.set(attribute::EC_PARAMS, vec![6, 3, 0x2b, 0x65, 0x70]);
    template.set(attribute::VALUE, secret(&[7; 32]));
    template
}

fn certificate() -> Template {
    let mut template = of_class(Class::Certificate);
    template.set(attribute::CERTIFICATE_TYPE, X_509);
    template.set(attribute::SUBJECT, b"Test1".to_vec());
    template.set(attribute::VALUE, secret(b"Test2"));
    template
}

fn create(template: Template) -> Result<Template> {
    complete(template, Birth::Create, &STANDARD)
}

fn created(template: Template) -> Template {
    create(template).expect("created")
}

fn refused(outcome: Result<Template>) -> Rv {
    outcome.expect_err("refused").rv
}

fn without<T: attribute::Typed>(mut template: Template, name: Attr<T>) -> Template {
    template.remove(name.id);
    template
}
