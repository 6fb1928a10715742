//! Ciphertexts that clients of KMS keep.
//!
//! ```text
//! version 1 | id of the key (16 bytes) | nonce (12) | ciphertext | tag (16)
//! ```
//!
//! AES-256-GCM-SIV (RFC 8452) under a key that is derived (HKDF-SHA-256) from the secret of the one that
//! the id names, for this purpose alone: a ciphertext is never mistaken for a wrapped data key of a domain or
//! a volume, nor one of these for it. Associated data: a text that names this format, version and id, and the
//! encryption context, sorted by its keys, each text with its length before it.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use cairn_blocks::DataKey;
use cairn_model::{EncryptionContext, Entropy, KmsKeyId};
use zeroize::Zeroizing;

use super::vault::Secret;

/// The longest plaintext, in bytes.
pub(crate) const PLAINTEXT_MAX: usize = 4096;
const VERSION: u8 = 1;
const HEADER_LEN: usize = 1 + 16;
const TAG_LEN: usize = 16;
const PURPOSE: &[u8] = b"cairn ciphertexts of kms";
/// The shortest and the longest ciphertext.
const LENGTHS: std::ops::RangeInclusive<usize> =
    HEADER_LEN + NONCE_LEN + TAG_LEN + 1..=HEADER_LEN + NONCE_LEN + TAG_LEN + PLAINTEXT_MAX;

/// A ciphertext that has the form of one. Whether it is one is known when it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ciphertext {
    /// The key that it is under.
    pub(crate) key: KmsKeyId,
    nonce: [u8; NONCE_LEN],
    sealed: Vec<u8>,
}

impl Ciphertext {
    /// Reads one; none if it does not have the form.
    pub(crate) fn read(blob: &[u8]) -> Option<Self> {
        if !LENGTHS.contains(&blob.len()) {
            return None;
        }
        let ([VERSION], rest) = blob.split_first_chunk::<1>()? else {
            return None;
        };
        let (key, rest) = rest.split_first_chunk::<16>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        Some(Self {
            key: KmsKeyId::of_bytes(key),
            nonce: *nonce,
            sealed: sealed.to_vec(),
        })
    }

    /// Its bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let id = self.key.to_bytes();
        [&[VERSION][..], &id, &self.nonce, &self.sealed].concat()
    }

    /// Encrypts. None where the library refuses, which it does not for these lengths.
    pub(crate) fn seal(
        secret: &Secret,
        key: &KmsKeyId,
        context: &EncryptionContext,
        plaintext: &[u8],
        entropy: &dyn Entropy,
    ) -> Option<Self> {
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce);
        let mut sealed = Zeroizing::new(plaintext.to_vec());
        let tag = cipher(secret)?
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(associated(key, context)),
                &mut sealed,
            )
            .ok()?;
        Some(Self {
            key: key.clone(),
            nonce,
            sealed: [&sealed, tag.as_ref()].concat(),
        })
    }

    /// Decrypts; none if it is not one of this key and context, or was changed.
    pub(crate) fn open(
        &self,
        secret: &Secret,
        context: &EncryptionContext,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let mut bytes = Zeroizing::new(self.sealed.clone());
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        let aad = Aad::from(associated(&self.key, context));
        let length = cipher(secret)?
            .open_in_place(nonce, aad, &mut bytes)
            .ok()?
            .len();
        bytes.truncate(length);
        Some(bytes)
    }
}

fn cipher(secret: &Secret) -> Option<LessSafeKey> {
    let key = DataKey::new(secret.clone()).derive::<32>(&[PURPOSE]);
    UnboundKey::new(&AES_256_GCM_SIV, &*key)
        .ok()
        .map(LessSafeKey::new)
}

fn associated(key: &KmsKeyId, context: &EncryptionContext) -> Vec<u8> {
    let mut bytes = [b"cairn ciphertext of kms", &[VERSION][..], &key.to_bytes()].concat();
    for text in context.iter().flat_map(|(key, value)| [key, value]) {
        bytes.extend_from_slice(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::*;

    #[derive(Debug, Default)]
    struct Counting(AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
        }
    }

    fn context(entries: &[(&str, &str)]) -> EncryptionContext {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        entries.iter().map(own).collect()
    }

    fn sealed(plaintext: &[u8], context: &EncryptionContext) -> (Secret, Ciphertext) {
        let entropy = Counting::default();
        let (secret, key) = (Secret::new([7; 32]), KmsKeyId::of_bytes(&[9; 16]));
        let sealed = Ciphertext::seal(&secret, &key, context, plaintext, &entropy).unwrap();
        (secret, sealed)
    }

    #[test]
    fn what_was_sealed_is_opened_with_its_context_alone() {
        let bound = context(&[("a", "1"), ("b", "2")]);
        for length in [1, 32, PLAINTEXT_MAX] {
            let plaintext = vec![3; length];
            let (secret, sealed) = sealed(&plaintext, &bound);
            let read = Ciphertext::read(&sealed.to_bytes()).unwrap();
            assert_eq!(read, sealed);
            assert_eq!(*read.open(&secret, &bound).unwrap(), plaintext);
            for other in [
                context(&[]),
                context(&[("a", "1")]),
                context(&[("a", "1b"), ("", "2")]),
                context(&[("a", "2"), ("b", "1")]),
            ] {
                assert_eq!(read.open(&secret, &other), None, "{other:?}");
            }
            assert_eq!(read.open(&Secret::new([8; 32]), &bound), None);
        }
    }

    #[test]
    fn what_was_changed_is_not_opened() {
        let none = context(&[]);
        let (secret, sealed) = sealed(b"plain", &none);
        let whole = sealed.to_bytes();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x20;
            let opened = Ciphertext::read(&changed).and_then(|read| read.open(&secret, &none));
            assert_eq!(opened, None, "{at}");
        }
        let short = HEADER_LEN + NONCE_LEN + TAG_LEN;
        assert_eq!(Ciphertext::read(&whole[..short]), None);
        assert_eq!(
            Ciphertext::read(&[&whole[..], &[0; PLAINTEXT_MAX]].concat()),
            None
        );
    }

    /// The purposes are apart: neither stands in for the other.
    #[test]
    fn a_wrapped_data_key_is_no_ciphertext() {
        let entropy = Counting::default();
        let (secret, none) = (Secret::new([7; 32]), context(&[]));
        let inner = Secret::new([1; 32]);
        let purpose = "cairn data key of domain 1";
        let wrapped = super::super::vault::wrap(&secret, purpose, &inner, &entropy).unwrap();
        let (_, mut forged) = sealed(&[0; 32], &none);
        forged.nonce.copy_from_slice(&wrapped[..NONCE_LEN]);
        forged.sealed = wrapped[NONCE_LEN..].to_vec();
        assert_eq!(forged.open(&secret, &none), None);
        let (_, real) = sealed(&*inner, &none);
        let as_wrapped = [&real.nonce[..], &real.sealed].concat();
        assert_eq!(
            super::super::vault::unwrap(&secret, purpose, &as_wrapped),
            None
        );
    }
}
