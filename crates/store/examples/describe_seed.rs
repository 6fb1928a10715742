//! Puts many snapshots and images of the first account into the metadata of a server that is not running, to measure
//! Describe with.
//!
//! `cargo run --release -p cairn-store --example describe_seed -- DIR COUNT` adds COUNT snapshots and COUNT images in
//! us-east-1, through the calls by which verbs record them. There are no bytes behind them. Their tags spread what
//! belongs together over the whole table: `hundred` is the same for a hundred of them, `thousand` for a thousand.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::{path::Path, sync::atomic::AtomicU64, sync::atomic::Ordering};

use cairn_model::{
    AccountId, Architecture, BlockDeviceMapping, EbsBlockDevice, Entropy, Image, ImageId,
    ImageState, Permissions, Region, Snapshot, SnapshotId, SnapshotState, Tags, Timestamp,
    VirtualizationType, image::DeregistrationProtection,
};
use cairn_store::{Store, account, image, snapshot};

/// Nouns that are put in one transaction.
const BATCH: u64 = 1000;

/// Ids that look random and can be made again.
struct Mixed(AtomicU64);

impl std::fmt::Debug for Mixed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mixed")
    }
}

impl Entropy for Mixed {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            // SplitMix64.
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let count: u64 = arguments[1].parse().unwrap();
    let store = Store::open(Path::new(&arguments[0])).await.unwrap();
    let accounts = account::list(&mut store.read().await.unwrap()).await;
    let owner = accounts.unwrap()[0].id.clone();
    let ids = Mixed(AtomicU64::new(count));
    for first in (0..count).step_by(usize::try_from(BATCH).unwrap()) {
        let mut tx = store.write().await.unwrap();
        for number in first..count.min(first + BATCH) {
            let snapshot = a_snapshot(number, count, &owner, &ids);
            snapshot::insert(&mut tx, &snapshot).await.unwrap();
            let image = an_image(number, count, &snapshot, &ids);
            image::insert(&mut tx, &image).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
    store.close().await;
    println!("{count} snapshots and {count} images");
}

fn tags(number: u64, count: u64) -> Tags {
    [
        ("Name", format!("web-server-{number}")),
        ("hundred", (number % (count / 100).max(1)).to_string()),
        ("thousand", (number % (count / 1000).max(1)).to_string()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into()
}

fn a_snapshot(number: u64, count: u64, owner: &AccountId, ids: &Mixed) -> Snapshot {
    let time = Timestamp(1_795_392_000_000_000 + i64::try_from(number / 4).unwrap() * 1_000_000);
    Snapshot {
        id: SnapshotId::generate(ids),
        account: owner.clone(),
        region: Region::named("us-east-1").unwrap(),
        volume_id: format!("vol-{:017x}", number % (count / 10).max(1))
            .parse()
            .unwrap(),
        volume_size_gib: 8,
        description: format!("backup {number} of a web server"),
        state: SnapshotState::Completed,
        state_message: None,
        progress: 100,
        start_time: time,
        completion_time: Some(time),
        encrypted: false,
        kms_key_id: None,
        parent_id: None,
        full_size_bytes: Some(1 << 30),
        root: None,
        digest: None,
        signature: None,
        create_volume_permissions: Permissions::default(),
        copy: None,
        lock: None,
        recycled: None,
        tiering: None,
        tags: tags(number, count),
    }
}

fn an_image(number: u64, count: u64, of: &Snapshot, ids: &Mixed) -> Image {
    let name = format!("web-server-{number}");
    Image {
        id: ImageId::generate(ids),
        account: of.account.clone(),
        region: of.region,
        location: format!("{}/{name}", of.account),
        name,
        description: Some(format!("web server, build {number}")),
        architecture: Architecture::X86_64,
        virtualization_type: VirtualizationType::Hvm,
        root_device_name: Some("/dev/sda1".to_owned()),
        block_device_mappings: vec![BlockDeviceMapping {
            device_name: "/dev/sda1".to_owned(),
            ebs: Some(EbsBlockDevice {
                snapshot_id: Some(of.id.clone()),
                volume_size: Some(8),
                ..EbsBlockDevice::default()
            }),
            ..BlockDeviceMapping::default()
        }],
        boot_mode: None,
        ena_support: true,
        sriov_net_support: None,
        tpm_support: None,
        imds_support: None,
        uefi_data: None,
        kernel_id: None,
        ramdisk_id: None,
        state: ImageState::Available,
        state_reason: None,
        image_type: Default::default(),
        root_device_type: Default::default(),
        creation_date: of.start_time,
        source_instance_id: None,
        source_image: None,
        last_launched_time: None,
        deprecation_time: None,
        deregistration_protection: DeregistrationProtection::Disabled,
        deregistered_at: None,
        recycled: None,
        launch_permissions: Permissions::default(),
        tags: tags(number, count),
    }
}
