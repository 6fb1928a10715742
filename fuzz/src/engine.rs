//! What the block store and volumes keep on disk.

use cairn_blocks::fuzzing as blocks;
use cairn_model::{Region, Snapshot, SnapshotState, Tags, Timestamp};
use cairn_store::record::{Owner, Record};
use cairn_testkit::SimDisk;
use cairn_volume::fuzzing as volume;

use crate::Target;

/// The targets of this module.
pub const TARGETS: &[Target] = &[
    Target {
        name: "pack_header",
        run: blocks::pack_header,
        samples: || blocks::sample_pack_headers(),
    },
    Target {
        name: "blob",
        run: blocks::blob,
        samples: blocks::sample_blobs,
    },
    Target {
        name: "pack_trailer",
        run: blocks::trailer,
        samples: blocks::sample_trailers,
    },
    Target {
        name: "open_pack",
        run: blocks::open_pack,
        samples: || vec![blocks::sample_open_pack()],
    },
    Target {
        name: "index_node",
        run: blocks::node,
        samples: blocks::sample_nodes,
    },
    Target {
        name: "journal_segment",
        run: volume::segment_header,
        samples: || vec![volume::sample_segment_header()],
    },
    Target {
        name: "journal_record",
        run: volume::record,
        samples: volume::sample_records,
    },
    Target {
        name: "journal_replay",
        run: |bytes| volume::journal(&SimDisk::new(), bytes),
        samples: || vec![volume::sample_journal()],
    },
    Target {
        name: "checkpoint",
        run: volume::checkpoint,
        samples: volume::sample_checkpoints,
    },
    Target {
        name: "snapshot_record",
        run: snapshot_record,
        samples: || vec![sample_document()],
    },
];

/// The record of a snapshot: the document alone, which gets the head and the CRC of a file.
fn snapshot_record(document: &[u8]) -> bool {
    let len = u32::try_from(document.len()).unwrap_or(u32::MAX);
    let mut file = b"cairnsnp\x01\x00\x00\x00".to_vec();
    file.extend(len.to_le_bytes());
    file.extend(document);
    file.extend(crc32c(&file).to_le_bytes());
    let Ok(record) = Record::decode(&file) else {
        return false;
    };
    // What is too long to be written back was not written by us.
    if let Ok(again) = record.encode() {
        let again = Record::decode(&again).expect("what was encoded is decoded");
        assert_eq!(again, record, "another record than was read");
    }
    true
}

fn sample_document() -> Vec<u8> {
    let snapshot = Snapshot {
        id: "snap-0123456789abcdef0".parse().expect("an id"),
        account: "123456789012".parse().expect("an account"),
        region: Region::named("eu-west-1").expect("a region"),
        volume_id: "vol-ffffffff".parse().expect("an id"),
        volume_size_gib: 3,
        description: "before the update".to_owned(),
        state: SnapshotState::Completed,
        state_message: None,
        progress: 100,
        start_time: Timestamp(1),
        completion_time: Some(Timestamp(2)),
        encrypted: false,
        kms_key_id: None,
        parent_id: None,
        full_size_bytes: Some(524_288),
        root: Some("aa".repeat(32)),
        digest: Some("bb".repeat(32)),
        signature: None,
        create_volume_permissions: Default::default(),
        copy: None,
        lock: None,
        recycled: None,
        tiering: None,
        tags: Tags::from([("k".to_owned(), "v".to_owned())]),
    };
    let owner = Owner {
        name: Some("backup".to_owned()),
        operator: true,
        created: Timestamp(0),
    };
    let record = Record {
        data_key: None,
        domain: -5,
        owner,
        snapshot,
    };
    let file = record.encode().expect("a short record");
    file[16..file.len() - 4].to_vec()
}

/// CRC-32C bit by bit: an implementation that is not the one under test.
fn crc32c(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0x82f6_3b78;
    let step = |crc: u32, _| (crc >> 1) ^ (POLYNOMIAL & (crc & 1).wrapping_neg());
    !bytes
        .iter()
        .fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}
