//! Keys: the secret of an encrypted domain or volume, and who gives them out.

use std::{fmt, sync::Arc};

use aws_lc_rs::hkdf;
use zeroize::Zeroizing;

use crate::types::DomainId;

/// Length in bytes of a data key, and of everything derived from one unless it says otherwise.
pub const KEY_LEN: usize = 32;

/// A data key: 32 bytes that encrypt nothing themselves; what does is derived from them (HKDF with
/// SHA-256, RFC 5869, without salt), one key for each purpose. Overwritten when the last clone goes.
#[derive(Clone)]
pub struct DataKey(Arc<Zeroizing<[u8; KEY_LEN]>>);

impl DataKey {
    /// A key of these bytes, which have to be random.
    pub fn new(bytes: Zeroizing<[u8; KEY_LEN]>) -> Self {
        Self(Arc::new(bytes))
    }

    /// A key for one purpose. The parts of `purpose` are put one after the other, so all but the
    /// last have to be of fixed length, or unlike.
    #[allow(clippy::missing_panics_doc)] // The length is a constant that HKDF allows.
    pub fn derive<const N: usize>(&self, purpose: &[&[u8]]) -> Zeroizing<[u8; N]> {
        struct Length(usize);
        impl hkdf::KeyType for Length {
            fn len(&self) -> usize {
                self.0
            }
        }
        let mut out = Zeroizing::new([0; N]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, &[])
            .extract(&**self.0)
            .expand(purpose, Length(N))
            .and_then(|derived| derived.fill(&mut *out))
            .expect("HKDF-SHA256 derives up to 8160 bytes");
        out
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(secret)")
    }
}

/// How the blobs of a domain are kept.
#[derive(Clone, Debug)]
pub enum Secrecy {
    /// As they are.
    Plain,
    /// Under this key.
    Sealed(DataKey),
    /// Under a key that is gone for good: nobody will ever read them, and nobody holds them.
    Erased,
}

/// Where the block store gets the keys of domains from. Asked often; calls may wait for a disk.
pub trait Keyring: fmt::Debug + Send + Sync {
    /// How the blobs of a domain are kept. A domain is plain or not from its beginning to its end.
    fn secrecy(&self, domain: DomainId) -> Result<Secrecy, KeyError>;
    /// Random bytes that go into the key of a new pack, so that no two packs share one even if a
    /// number were given out twice.
    fn salt(&self) -> [u8; 16];
}

/// A keyring for a store in which every domain is plain.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoKeys;

impl Keyring for NoKeys {
    fn secrecy(&self, _: DomainId) -> Result<Secrecy, KeyError> {
        Ok(Secrecy::Plain)
    }

    fn salt(&self) -> [u8; 16] {
        [0; 16]
    }
}

/// A key is there, but cannot be had now.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the key of domain {}: {reason}", domain.0)]
pub struct KeyError {
    /// The domain.
    pub domain: DomainId,
    /// Why not.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_purpose_has_a_key_of_its_own() {
        let key = DataKey::new(Zeroizing::new([7; 32]));
        let one: Zeroizing<[u8; 32]> = key.derive(&[b"one"]);
        assert_eq!(one, key.derive(&[b"one"]));
        assert_ne!(one, key.derive(&[b"two"]));
        assert_ne!(one, DataKey::new(Zeroizing::new([8; 32])).derive(&[b"one"]));
        assert_eq!(format!("{key:?}"), "DataKey(secret)");
    }
}
