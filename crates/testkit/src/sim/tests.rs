//! The simulated disk does to its files what a machine would.

use std::{
    collections::BTreeSet,
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use cairn_blocks::disk::{Disk as _, DiskFile, OpenMode};

use super::*;

const FILE: &str = "dir/file";

fn disk_with_dir() -> SimDisk {
    let disk = SimDisk::new();
    disk.create_dir_all(Path::new("dir")).unwrap();
    disk.sync_dir(Path::new("")).unwrap();
    disk
}

fn open(disk: &SimDisk, path: &str, mode: OpenMode) -> Arc<dyn DiskFile> {
    disk.open(Path::new(path), mode).unwrap()
}

/// A durable file of 4 KiB of ones.
fn disk_with_file() -> (SimDisk, Arc<dyn DiskFile>) {
    let disk = disk_with_dir();
    let file = open(&disk, FILE, OpenMode::CreateNew);
    file.write_all_at(&[1; 4096], 0).unwrap();
    file.sync_data().unwrap();
    disk.sync_dir(Path::new("dir")).unwrap();
    (disk, file)
}

#[test]
fn what_was_synced_survives_and_old_handles_do_not() {
    let (disk, file) = disk_with_file();
    for crash in [Crash::LoseAll, Crash::PowerLoss(1), Crash::Kill] {
        disk.crash(crash);
        assert_eq!(disk.contents(FILE), [1; 4096]);
        assert!(file.read_exact_at(&mut [0], 0).is_err());
        assert!(file.sync_data().is_err());
    }
}

#[test]
fn unsynced_bytes_survive_a_kill_and_stay_unsynced() {
    let (disk, file) = disk_with_file();
    file.write_all_at(&[2; 4096], 0).unwrap();
    disk.crash(Crash::Kill);
    assert_eq!(disk.contents(FILE), [2; 4096]);
    disk.crash(Crash::LoseAll);
    assert_eq!(disk.contents(FILE), [1; 4096]);
}

#[test]
fn power_loss_keeps_any_subset_in_any_order_torn_at_sectors() {
    let mut seen = BTreeSet::new();
    for seed in 0..300 {
        let (disk, file) = disk_with_file();
        file.write_all_at(&[2; 1024], 0).unwrap();
        file.write_all_at(&[3; 1024], 0).unwrap();
        file.write_all_at(&[4; 1024], 1024).unwrap();
        disk.crash(Crash::PowerLoss(seed));
        let sectors: Vec<_> = disk
            .contents(FILE)
            .chunks(512)
            .map(|sector| sector[0])
            .collect();
        assert!(
            disk.contents(FILE)
                .chunks(512)
                .all(|sector| sector.iter().all(|byte| *byte == sector[0])),
            "sectors are whole"
        );
        assert_eq!(sectors[4..], [1; 4], "what nobody wrote stays");
        seen.insert(sectors[..4].to_vec());
    }
    for expected in [
        [1, 1, 1, 1],
        [2, 2, 1, 1],
        [3, 3, 4, 4],
        [1, 1, 4, 4],
        [2, 2, 4, 4],
        [2, 3, 1, 4],
    ] {
        assert!(
            seen.contains(expected.as_slice()),
            "{expected:?} can happen"
        );
    }
}

#[test]
fn the_same_seed_loses_the_same() {
    let run = || {
        let (disk, file) = disk_with_file();
        (0..20u8).for_each(|n| file.write_all_at(&[n; 700], u64::from(n) * 300).unwrap());
        disk.crash(Crash::PowerLoss(9));
        disk.contents(FILE)
    };
    assert_eq!(run(), run());
}

#[test]
fn names_last_only_when_their_directory_was_synced() {
    let (disk, _) = disk_with_file();
    drop(open(&disk, "dir/new", OpenMode::CreateNew));
    disk.rename(Path::new(FILE), Path::new("dir/renamed"))
        .unwrap();
    let lost = disk.fork();
    lost.crash(Crash::LoseAll);
    assert_eq!(lost.list(Path::new("dir")).unwrap(), ["file"]);
    disk.sync_dir(Path::new("dir")).unwrap();
    disk.crash(Crash::LoseAll);
    assert_eq!(disk.list(Path::new("dir")).unwrap(), ["new", "renamed"]);
    disk.remove(Path::new("dir/new")).unwrap();
    disk.crash(Crash::LoseAll);
    assert_eq!(disk.list(Path::new("dir")).unwrap(), ["new", "renamed"]);
}

#[test]
fn a_rename_is_lost_or_kept_as_a_whole() {
    for seed in 0..50 {
        let (disk, _) = disk_with_file();
        disk.rename(Path::new(FILE), Path::new("dir/other"))
            .unwrap();
        disk.crash(Crash::PowerLoss(seed));
        assert_eq!(disk.list(Path::new("dir")).unwrap().len(), 1);
    }
}

#[test]
fn a_durable_write_outlives_older_ones_that_are_not() {
    for seed in 0..200 {
        let (disk, file) = disk_with_file();
        file.write_all_at(&[2; 4096], 0).unwrap();
        file.write_all_at_durably(&[3; 512], 512).unwrap();
        disk.crash(Crash::PowerLoss(seed));
        assert_eq!(disk.contents(FILE)[512..1024], [3; 512]);
    }
}

#[test]
fn a_failed_sync_drops_what_it_should_have_written() {
    let (disk, file) = disk_with_file();
    file.write_all_at(&[2; 4096], 0).unwrap();
    disk.inject(Fault::nth(OpKind::Sync, 1, Errno::IO));
    assert_eq!(
        file.sync_data().unwrap_err().raw_os_error(),
        Some(Errno::IO.raw_os_error())
    );
    file.sync_data().unwrap();
    assert_eq!((disk.contents(FILE), disk.syncs(FILE)), (vec![2; 4096], 3));
    disk.crash(Crash::LoseAll);
    assert_eq!(disk.contents(FILE), [1; 4096]);
}

#[test]
fn faults_hit_what_they_are_meant_for() {
    let (disk, file) = disk_with_file();
    disk.inject(Fault::nth(OpKind::Write, 2, Errno::IO).on("file"));
    file.write_all_at(&[2], 0).unwrap();
    assert!(file.write_all_at(&[3], 0).is_err());
    file.write_all_at(&[4], 0).unwrap();
    disk.inject(Fault::always(OpKind::Read, Errno::IO).on("elsewhere"));
    assert_eq!(disk.contents(FILE)[0], 4);
    file.read_exact_at(&mut [0], 0).unwrap();
}

#[test]
fn a_dying_process_changes_nothing_more() {
    let (disk, file) = disk_with_file();
    disk.crash_at(1);
    file.write_all_at(&[2; 4096], 0).unwrap();
    assert!(file.write_all_at(&[3; 4096], 0).is_err());
    assert!(disk.is_dead());
    assert!(
        file.sync_data().is_err()
            && file.read_exact_at(&mut [0], 0).is_err()
            && disk.list(Path::new("dir")).is_err()
    );
    disk.crash(Crash::Kill);
    assert_eq!(disk.contents(FILE), [[3; 2048], [2; 2048]].concat());
    let file = open(&disk, FILE, OpenMode::ReadWrite);
    file.write_all_at(&[4], 0).unwrap();
}

#[test]
fn a_death_is_told_once_and_at_once() {
    let (disk, file) = disk_with_file();
    let told = Arc::new(AtomicU64::new(0));
    let tell = |disk: &SimDisk| {
        let told = Arc::clone(&told);
        disk.on_death(move || {
            told.fetch_add(1, Ordering::SeqCst);
        });
    };
    tell(&disk);
    disk.crash_at(1);
    file.write_all_at(&[2], 0).unwrap();
    assert_eq!(told.load(Ordering::SeqCst), 0);
    assert!(file.write_all_at(&[3], 0).is_err());
    assert!(file.write_all_at(&[4], 0).is_err());
    disk.kill();
    assert_eq!(told.load(Ordering::SeqCst), 1);
    disk.crash(Crash::Kill);
    disk.kill();
    assert!(disk.is_dead() && disk.list(Path::new("dir")).is_err());
    assert_eq!(
        told.load(Ordering::SeqCst),
        1,
        "it was told by another process"
    );
    disk.crash(Crash::Kill);
    tell(&disk);
    disk.kill();
    assert_eq!(told.load(Ordering::SeqCst), 2);
}

#[test]
fn a_full_disk_takes_what_fits() {
    let (disk, file) = disk_with_file();
    disk.set_free(8192);
    let full = file.write_all_at(&[2; 20_000], 4096).unwrap_err();
    assert_eq!(full.kind(), io::ErrorKind::StorageFull);
    assert_eq!(file.len().unwrap(), 4096 + 8192);
    file.write_all_at(&[3; 4096], 0).unwrap();
    file.punch_hole(4096, 4096).unwrap();
    file.write_all_at(&[4; 4096], 40_960).unwrap();
    assert!(file.allocate(81_920, 1).is_err());
}

#[test]
fn allocated_space_is_there_when_it_is_written() {
    let (disk, file) = disk_with_file();
    disk.set_free(1 << 30);
    file.allocate(0, 1 << 30).unwrap();
    assert_eq!(disk.space(Path::new("dir")).unwrap().free, 4096);
    file.write_all_at(&[1; 65_536], 1 << 29).unwrap();
    assert_eq!(disk.space(Path::new("dir")).unwrap().free, 4096);
    assert_eq!(
        (file.len().unwrap(), file.next_data(4096).unwrap()),
        (1 << 30, Some(1 << 29))
    );
    drop(file);
    disk.remove(Path::new(FILE)).unwrap();
    assert_eq!(disk.used(), 0);
}

#[test]
fn files_of_many_gibibytes_are_cheap_while_they_are_sparse() {
    let (disk, file) = disk_with_file();
    file.allocate(0, 64 << 40).unwrap();
    file.write_all_at(&[5; 10], 63 << 40).unwrap();
    file.sync_data().unwrap();
    file.punch_hole(0, 64 << 40).unwrap();
    disk.crash(Crash::LoseAll);
    let file = open(&disk, FILE, OpenMode::Read);
    let mut read = [0; 10];
    file.read_exact_at(&mut read, 63 << 40).unwrap();
    assert_eq!(
        (read, file.next_data(4096).unwrap()),
        ([5; 10], Some(63 << 40))
    );
    assert!(
        file.write_all_at(&[1], 0).is_err(),
        "it was opened for reading"
    );
}

#[test]
fn a_lock_is_held_by_one_open_file() {
    let (disk, file) = disk_with_file();
    let other = open(&disk, FILE, OpenMode::Read);
    assert!(file.try_lock().unwrap() && file.try_lock().unwrap() && !other.try_lock().unwrap());
    drop(file);
    assert!(other.try_lock().unwrap());
    disk.crash(Crash::Kill);
    assert!(open(&disk, FILE, OpenMode::Read).try_lock().unwrap());
}

#[test]
fn reads_that_must_not_wait_find_what_the_test_wants() {
    let (disk, file) = disk_with_file();
    assert!(file.try_read_exact_at(&mut [0], 0).unwrap());
    disk.set_at_hand(false);
    assert!(!file.try_read_exact_at(&mut [0], 0).unwrap());
}

#[test]
fn the_trace_tells_what_was_done() {
    let (disk, file) = disk_with_file();
    disk.start_trace();
    file.write_all_at(&[1; 10], 5).unwrap();
    file.sync_data().unwrap();
    let trace = disk.take_trace();
    let expected = |op, offset, len, sum| TraceEntry {
        op,
        path: FILE.into(),
        offset,
        len,
        sum,
    };
    assert_eq!(
        trace,
        [
            expected(OpKind::Write, 5, 10, 0x23b3_d996_b733_50df),
            expected(OpKind::Sync, 0, 0, 0)
        ]
    );
}

/// The simulated disk answers as the real one does, while nothing fails.
#[test]
fn it_behaves_as_a_real_file_does() {
    let dir = tempfile::tempdir().unwrap();
    let sim = disk_with_dir();
    let real = cairn_blocks::FsDisk;
    let files = [
        open(&sim, FILE, OpenMode::CreateNew),
        real.open(&dir.path().join("file"), OpenMode::CreateNew)
            .unwrap(),
    ];
    let mut rng = crate::Rng::new(7);
    for _ in 0..200 {
        let (at, len) = (rng.below(60_000), rng.below(9000));
        let what = rng.below(5);
        let results = files.each_ref().map(|file| change(file, what, at, len));
        assert_eq!(results[0], results[1]);
        let [sim, real] = files.each_ref().map(whole);
        assert!(sim == real);
    }
}

fn change(
    file: &Arc<dyn DiskFile>,
    what: u64,
    at: u64,
    len: u64,
) -> Result<Option<u8>, io::ErrorKind> {
    let size = usize::try_from(len).unwrap();
    let mut byte = [0];
    match what {
        0 => file.write_all_at(&vec![7; size], at),
        1 => file.write_all_at_durably(&vec![8; size], at),
        2 => file.punch_hole(at, len),
        3 => file.set_len(at),
        _ => file.try_read_exact_at(&mut byte, at).map(drop),
    }
    .map(|()| Some(byte[0]))
    .map_err(|error| error.kind())
}

fn whole(file: &Arc<dyn DiskFile>) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}
