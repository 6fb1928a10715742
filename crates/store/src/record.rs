//! Records of completed snapshots, beside the packs that hold their blocks.
//!
//! The database knows which snapshots there are; should it be lost, these files do. A record is
//! durable before its snapshot is shown as completed, and goes when the snapshot is deleted.
//!
//! A file is named by the snapshot's id. All numbers are little endian, the CRC is CRC-32C.
//!
//! ```text
//!  0  8  magic "cairnsnp"
//!  8  2  format version, 1
//! 10  2  zero
//! 12  4  length of the document
//! 16     the document: a `Record` as JSON
//!     4  CRC of everything before
//! ```

use std::{io, path::Path};

use cairn_blocks::disk::{Disk, OpenMode, create_dir_durably};
use cairn_model::{Snapshot, SnapshotId, SnapshotState, Timestamp};
use serde::{Deserialize, Serialize};

const MAGIC: [u8; 8] = *b"cairnsnp";
const VERSION: u16 = 1;
const HEAD_LEN: usize = 16;
const CRC_LEN: usize = 4;

/// The longest record that is read, in bytes. Fifty tags of the greatest length are a tenth of it.
const LEN_MAX: u64 = 1 << 20;

/// What has to be known of a completed snapshot besides its packs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The domain of its blobs.
    pub domain: i64,
    /// The wrapped data key of that domain, hexadecimal, if it is encrypted; the snapshot names the
    /// key that it is wrapped under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_key: Option<String>,
    /// Its owner.
    pub owner: Owner,
    /// The snapshot.
    pub snapshot: Snapshot,
}

/// The account of a snapshot. Access keys are not kept here: a record is no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// What people call it.
    pub name: Option<String>,
    /// Whether it may make other accounts.
    pub operator: bool,
    /// When it was made.
    pub created: Timestamp,
}

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file system failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Its bytes are not what was written, or they are of a later version.
    #[error("{0}")]
    Malformed(String),
}

impl Record {
    /// The bytes of the file.
    ///
    /// # Errors
    /// A record longer than what can be read back.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        let document = serde_json::to_vec(self).map_err(|cause| malformed(&cause))?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 2]);
        let len = u32::try_from(document.len()).map_err(|cause| malformed(&cause))?;
        bytes.extend_from_slice(&len.to_le_bytes());
        bytes.extend_from_slice(&document);
        let crc = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        match bytes.len() as u64 <= LEN_MAX {
            true => Ok(bytes),
            false => Err(malformed(&"it is too long")),
        }
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// Bytes that are anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let (rest, crc) = bytes
            .split_last_chunk::<CRC_LEN>()
            .ok_or_else(|| malformed(&"it is too short"))?;
        let (head, document) = rest
            .split_first_chunk::<HEAD_LEN>()
            .ok_or_else(|| malformed(&"it is too short"))?;
        let said = |holds: bool, otherwise: &'static str| match holds {
            true => Ok(()),
            false => Err(malformed(&otherwise)),
        };
        said(head[..8] == MAGIC, "it does not begin as a record does")?;
        said(
            crc32c::crc32c(rest) == u32::from_le_bytes(*crc),
            "its CRC is wrong",
        )?;
        said(
            head[8..10] == VERSION.to_le_bytes(),
            "its version is unknown",
        )?;
        said(head[10..12] == [0; 2], "reserved bytes are in use")?;
        let len = u32::from_le_bytes([head[12], head[13], head[14], head[15]]);
        said(len as usize == document.len(), "its length is wrong")?;
        let record: Self = serde_json::from_slice(document).map_err(|cause| malformed(&cause))?;
        said(
            record.snapshot.state == SnapshotState::Completed,
            "its snapshot is not completed",
        )?;
        Ok(record)
    }
}

/// Writes the record of a snapshot into `dir`, over the one that is there. Durable on return; a
/// crash leaves the old one or the new one.
///
/// # Errors
/// The file system's, and a record that is too long.
pub fn write(disk: &dyn Disk, dir: &Path, record: &Record) -> Result<(), RecordError> {
    let bytes = record.encode()?;
    create_dir_durably(disk, dir)?;
    let path = dir.join(record.snapshot.id.as_str());
    let beside = dir.join(format!("{}.new", record.snapshot.id));
    remove_if_there(disk, &beside)?;
    let file = disk.open(&beside, OpenMode::CreateNew)?;
    file.write_all_at(&bytes, 0)?;
    file.sync_data()?;
    disk.rename(&beside, &path)?;
    Ok(disk.sync_dir(dir)?)
}

/// Removes the record of a snapshot from `dir`, if there is one. Durable on return.
///
/// # Errors
/// The file system's.
pub fn remove(disk: &dyn Disk, dir: &Path, id: &SnapshotId) -> Result<(), RecordError> {
    if remove_if_there(disk, &dir.join(id.as_str()))? {
        disk.sync_dir(dir)?;
    }
    Ok(())
}

/// Reads the record of a snapshot; none if there is none.
///
/// # Errors
/// The file system's, and a record that is not what was written.
pub fn read(disk: &dyn Disk, dir: &Path, id: &SnapshotId) -> Result<Option<Record>, RecordError> {
    let file = match disk.open(&dir.join(id.as_str()), OpenMode::Read) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let len = file.len()?;
    if len > LEN_MAX {
        return Err(malformed(&"it is too long"));
    }
    let mut bytes = vec![0; usize::try_from(len).map_err(|cause| malformed(&cause))?];
    file.read_exact_at(&mut bytes, 0)?;
    let record = Record::decode(&bytes)?;
    match record.snapshot.id == *id {
        true => Ok(Some(record)),
        false => Err(malformed(&"it is the record of another snapshot")),
    }
}

