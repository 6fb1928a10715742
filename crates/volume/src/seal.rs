//! The keys of a sealed volume, and what they do to journal and checkpoints.
//!
//! All of them are derived from the volume's data key, one for each purpose; records have another
//! key in each incarnation. Both journal and checkpoints are sealed with AES-256-GCM-SIV (RFC 8452).
//! Nonces are not used twice (see [`RecordKey::seal`]); but whoever copies a volume's files, and goes
//! on with the copy and the original, repeats them, and no counter on the disk can know. With this
//! mode that shows which records are equal, and nothing else.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use cairn_blocks::DataKey;
use cairn_xts::Xts;

use crate::error::Error;

/// Length of what sealing adds to the sealed bytes.
pub(crate) const TAG: usize = 16;
/// Length of what a checkpoint shows of the key.
pub(crate) const CHECK: usize = 16;

/// The keys of a volume.
#[derive(Clone, Debug)]
pub(crate) struct Keys(DataKey);

impl Keys {
    pub(crate) fn new(key: DataKey) -> Self {
        Self(key)
    }

    /// For the sectors of `data`.
    pub(crate) fn data(&self) -> Result<Xts, Error> {
        let key = self.0.derive(&[b"cairn volume data xts"]);
        Xts::new(&key).map_err(|_| Error::Invalid("the key gives no key for the data file"))
    }

    /// For the records of one opening of the volume.
    pub(crate) fn records(&self, incarnation: u64) -> RecordKey {
        RecordKey(self.sealing(&[b"cairn volume journal", &incarnation.to_le_bytes()]))
    }

    /// For checkpoints.
    pub(crate) fn checkpoints(&self) -> CheckpointKey {
        CheckpointKey(self.sealing(&[b"cairn volume checkpoint"]))
    }

    /// Tells this key from others, and says nothing about it.
    pub(crate) fn check(&self) -> [u8; CHECK] {
        *self.0.derive(&[b"cairn volume key check"])
    }

    #[allow(clippy::expect_used)]
    fn sealing(&self, purpose: &[&[u8]]) -> LessSafeKey {
        let key = self.0.derive::<32>(purpose);
        let key = UnboundKey::new(&AES_256_GCM_SIV, &*key);
        LessSafeKey::new(key.expect("a key of 32 bytes is one for AES-256"))
    }
}

/// Why bytes were not sealed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TooLong;

/// Seals records.
pub(crate) struct RecordKey(LessSafeKey);

impl fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordKey(secret)")
    }
}

impl RecordKey {
    /// Encrypts the body of a record in place; returns its tag, which also covers `header`.
    ///
    /// The nonce is the LSN and which attempt it is to append a record there. An append that failed
    /// may have left any part of its bytes on the disk, and the next one goes to the same LSN.
    pub(crate) fn seal(
        &self,
        lsn: u64,
        attempt: u32,
        header: &[u8],
        body: &mut [u8],
    ) -> Result<[u8; TAG], TooLong> {
        let nonce = record_nonce(lsn, attempt);
        seal(&self.0, nonce, header, body)
    }

    /// Decrypts a body, followed by its tag, in place; `None` if the tag does not fit.
    pub(crate) fn open<'a>(
        &self,
        lsn: u64,
        attempt: u32,
        header: &[u8],
        body: &'a mut [u8],
    ) -> Option<&'a mut [u8]> {
        let nonce = record_nonce(lsn, attempt);
        self.0.open_in_place(nonce, Aad::from(header), body).ok()
    }
}

fn record_nonce(lsn: u64, attempt: u32) -> Nonce {
    let mut nonce = [0; 12];
    nonce[..8].copy_from_slice(&lsn.to_le_bytes());
    nonce[8..].copy_from_slice(&attempt.to_le_bytes());
    Nonce::assume_unique_for_key(nonce)
}

/// Seals checkpoints. The nonce is the sequence, which a checkpoint shares with those of its
/// attempts that failed or were cut off: this mode allows that.
pub(crate) struct CheckpointKey(LessSafeKey);

impl CheckpointKey {
    /// Encrypts a checkpoint's body in place; returns its tag, which also covers `header`.
    pub(crate) fn seal(
        &self,
        sequence: u64,
        header: &[u8],
        body: &mut [u8],
    ) -> Result<[u8; TAG], TooLong> {
        seal(&self.0, checkpoint_nonce(sequence), header, body)
    }

    /// Decrypts a body, followed by its tag, in place; `None` if the tag does not fit.
    pub(crate) fn open<'a>(
        &self,
        sequence: u64,
        header: &[u8],
        body: &'a mut [u8],
    ) -> Option<&'a mut [u8]> {
        let nonce = checkpoint_nonce(sequence);
        self.0.open_in_place(nonce, Aad::from(header), body).ok()
    }
}

fn checkpoint_nonce(sequence: u64) -> Nonce {
    record_nonce(sequence, 0)
}

fn seal(
    key: &LessSafeKey,
    nonce: Nonce,
    header: &[u8],
    body: &mut [u8],
) -> Result<[u8; TAG], TooLong> {
    let tag = key
        .seal_in_place_separate_tag(nonce, Aad::from(header), body)
        .map_err(|_| TooLong)?;
    tag.as_ref().try_into().map_err(|_| TooLong)
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn keys(byte: u8) -> Keys {
        Keys::new(DataKey::new(Zeroizing::new([byte; 32])))
    }

    #[test]
    fn what_is_sealed_opens_with_the_same_key_nonce_and_header_alone() {
        let key = keys(1).records(5);
        let mut sealed = b"the body of a record".to_vec();
        let tag = key.seal(64, 2, b"header", &mut sealed).unwrap();
        sealed.extend_from_slice(&tag);
        let opens = |key: &RecordKey, lsn, attempt, header: &[u8]| {
            let mut bytes = sealed.clone();
            key.open(lsn, attempt, header, &mut bytes)
                .is_some_and(|body| body == b"the body of a record")
        };
        assert!(opens(&key, 64, 2, b"header"));
        assert!(!opens(&key, 72, 2, b"header"));
        assert!(!opens(&key, 64, 3, b"header"));
        assert!(!opens(&key, 64, 2, b"heades"));
        assert!(!opens(&keys(1).records(6), 64, 2, b"header"));
        assert!(!opens(&keys(2).records(5), 64, 2, b"header"));
    }

    #[test]
    fn a_key_is_told_by_its_check() {
        assert_eq!(keys(1).check(), keys(1).check());
        assert_ne!(keys(1).check(), keys(2).check());
        assert_eq!(format!("{:?}", keys(1).records(1)), "RecordKey(secret)");
    }
}
