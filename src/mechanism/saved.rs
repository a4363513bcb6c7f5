//! Saved operations as bytes: what C_GetOperationState seals. Numbers are little endian, bytes have
//! their length before them. PKCS#11 3.2, "C_GetOperationState".
//!
//! A cipher is saved as the parameter and the input with which a new one goes on as it would.

use zeroize::Zeroizing;

use super::params::MechanismParams;
use crate::error::Result;
use crate::secret::Secret;

/// One operation.
#[derive(Debug)]
pub(crate) struct Saved {
    /// Which one, as `provider` counts them.
    pub(crate) kind: u8,
    pub(crate) mechanism: u64,
    pub(crate) params: MechanismParams,
    /// The unique id of the key, if there is one.
    pub(crate) key: Vec<u8>,
    /// Whether parts were taken.
    pub(crate) streaming: bool,
    /// Bytes of input so far.
    pub(crate) input: u64,
    /// The state of the hash over the input that the record will hold.
    pub(crate) hash: Option<Secret>,
    /// The state of the mechanism's own work; none if no part was taken.
    pub(crate) state: Option<Secret>,
}

/// The most operations in a state: one of a kind.
const MOST: u8 = 5;

/// All operations of a session.
pub(crate) fn to_bytes(all: &[Saved]) -> Option<Zeroizing<Vec<u8>>> {
    let secrets = |one: &Saved| {
        one.hash.as_ref().map_or(0, Secret::len) + one.state.as_ref().map_or(0, Secret::len)
    };
    let len = all.iter().map(|one| 512 + one.key.len() + secrets(one)).sum();
    // Long enough from the start: what it outgrew would not be wiped.
    let mut out = Zeroizing::new(Vec::with_capacity(len));
    out.push(u8::try_from(all.len()).ok()?);
    for one in all {
        out.push(one.kind);
        number(&mut out, one.mechanism);
        params_to(&mut out, &one.params)?;
        bytes_to(&mut out, &one.key);
        out.push(u8::from(one.streaming));
        number(&mut out, one.input);
        for secret in [&one.hash, &one.state] {
            out.push(u8::from(secret.is_some()));
            if let Some(secret) = secret {
                secret.expose(|bytes| bytes_to(&mut out, bytes));
            }
        }
    }
    Some(out)
}

fn number(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn bytes_to(out: &mut Vec<u8>, bytes: &[u8]) {
    number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// None for a parameter of mechanisms whose operations are not saved.
fn params_to(out: &mut Vec<u8>, params: &MechanismParams) -> Option<()> {
    match params {
        MechanismParams::None => out.push(0),
        MechanismParams::Iv(iv) => {
            out.push(1);
            bytes_to(out, iv);
        }
        MechanismParams::Ctr { bits, block } => {
            out.push(2);
            number(out, *bits);
            bytes_to(out, block);
        }
        MechanismParams::MacLength(len) => {
            out.push(3);
            number(out, *len);
        }
        MechanismParams::Pss { hash, mgf, salt_len } => {
            out.push(4);
            [*hash, *mgf, *salt_len].iter().for_each(|value| number(out, *value));
        }
        MechanismParams::Eddsa { prehash, context } => {
            out.push(5);
            out.push(u8::from(*prehash));
            bytes_to(out, context);
        }
        _ => return None,
    }
    Some(())
}

/// What `to_bytes` wrote; `None` for anything else.
///
/// # Errors
/// No memory.
pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Option<Vec<Saved>>> {
    let mut reader = Reader(bytes);
    let Some(count) = reader.byte().filter(|count| *count <= MOST) else { return Ok(None) };
    let mut all = Vec::new();
    for _ in 0..count {
        let Some(one) = reader.operation()? else { return Ok(None) };
        all.push(one);
    }
    Ok(reader.0.is_empty().then_some(all))
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, len: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_le_bytes)
    }

    fn bytes(&mut self) -> Option<&'b [u8]> {
        let len = usize::try_from(self.number()?).ok()?;
        self.take(len)
    }

    /// A secret that may be missing; the outer `None` is what is none at all.
    fn secret(&mut self) -> Result<Option<Option<Secret>>> {
        match self.flag() {
            None => Ok(None),
            Some(false) => Ok(Some(None)),
            Some(true) => match self.bytes() {
                None => Ok(None),
                Some(bytes) => Ok(Some(Some(Secret::copy_of(bytes)?))),
            },
        }
    }

    fn params(&mut self) -> Option<MechanismParams> {
        Some(match self.byte()? {
            0 => MechanismParams::None,
            1 => MechanismParams::Iv(self.bytes()?.to_vec()),
            2 => {
                MechanismParams::Ctr { bits: self.number()?, block: self.bytes()?.try_into().ok()? }
            }
            3 => MechanismParams::MacLength(self.number()?),
            4 => MechanismParams::Pss {
                hash: self.number()?,
                mgf: self.number()?,
                salt_len: self.number()?,
            },
            5 => MechanismParams::Eddsa { prehash: self.flag()?, context: self.bytes()?.to_vec() },
            _ => return None,
        })
    }

    fn operation(&mut self) -> Result<Option<Saved>> {
        let read = |reader: &mut Self| {
            let (kind, mechanism) = (reader.byte()?, reader.number()?);
            let (params, key) = (reader.params()?, reader.bytes()?.to_vec());
            let (streaming, input) = (reader.flag()?, reader.number()?);
            let (hash, state) = (None, None);
            Some(Saved { kind, mechanism, params, key, streaming, input, hash, state })
        };
        let Some(one) = read(self) else { return Ok(None) };
        let Some(hash) = self.secret()? else { return Ok(None) };
        let Some(state) = self.secret()? else { return Ok(None) };
        Ok(Some(Saved { hash, state, ..one }))
    }
}

#[cfg(test)]
mod tests {
    use super::{Saved, from_bytes, to_bytes};
    use crate::mechanism::params::MechanismParams;
    use crate::secret::Secret;

    fn saved(params: MechanismParams) -> Saved {
        Saved {
            kind: 3,
            mechanism: 0x1082,
            params,
            key: b"unique id".to_vec(),
            streaming: true,
            input: 77,
            hash: None,
            state: Some(Secret::copy_of(b"state").unwrap()),
        }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let params = [
            MechanismParams::None,
            MechanismParams::Iv(vec![1; 16]),
            MechanismParams::Ctr { bits: 32, block: [2; 16] },
            MechanismParams::MacLength(9),
            MechanismParams::Pss { hash: 1, mgf: 2, salt_len: 3 },
            MechanismParams::Eddsa { prehash: true, context: b"context".to_vec() },
        ];
        for params in params {
            let bytes = to_bytes(&[saved(params.clone()), saved(params.clone())]).unwrap();
            let read = from_bytes(&bytes).unwrap().expect("two operations");
            assert_eq!(read.len(), 2);
            assert_eq!((&read[1].params, &read[1].key), (&params, &b"unique id".to_vec()));
            assert_eq!((read[1].streaming, read[1].input, read[1].kind), (true, 77, 3));
            assert!(read[1].state.as_ref().unwrap().expose(|state| state == b"state"));
            for len in 0..bytes.len() {
                assert!(from_bytes(&bytes[..len]).unwrap().is_none(), "{len} bytes");
            }
            assert!(from_bytes(&[&bytes, [0].as_slice()].concat()).unwrap().is_none());
        }
        let not_saved = MechanismParams::Gcm { iv: vec![1], aad: vec![], tag_bits: 128 };
        assert!(to_bytes(&[saved(not_saved)]).is_none());
    }
}
