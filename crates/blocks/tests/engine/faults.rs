//! Disks and indexes that fail: errors surface, nothing is promised that is not kept, and the
//! store goes on.

use std::sync::{Arc, atomic::Ordering};

use cairn_blocks::{BlobIndex, Error, Stored};
use cairn_testkit::{Crash, Errno, Fault, OpKind, SimDisk};

use crate::support::{Bench, FlakyIndex, HERE, block, digest, random_block};

fn assert_durable(bench: &mut Bench, numbers: impl IntoIterator<Item = usize>) {
    bench.crash(Crash::LoseAll);
    for n in numbers {
        assert!(
            *bench.store().get(HERE, &digest(n)).unwrap() == *block(n),
            "block {n}"
        );
    }
}

#[test]
fn a_failed_sync_is_told_to_everyone_whose_blocks_it_lost() {
    let mut bench = Bench::new();
    bench.put(0);
    bench.store().sync(HERE).unwrap();
    bench.put(1);
    bench.put(2);
    bench.disk.inject(Fault::nth(OpKind::Sync, 1, Errno::IO));
    assert!(matches!(bench.store().sync(HERE), Err(Error::Io { .. })));
    assert!(
        bench.store().get(HERE, &digest(1)).is_err(),
        "it is forgotten"
    );
    assert!(
        bench.store().get(HERE, &digest(0)).is_ok(),
        "what was durable before is still there"
    );
    // One caller puts its block again; the other has yet to learn that its own is gone.
    assert_eq!(bench.put(1), Stored::New(digest(1)));
    assert!(matches!(
        bench.store().sync(HERE),
        Err(Error::Lost { blobs: 1, .. })
    ));
    assert_eq!(bench.put(2), Stored::New(digest(2)));
    bench.store().sync(HERE).unwrap();
    assert_durable(&mut bench, [0, 1, 2]);
}

#[test]
fn a_failed_sync_of_the_directory_counts_as_one_of_the_pack() {
    let mut bench = Bench::new();
    bench.put(0);
    bench.disk.inject(Fault::nth(OpKind::SyncDir, 1, Errno::IO));
    assert!(bench.store().sync(HERE).is_err());
    assert_eq!(bench.put(0), Stored::New(digest(0)));
    bench.store().sync(HERE).unwrap();
    assert_durable(&mut bench, [0]);
}

/// After a failed sync the kernel shows bytes that the device does not have. A recovery that
/// believes them would tell the index of blobs that the next power failure takes away.
#[test]
fn recovery_writes_anew_what_a_failed_sync_left_in_memory_alone() {
    let mut bench = Bench::new();
    bench.put(0);
    bench.disk.inject(Fault::nth(OpKind::Sync, 1, Errno::IO));
    assert!(bench.store().sync(HERE).is_err());
    bench.crash(Crash::Kill);
    assert!(
        bench.store().get(HERE, &digest(0)).is_ok(),
        "the kernel still has it"
    );
    assert_durable(&mut bench, [0]);
}

#[test]
fn a_full_disk_fails_the_put_and_nothing_else() {
    let mut bench = Bench::new();
    bench.put(0);
    bench.store().sync(HERE).unwrap();
    bench.disk.set_free(8192);
    let error = bench.store().put(HERE, &random_block(7)).unwrap_err();
    assert!(error.is_storage_full(), "{error:?}");
    bench.disk.set_free(1 << 30);
    assert_eq!(bench.put(1), Stored::New(digest(1)));
    bench.store().seal().unwrap();
    let sealed = bench.packs(".data");
    assert!(sealed.iter().any(|path| {
        bench
            .disk
            .contents(path)
            .ends_with(&footer_of(&bench, path))
    }));
    assert_durable(&mut bench, [0, 1]);
    // The torn block left nothing behind the footer: the pack can be read by its table.
    assert_eq!(bench.store().reindex().unwrap().blobs, 2);
}

/// The last bytes of a pack, if its footer is where it should be.
fn footer_of(bench: &Bench, path: &std::path::Path) -> Vec<u8> {
    let bytes = bench.disk.contents(path);
    let at = bytes
        .windows(8)
        .rposition(|window| window == b"cairnend")
        .unwrap();
    bytes[at..at + 48].to_vec()
}

#[test]
fn a_full_disk_at_the_time_of_sealing_is_survived() {
    let mut bench = Bench::new();
    bench.put(0);
    bench
        .disk
        .inject(Fault::nth(OpKind::Write, 1, Errno::NOSPC));
    assert!(bench.store().seal().unwrap_err().is_storage_full());
    bench.store().sync(HERE).unwrap();
    bench.put(1);
    bench.store().seal().unwrap();
    assert_durable(&mut bench, [0, 1]);
}

#[test]
fn an_index_that_fails_is_told_again() {
    let index = Arc::new(FlakyIndex::default());
    let mut bench = Bench::with_index(SimDisk::new(), Arc::clone(&index) as Arc<dyn BlobIndex>);
    bench.put(0);
    index.fails.store(true, Ordering::SeqCst);
    assert!(matches!(bench.store().sync(HERE), Err(Error::Index(_))));
    assert!(
        matches!(bench.store().sync(HERE), Err(Error::Index(_))),
        "it is not forgotten"
    );
    assert!(bench.store().get(HERE, &digest(0)).is_ok());
    index.fails.store(false, Ordering::SeqCst);
    bench.store().sync(HERE).unwrap();
    assert_durable(&mut bench, [0]);
}

#[test]
fn a_pack_that_cannot_be_renamed_yet_is_renamed_later() {
    let mut bench = Bench::new();
    bench.put(0);
    bench.disk.inject(Fault::nth(OpKind::Rename, 1, Errno::IO));
    assert!(bench.store().seal().is_err());
    assert_eq!(bench.packs(".open").len(), 1);
    bench.store().seal().unwrap();
    assert_eq!(bench.packs(".open").len(), 0);
    assert_durable(&mut bench, [0]);
}

#[test]
fn a_read_that_fails_is_no_damage_and_is_not_remembered() {
    let bench = Bench::new();
    bench.put(0);
    bench.disk.inject(Fault::nth(OpKind::Read, 1, Errno::IO));
    assert!(matches!(
        bench.store().get(HERE, &digest(0)),
        Err(Error::Io { .. })
    ));
    assert!(bench.store().get(HERE, &digest(0)).is_ok());
}

#[test]
fn a_read_that_fails_during_recovery_loses_nothing() {
    let mut bench = Bench::new();
    bench.put(0);
    bench.store().sync(HERE).unwrap();
    bench.close();
    bench.disk.inject(Fault::nth(OpKind::Read, 1, Errno::IO));
    assert!(bench.open().is_err());
    bench.reopen();
    assert_durable(&mut bench, [0]);
}
