//! Scrubs of a region, and metadata rebuilt from packs and records.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::{
    fs,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use cairn_blocks::FsDisk;
use cairn_control::{
    Caller, Control, ErrorKind, OpenError,
    recover::{RecoverError, RecoverOptions, Recovered, recover},
    request::{ChangeTags, Describe},
    scrub::ScrubStatus,
};
use cairn_model::{Snapshot, Volume};
use support::*;

const BLOCK: usize = 512 * 1024;

async fn scrub(control: &Control, caller: &Caller) -> ScrubStatus {
    control.start_scrub(caller, None).await.unwrap();
    control.idle().await.unwrap();
    control.scrub_status(caller).await.unwrap()
}

/// A volume with two blocks of its own, and its snapshot.
async fn taken(control: &Control, caller: &Caller, seed: u64) -> (Volume, Snapshot) {
    let volume = available_volume(control, caller, blank(1)).await;
    write(control, &volume, 0, pattern(seed, 2 * BLOCK)).await;
    let snapshot = take_snapshot(control, caller, &volume).await;
    (volume, snapshot)
}

fn packs(place: &Place, suffix: &str) -> Vec<PathBuf> {
    let dir = place.data_dir().join("regions/us-east-1/packs");
    let mut packs: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().ends_with(suffix))
        .collect();
    packs.sort();
    packs
}

fn flip(path: &Path, at: u64) {
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 0x10], at).unwrap();
}

async fn restart(place: &Place, control: Control) -> Control {
    control.shutdown().await;
    drop(control);
    place.open().await
}

