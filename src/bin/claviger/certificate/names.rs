//! Names on the command line: subjects as RFC 4514 writes them, and alternative names as openssl
//! does.

use std::net::IpAddr;
use std::str::FromStr;

use x509_cert::der::asn1::Ia5String;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;

/// Who a certificate is for.
#[derive(Clone, Debug)]
pub(super) struct Subject(pub(super) Name);

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = "a subject is written as CN=example.org,O=Example,C=AT (RFC 4514)";
        let name = Name::from_str(text).map_err(|_| wrong.to_owned())?;
        if name.is_empty() { Err(wrong.to_owned()) } else { Ok(Self(name)) }
    }
}

/// One alternative name.
#[derive(Clone, Debug)]
pub(super) struct AlternativeName(pub(super) GeneralName);

impl FromStr for AlternativeName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            "an alternative name is written DNS:example.org, IP:192.0.2.1, email:a@example.org or \
             URI:https://example.org/"
                .to_owned()
        };
        let (kind, value) = text.split_once(':').ok_or_else(wrong)?;
        if value.is_empty() || value.contains(|letter: char| letter.is_ascii_control()) {
            return Err(wrong());
        }
        let ascii = || Ia5String::new(value).map_err(|_| wrong());
        Ok(Self(match kind.to_ascii_lowercase().as_str() {
            "dns" => GeneralName::DnsName(ascii()?),
            "email" => GeneralName::Rfc822Name(ascii()?),
            "uri" => GeneralName::UniformResourceIdentifier(ascii()?),
            "ip" => IpAddr::from_str(value).map_err(|_| wrong())?.into(),
            _ => return Err(wrong()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::{AlternativeName, Subject};

    #[test]
    fn names_are_read_as_they_are_usually_written() {
        for good in ["CN=a", "CN=a,O=b\\, c,C=AT", "OU=x+CN=y", "2.5.4.3=#0c0161"] {
            assert!(good.parse::<Subject>().is_ok(), "{good}");
        }
        for wrong in ["", "a", "XX=b", "CN=a,,"] {
            assert!(wrong.parse::<Subject>().is_err(), "{wrong}");
        }
        for good in ["DNS:a.org", "dns:*.a.org", "IP:::1", "IP:1.2.3.4", "email:a@b", "URI:x:y"] {
            assert!(good.parse::<AlternativeName>().is_ok(), "{good}");
        }
        for wrong in ["", "a.org", "DNS:", "DNS:ü", "IP:1.2.3", "XMPP:a", "DNS:a\nb"] {
            assert!(wrong.parse::<AlternativeName>().is_err(), "{wrong:?}");
        }
    }
}
