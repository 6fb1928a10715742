//! What a server states about a completed snapshot, as bytes to be signed.

use crate::{
    ids::{AccountId, SnapshotId, VolumeId},
    time::Timestamp,
};

/// What the signed bytes begin with, so that they can be mistaken for nothing else that a key signs.
const PREFIX: &[u8] = b"cairn attestation v1\0";

/// A statement: this snapshot, of this volume, of this account, completed at this time, has this
/// content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The snapshot digest: it covers content and size.
    pub digest: [u8; 32],
    /// Size of the volume in bytes.
    pub size_bytes: u64,
    /// The snapshot.
    pub snapshot_id: SnapshotId,
    /// The volume it was taken of.
    pub volume_id: VolumeId,
    /// Its owner.
    pub account: AccountId,
    /// When it was completed.
    pub completion_time: Timestamp,
}

impl Statement {
    /// The bytes that are signed. Two statements that differ in anything have different bytes:
    ///
    /// ```text
    /// 21  "cairn attestation v1\0"
    /// 32  snapshot digest
    ///  8  size of the volume in bytes, little endian
    ///  8  time of completion, microseconds since the Unix epoch, little endian, signed
    ///  1  length of the snapshot's id, then the id
    ///  1  length of the volume's id, then the id
    ///  1  length of the account's number, then the number
    /// ```
    pub fn message(&self) -> Vec<u8> {
        let mut bytes = PREFIX.to_vec();
        bytes.extend_from_slice(&self.digest);
        bytes.extend_from_slice(&self.size_bytes.to_le_bytes());
        bytes.extend_from_slice(&self.completion_time.0.to_le_bytes());
        let texts = [
            self.snapshot_id.as_str(),
            self.volume_id.as_str(),
            self.account.as_str(),
        ];
        for text in texts {
            // Ids are far shorter: a prefix and 17 digits at most.
            bytes.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement() -> Statement {
        Statement {
            digest: [7; 32],
            size_bytes: 1 << 30,
            snapshot_id: "snap-0123456789abcdef0".parse().unwrap(),
            volume_id: "vol-ffffffff".parse().unwrap(),
            account: "123456789012".parse().unwrap(),
            completion_time: Timestamp(1_795_392_000_000_000),
        }
    }

    /// Signatures that were given out depend on these bytes.
    #[test]
    fn the_signed_bytes_are_the_ones_described() {
        let expected = [
            b"cairn attestation v1\0".as_slice(),
            &[7; 32],
            &[0, 0, 0, 0x40, 0, 0, 0, 0],
            &[0x00, 0x80, 0x64, 0x46, 0xe6, 0x60, 0x06, 0x00],
            b"\x16snap-0123456789abcdef0\x0cvol-ffffffff\x0c123456789012",
        ]
        .concat();
        assert_eq!(statement().message(), expected);
    }

    #[test]
    fn every_field_is_part_of_the_signed_bytes() {
        let same = statement();
        let others = [
            Statement {
                digest: [8; 32],
                ..same.clone()
            },
            Statement {
                size_bytes: 2 << 30,
                ..same.clone()
            },
            Statement {
                snapshot_id: "snap-0123456789abcdef1".parse().unwrap(),
                ..same.clone()
            },
            Statement {
                volume_id: "vol-fffffffe".parse().unwrap(),
                ..same.clone()
            },
            Statement {
                account: "123456789013".parse().unwrap(),
                ..same.clone()
            },
            Statement {
                completion_time: Timestamp(1_795_392_001_000_000),
                ..same.clone()
            },
        ];
        for other in others {
            assert_ne!(other.message(), same.message(), "{other:?}");
        }
    }
}