/// The snapshots that have a record in `dir`, in order; none if there is no such directory.
///
/// # Errors
/// The file system's.
pub fn list(disk: &dyn Disk, dir: &Path) -> io::Result<Vec<SnapshotId>> {
    match disk.list(dir) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        names => Ok(names?.iter().filter_map(|name| name.parse().ok()).collect()),
    }
}

/// False: there was nothing.
fn remove_if_there(disk: &dyn Disk, path: &Path) -> io::Result<bool> {
    match disk.remove(path) {
        Ok(()) => Ok(true),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(cause),
    }
}

fn malformed(reason: &dyn std::fmt::Display) -> RecordError {
    RecordError::Malformed(reason.to_string())
}

#[cfg(test)]
mod tests {
    use cairn_blocks::FsDisk;
    use cairn_model::{Region, SnapshotSignature, Tags};
    use proptest::prelude::*;

    use super::*;

    fn record() -> Record {
        let snapshot = Snapshot {
            id: "snap-0123456789abcdef0".parse().unwrap(),
            account: "123456789012".parse().unwrap(),
            region: Region::named("eu-west-1").unwrap(),
            volume_id: "vol-ffffffff".parse().unwrap(),
            volume_size_gib: 3,
            description: "before the update \u{1f4be}".to_owned(),
            state: SnapshotState::Completed,
            state_message: None,
            progress: 100,
            start_time: Timestamp(1),
            completion_time: Some(Timestamp(2)),
            encrypted: false,
            kms_key_id: None,
            parent_id: Some("snap-ffffffff".parse().unwrap()),
            full_size_bytes: Some(524_288),
            root: Some("aa".repeat(32)),
            digest: Some("bb".repeat(32)),
            signature: Some(SnapshotSignature {
                public_key: "key".to_owned(),
                signature: "signature".to_owned(),
            }),
            create_volume_permissions: Default::default(),
            copy: None,
            lock: None,
            recycled: None,
            tiering: None,
            tags: Tags::from([("k".to_owned(), "v".to_owned())]),
        };
        Record {
            domain: -5,
            data_key: None,
            owner: Owner {
                name: Some("backup".to_owned()),
                operator: true,
                created: Timestamp(0),
            },
            snapshot,
        }
    }

    #[test]
    fn a_record_is_written_over_read_listed_and_removed() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("region/snapshots");
        let (disk, mut record) = (FsDisk, record());
        let id = record.snapshot.id.clone();
        assert_eq!(list(&disk, &dir).unwrap(), []);
        assert!(read(&disk, &dir, &id).unwrap().is_none());
        write(&disk, &dir, &record).unwrap();
        record.snapshot.tags.clear();
        // What a crash left of an earlier attempt is no obstacle.
        std::fs::write(dir.join(format!("{id}.new")), "torn").unwrap();
        write(&disk, &dir, &record).unwrap();
        assert_eq!(read(&disk, &dir, &id).unwrap(), Some(record));
        assert_eq!(list(&disk, &dir).unwrap(), std::slice::from_ref(&id));
        remove(&disk, &dir, &id).unwrap();
        remove(&disk, &dir, &id).unwrap();
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 0);
    }

    #[test]
    fn every_changed_byte_is_found() {
        let bytes = record().encode().unwrap();
        assert_eq!(Record::decode(&bytes).unwrap(), record());
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                assert!(Record::decode(&changed).is_err(), "byte {at}");
            }
            assert!(Record::decode(&bytes[..at]).is_err(), "{at} bytes");
        }
    }

    /// Data directories depend on the bytes that the head of this file promises.
    #[test]
    fn the_layout_is_the_one_described() {
        let bytes = record().encode().unwrap();
        assert_eq!(&bytes[..12], b"cairnsnp\x01\x00\x00\x00");
        let document = &bytes[16..bytes.len() - 4];
        let len = u32::try_from(document.len()).unwrap();
        assert_eq!(bytes[12..16], len.to_le_bytes());
        let json: serde_json::Value = serde_json::from_slice(document).unwrap();
        assert_eq!(json["snapshot"]["id"], "snap-0123456789abcdef0");
        assert_eq!(
            (&json["domain"], &json["owner"]["name"]),
            (&(-5).into(), &"backup".into())
        );
    }

    #[test]
    fn a_record_under_another_name_or_of_another_state_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let other: SnapshotId = "snap-fffffffffffffffff".parse().unwrap();
        std::fs::write(temp.path().join(other.as_str()), record().encode().unwrap()).unwrap();
        read(&FsDisk, temp.path(), &other).unwrap_err();
        let mut pending = record();
        pending.snapshot.state = SnapshotState::Pending;
        Record::decode(&pending.encode().unwrap()).unwrap_err();
    }

    proptest! {
        /// Arbitrary bytes, also under a right CRC, never panic.
        #[test]
        fn hostile_records_are_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..400), right_head: bool) {
            if right_head && bytes.len() >= HEAD_LEN {
                let len = u32::try_from(bytes.len() - HEAD_LEN).unwrap();
                bytes[..12].copy_from_slice(b"cairnsnp\x01\x00\x00\x00");
                bytes[12..16].copy_from_slice(&len.to_le_bytes());
            }
            let crc = crc32c::crc32c(&bytes);
            bytes.extend_from_slice(&crc.to_le_bytes());
            prop_assert!(Record::decode(&bytes).is_err());
        }
    }
}