async fn is_intact(control: &Control, caller: &Caller, snapshot: &Snapshot) -> bool {
    let request = by_id(&snapshot.id);
    control.verify_snapshot(caller, request).await.unwrap().ok
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scrub_names_what_rot_touches_and_a_capture_heals_it() {
    let place = Place::new(911);
    let (control, caller) = place.begin().await;
    let (volume, first) = taken(&control, &caller, 1).await;
    let control = restart(&place, control).await;
    let (_, second) = taken(&control, &caller, 2).await;
    let copy = available_volume(&control, &caller, from_snapshot(&first)).await;
    let control = restart(&place, control).await;

    let clean = scrub(&control, &caller).await;
    assert_eq!((clean.findings.len(), clean.bad_blobs), (0, 0), "{clean:?}");
    let run = clean.run.unwrap();
    assert_eq!((run.packs, run.all_packs, run.runs), (4, 4, 1), "{run:?}");
    // The first data pack holds the blocks of the first snapshot alone.
    flip(&packs(&place, ".data")[0], 300);
    let found = scrub(&control, &caller).await;
    assert_eq!((found.findings.len(), found.bad_blobs), (1, 1), "{found:?}");
    assert!(found.findings[0].unreadable);
    let named: Vec<_> = found
        .snapshots
        .iter()
        .map(|touched| (&touched.id, touched.blocks))
        .collect();
    assert_eq!(named, [(&first.id, 1)]);
    let volumes: Vec<_> = found.volumes.iter().collect();
    assert_eq!(volumes, [&copy.id], "the other one has all its blocks");
    assert!(!is_intact(&control, &caller, &first).await);
    assert!(is_intact(&control, &caller, &second).await);
    let summary = control.scrub_summary(caller.region).await.unwrap();
    assert_eq!((summary.findings, summary.bad_blobs), (1, 1));

    // The volume still has the bytes: written once more, they are captured and stored anew.
    write(&control, &volume, 0, pattern(1, 2 * BLOCK)).await;
    take_snapshot(&control, &caller, &volume).await;
    assert!(is_intact(&control, &caller, &first).await);
    let healed = control.scrub_status(&caller).await.unwrap();
    assert_eq!((healed.findings.len(), healed.healed), (0, 1), "{healed:?}");
    assert_eq!((healed.snapshots, healed.volumes), (vec![], vec![]));
    let control = restart(&place, control).await;
    let again = scrub(&control, &caller).await;
    let unread: Vec<_> = again
        .findings
        .iter()
        .map(|found| found.unreadable)
        .collect();
    assert_eq!(
        unread,
        [false],
        "the old bytes are still wrong, and nobody needs them"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn findings_outlive_a_restart_and_go_when_the_bytes_are_right_again() {
    let place = Place::new(912);
    let (control, caller) = place.begin().await;
    taken(&control, &caller, 1).await;
    let control = restart(&place, control).await;
    let pack = packs(&place, ".meta")[0].clone();
    let end = fs::metadata(&pack).unwrap().len() - 1;
    flip(&pack, end);
    let found = scrub(&control, &caller).await;
    assert_eq!(found.findings.len(), 1);
    assert!(!found.findings[0].unreadable && found.snapshots.is_empty());
    let control = restart(&place, control).await;
    assert_eq!(control.scrub_status(&caller).await.unwrap(), found);
    flip(&pack, end);
    assert_eq!(scrub(&control, &caller).await.findings, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_is_lost_or_damaged_is_written_anew() {
    let place = Place::new(913);
    let (control, caller) = place.begin().await;
    let (_, snapshot) = taken(&control, &caller, 1).await;
    let record = place
        .data_dir()
        .join("regions/us-east-1/snapshots")
        .join(snapshot.id.as_str());
    let bytes = fs::read(&record).unwrap();
    let control = restart(&place, control).await;
    for damage in [
        |path: &Path| flip(path, 40),
        |path: &Path| fs::remove_file(path).unwrap(),
    ] {
        damage(&record);
        let found = scrub(&control, &caller).await;
        assert_eq!(found.findings.len(), 1, "{found:?}");
        assert!(
            found.findings[0]
                .finding
                .file
                .ends_with(snapshot.id.as_str())
        );
        assert_eq!(fs::read(&record).unwrap(), bytes);
        // Findings of the same microsecond would not be older than the run.
        place.clock.advance(Duration::from_secs(1));
        assert_eq!(scrub(&control, &caller).await.findings, []);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scrubs_run_by_themselves_once_a_week() {
    let place = Place::new(914);
    let (control, caller) = place.begin().await;
    control.scrub_if_due().await.unwrap();
    assert_eq!(control.scrub_status(&caller).await.unwrap().run, None);
    taken(&control, &caller, 1).await;
    let runs = async || {
        control.scrub_if_due().await.unwrap();
        control.idle().await.unwrap();
        let run = control.scrub_status(&caller).await.unwrap().run.unwrap();
        assert!(run.ended.is_some());
        run.runs
    };
    assert_eq!(runs().await, 0, "a region that is new is not due");
    place.clock.advance(Duration::from_secs(6 * 86_400));
    assert_eq!(runs().await, 0);
    place.clock.advance(Duration::from_secs(86_400));
    assert_eq!(runs().await, 1);
    assert_eq!(runs().await, 1);
    place.clock.advance(Duration::from_secs(7 * 86_400));
    assert_eq!(runs().await, 2);
}

/// The server ends in the middle of a run; the next one goes on behind the packs that are done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scrub_goes_on_after_a_restart() {
    let place = Place::new(915);
    let (control, caller) = place.begin().await;
    taken(&control, &caller, 1).await;
    let control = restart(&place, control).await;
    // Slow enough that it is under way until the server ends it.
    control.start_scrub(&caller, Some(1)).await.unwrap();
    let mut changes = control.changes();
    while control
        .scrub_status(&caller)
        .await
        .unwrap()
        .run
        .unwrap()
        .all_packs
        == 0
    {
        let _ = tokio::time::timeout(Duration::from_millis(20), changes.changed()).await;
    }
    let control = restart(&place, control).await;
    let run = control.scrub_status(&caller).await.unwrap().run.unwrap();
    assert_eq!((run.ended, run.packs), (None, 0));
    // Asked again, it is the same run.
    control.start_scrub(&caller, None).await.unwrap();
    let again = control.scrub_status(&caller).await.unwrap().run.unwrap();
    assert_eq!((again.runs, again.ended), (1, None));
    control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_operator_may_scrub() {
    let place = Place::new(916);
    let (control, caller) = place.begin().await;
    let other = Caller {
        operator: false,
        ..caller
    };
    refused(
        control.start_scrub(&other, None).await,
        ErrorKind::Unauthorized,
    );
    refused(control.scrub_status(&other).await, ErrorKind::Unauthorized);
}

fn options(place: &Place, force: bool) -> RecoverOptions {
    RecoverOptions {
        data_dir: place.data_dir(),
        clock: place.clock.clone(),
        entropy: place.entropy.clone(),
        disk: Arc::new(FsDisk),
        root_key: None,
        force,
    }
}

async fn recovered(place: &Place, force: bool) -> Recovered {
    recover(options(place, force)).await.unwrap()
}

fn lose(place: &Place, names: &[&str]) {
    for name in names {
        for suffix in ["", "-wal", "-shm"] {
            drop(fs::remove_file(
                place.data_dir().join(format!("{name}{suffix}")),
            ));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_lost_with_the_databases_comes_back() {
    let place = Place::new(921);
    let (control, caller) = place.begin().await;
    let other = Caller {
        operator: false,
        ..new_caller(&control).await
    };
    let (_, first) = taken(&control, &caller, 1).await;
    let (_, second) = taken(&control, &other, 2).await;
    let deleted = taken(&control, &caller, 3).await.1;
    control
        .delete_snapshot(&caller, by_id(&deleted.id))
        .await
        .unwrap();
    let tags = ChangeTags {
        resources: vec![first.id.to_string()],
        tags: vec![("Name".to_owned(), Some("kept".to_owned()))],
        dry_run: false,
    };
    control.create_tags(&caller, tags).await.unwrap();
    control.idle().await.unwrap();
    let before = [
        snapshot_now(&control, &caller, &first).await,
        snapshot_now(&control, &other, &second).await,
    ];
    // Killed: what is open is sealed by the recovery.
    drop(control);
    lose(&place, &["cairn.db", "blobs.db"]);
    let options_now = || {
        cairn_control::ControlOptions::new(
            place.data_dir(),
            place.clock.clone(),
            place.entropy.clone(),
        )
        .unwrap()
    };
    wait_for_lock(&place).await;
    let refused_to_begin_anew = Control::open(options_now()).await;
    assert!(matches!(
        refused_to_begin_anew,
        Err(OpenError::MetadataLost(_))
    ));
    assert!(!place.data_dir().join("cairn.db").exists());

    let back = recovered(&place, false).await;
    assert_eq!((back.rebuilt.len(), back.kept.len()), (2, 0));
    assert_eq!(back.unread, Vec::<String>::new());
    assert_eq!(back.volumes.len(), 3);
    assert!(
        back.snapshots
            .iter()
            .all(|s| s.unreadable_blocks == 0 && s.signature_ok)
    );
    assert_eq!(back.snapshots.len(), 2, "the deleted one stays deleted");
    let operators: Vec<_> = back
        .accounts
        .iter()
        .map(|account| (account.account.account.clone(), account.operator))
        .collect();
    assert!(operators.contains(&(caller.account.clone(), true)));
    assert_eq!(operators.len(), 2);

    let control = place.open().await;
    let key = &back.accounts[0].account.access_key_id;
    assert!(control.access_key(key).await.unwrap().is_some());
    assert!(
        control
            .access_key(&caller.access_key_id)
            .await
            .unwrap()
            .is_none()
    );
    let after = [
        snapshot_now(&control, &caller, &first).await,
        snapshot_now(&control, &other, &second).await,
    ];
    assert_eq!(after, before);
    for (caller, snapshot, seed) in [(&caller, &first, 1), (&other, &second, 2)] {
        assert!(is_intact(&control, caller, snapshot).await);
        let copy = available_volume(&control, caller, from_snapshot(snapshot)).await;
        assert_eq!(
            read(&control, &copy, 0, 2 * BLOCK).await,
            pattern(seed, 2 * BLOCK)
        );
    }
    // Life goes on: new packs and domains have new numbers.
    let (_, third) = taken(&control, &caller, 9).await;
    assert!(is_intact(&control, &caller, &third).await);
    let stranger = new_caller(&control).await;
    let (_, fourth) = taken(&control, &stranger, 1).await;
    assert!(is_intact(&control, &stranger, &fourth).await);
    assert!(is_intact(&control, &caller, &first).await);
    let vpcs = control
        .describe_vpcs(&caller, Describe::default())
        .await
        .unwrap();
    assert_eq!(vpcs.items.len(), 1, "an account has its network");
}

/// The last handles of a server that was dropped go with its tasks.
async fn wait_for_lock(place: &Place) {
    let dir = fs::File::open(place.data_dir()).unwrap();
    for _ in 0..100_000 {
        if dir.try_lock().is_ok() {
            return dir.unlock().unwrap();
        }
        tokio::task::yield_now().await;
    }
    panic!("somebody holds on to the data directory");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_is_lost_alone_is_rebuilt_alone() {
    let place = Place::new(922);
    let (control, caller) = place.begin().await;
    let (volume, first) = taken(&control, &caller, 1).await;
    control.shutdown().await;
    drop(control);
    fs::write(place.data_dir().join("blobs.db"), "").unwrap();
    wait_for_lock(&place).await;
    let back = recovered(&place, false).await;
    assert_eq!(back.rebuilt, [place.data_dir().join("blobs.db")]);
    assert!(back.accounts.is_empty(), "the keys there are hold");
    let control = place.open().await;
    assert!(
        control
            .access_key(&caller.access_key_id)
            .await
            .unwrap()
            .is_some()
    );
    assert!(is_intact(&control, &caller, &first).await);
    assert_eq!(read(&control, &volume, 0, BLOCK).await, pattern(1, BLOCK));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_overwritten_unless_asked_and_then_it_is_kept() {
    let place = Place::new(923);
    let (control, caller) = place.begin().await;
    let (_, first) = taken(&control, &caller, 1).await;
    assert!(matches!(
        recover(options(&place, true)).await,
        Err(RecoverError::Open(OpenError::InUse(_)))
    ));
    control.shutdown().await;
    drop(control);
    wait_for_lock(&place).await;
    let before = fs::read(place.data_dir().join("cairn.db")).unwrap();
    assert!(matches!(
        recover(options(&place, false)).await,
        Err(RecoverError::Exists(_))
    ));
    assert_eq!(fs::read(place.data_dir().join("cairn.db")).unwrap(), before);
    for round in 1..3 {
        let back = recovered(&place, true).await;
        assert_eq!(back.rebuilt.len(), 2);
        let kept = place
            .data_dir()
            .join(format!("cairn.db.before-recovery-{round}"));
        assert_eq!(back.kept[0], kept);
        if round == 1 {
            assert_eq!(fs::read(kept).unwrap(), before);
        }
    }
    assert!(!place.data_dir().join("recovering").exists());
    let control = place.open().await;
    assert!(is_intact(&control, &caller, &first).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_named_and_costs_nothing_else() {
    let place = Place::new(924);
    let (control, caller) = place.begin().await;
    let (_, first) = taken(&control, &caller, 1).await;
    let control = restart(&place, control).await;
    let (_, second) = taken(&control, &caller, 2).await;
    let (_, third) = taken(&control, &caller, 3).await;
    control.shutdown().await;
    drop(control);
    let records = place.data_dir().join("regions/us-east-1/snapshots");
    flip(&records.join(third.id.as_str()), 30);
    // The pack's domain cannot be told any more.
    flip(&packs(&place, ".data")[0], 18);
    lose(&place, &["cairn.db", "blobs.db"]);
    wait_for_lock(&place).await;
    let back = recovered(&place, false).await;
    assert_eq!(back.unread.len(), 2, "{back:?}");
    let unreadable: Vec<_> = back
        .snapshots
        .iter()
        .map(|snapshot| (&snapshot.id, snapshot.unreadable_blocks))
        .filter(|(_, blocks)| *blocks > 0)
        .collect();
    assert_eq!(unreadable, [(&first.id, 2)]);
    let control = place.open().await;
    assert!(is_intact(&control, &caller, &second).await);
}
