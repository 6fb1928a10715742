//! Whether the other threads of this process are at rest.
//!
//! A thread rests if the kernel says that it sleeps. Threads wake each other, and are looked at one after
//! the other: one that was seen asleep may have been woken by one that was not yet looked at. So all of
//! them are looked at twice, together with the count of how often each was given a processor. If all
//! slept both times and none was given one in between, there was a moment between the two looks at which
//! all of them slept, and nobody was left to wake anybody. One that only pauses for a while does not rest.
//!
//! It takes a Linux with `schedstat` and `wchan` below `/proc`.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs::{self, File},
    os::unix::fs::FileExt as _,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Looks at the end of a life after which something is held to go on for ever.
const PATIENCE: u32 = 1_000_000;

/// Held by whoever simulates: the threads of another test would never be at rest.
static ALONE: Mutex<()> = Mutex::new(());

/// Waits for other simulations of this process, and keeps them waiting.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The other threads of this process.
pub(crate) struct Threads {
    this: u32,
    known: BTreeMap<u32, Thread>,
    /// Those that were there before.
    others: Vec<u32>,
}

struct Thread {
    stat: File,
    schedstat: File,
    wchan: File,
}

/// How often each thread was given a processor.
type Turns = Vec<(u32, u64)>;

impl Threads {
    pub(crate) fn new() -> Self {
        let this = fs::read_link("/proc/thread-self").unwrap();
        let this = this.file_name().unwrap().to_str().unwrap().parse().unwrap();
        Self {
            this,
            known: BTreeMap::new(),
            others: ids(),
        }
    }

    /// Waits until all of them are at rest.
    pub(crate) fn rest(&mut self) {
        loop {
            let before = self.turns_if_asleep();
            if before.is_some() && before == self.turns_if_asleep() {
                return;
            }
            std::thread::yield_now();
        }
    }

    /// Waits until all threads have ended that were not there at the beginning.
    pub(crate) fn wait_for_the_end(&self) {
        for _ in 0..PATIENCE {
            if ids().iter().all(|id| self.others.contains(id)) {
                return;
            }
            std::thread::yield_now();
        }
        panic!("a thread of a life that is over does not end");
    }

    /// `None` if one of them does not sleep.
    fn turns_if_asleep(&mut self) -> Option<Turns> {
        let mut ids = ids();
        ids.retain(|id| *id != self.this);
        self.known.retain(|id, _| ids.contains(id));
        let mut turns = Turns::with_capacity(ids.len());
        for id in ids {
            turns.push((id, self.thread(id)?.turns_if_asleep()?));
        }
        Some(turns)
    }

    /// `None` if it has ended meanwhile.
    fn thread(&mut self, id: u32) -> Option<&Thread> {
        if let Entry::Vacant(unknown) = self.known.entry(id) {
            unknown.insert(Thread::open(id)?);
        }
        self.known.get(&id)
    }
}

impl Thread {
    /// `None` if it has ended meanwhile.
    fn open(id: u32) -> Option<Self> {
        let open = |name| File::open(format!("/proc/self/task/{id}/{name}")).ok();
        Some(Self {
            stat: open("stat")?,
            schedstat: open("schedstat")?,
            wchan: open("wchan")?,
        })
    }

    /// `None` if it does not sleep, or has ended.
    fn turns_if_asleep(&self) -> Option<u64> {
        let stat = read(&self.stat)?;
        // "id (name) state …", where a name may hold anything.
        let is_asleep = stat.rsplit_once(") ")?.1.starts_with('S');
        let schedstat = read(&self.schedstat)?;
        let turns = schedstat.split_whitespace().nth(2)?.parse().unwrap();
        // Neither a back-off of a lock nor one of SQLite is rest: it ends by itself.
        let is_pause = read(&self.wchan)?.contains("nanosleep");
        (is_asleep && !is_pause).then_some(turns)
    }
}

fn read(file: &File) -> Option<String> {
    let mut buffer = [0; 1024];
    let len = file.read_at(&mut buffer, 0).ok()?;
    Some(String::from_utf8_lossy(&buffer[..len]).into_owned())
}

fn ids() -> Vec<u32> {
    fs::read_dir("/proc/self/task")
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .file_name()
                .to_str()
                .unwrap()
                .parse()
                .unwrap()
        })
        .collect()
}
