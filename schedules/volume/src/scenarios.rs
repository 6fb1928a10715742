//! Scenarios for what is not public. They have few steps, so that a few hundred orders are many.

use std::{path::Path, sync::Arc, thread};

use cairn_blocks::disk::{Disk as _, DiskFile, OpenMode};
use cairn_testkit::{Crash, SimDisk};

use crate::{sync::DataSync, yielding::Yielding};

/// Two write and sync at the same time. A sync that has returned covers what its caller had noted,
/// whoever did the work.
pub fn a_sync_covers_what_was_noted() {
    const PATH: &str = "/data";
    let sim = SimDisk::new();
    let file = Yielding(sim.clone())
        .open(Path::new(PATH), OpenMode::CreateNew)
        .expect("a file");
    file.set_len(1024).expect("room");
    file.sync_data().expect("a sync");
    sim.sync_dir(Path::new("/")).expect("a sync");
    let sync = Arc::new(DataSync::new(Arc::clone(&file), Arc::default()));
    let other = {
        let (file, sync) = (Arc::clone(&file), Arc::clone(&sync));
        thread::spawn(move || write_and_sync(&*file, &sync, 512))
    };
    assert!(write_and_sync(&*file, &sync, 0), "a sync failed");
    // The other one may be under way; it belongs to the process that dies.
    sim.crash(Crash::LoseAll);
    assert_eq!(sim.contents(PATH)[0], 1, "synced and lost");
    drop(other.join());
}

/// True: the byte is said to be durable.
fn write_and_sync(file: &dyn DiskFile, sync: &DataSync, at: u64) -> bool {
    if file.write_all_at(&[1], at).is_err() {
        return false;
    }
    sync.note_write();
    !sync.needs_sync() || sync.sync().is_ok()
}
