//! The cache and the sessions of `cairn-blocks`, from their own source, with a standard library
//! that is scheduled; and scenarios for them, which are here because neither is public.

#![forbid(unsafe_code)]
#![allow(dead_code, unreachable_pub)]

extern crate cairn_schedules_std as std;

#[path = "../../../crates/blocks/src/cache.rs"]
mod cache;
#[path = "../../../crates/blocks/src/session.rs"]
mod session;

mod error {
    pub(crate) use cairn_blocks::Error;
}

mod types {
    pub(crate) use cairn_blocks::PackId;
}

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use cairn_blocks::{Error, PackId};

use crate::{cache::Cache, session::Sessions};

/// Three readers of one blob, which fits: one load serves all. No room for it: each has the right
/// bytes, and nobody waits for ever.
pub fn one_load_serves_all(max_weight: usize) {
    let cache = Arc::new(Cache::new(max_weight));
    let (loads, under_way) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (cache, loads) = (Arc::clone(&cache), Arc::clone(&loads));
            let under_way = Arc::clone(&under_way);
            thread::spawn(move || {
                let load = || {
                    let others = under_way.fetch_add(1, Ordering::SeqCst);
                    assert_eq!(others, 0, "two loads of one blob at once");
                    loads.fetch_add(1, Ordering::SeqCst);
                    under_way.fetch_sub(1, Ordering::SeqCst);
                    Ok((7, 10))
                };
                assert_eq!(cache.get_or_load(1, load).ok(), Some(7));
            })
        })
        .collect();
    join(readers);
    let loads = loads.load(Ordering::SeqCst);
    let expected = if max_weight >= 10 { 1 } else { 3 };
    assert_eq!(loads, expected, "loads");
}

/// The first load fails, and only its own reader hears of it.
pub fn a_failure_is_its_readers_own() {
    let cache = Arc::new(Cache::new(100));
    let loads = Arc::new(AtomicUsize::new(0));
    let failures = Arc::new(AtomicUsize::new(0));
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (cache, loads) = (Arc::clone(&cache), Arc::clone(&loads));
            let failures = Arc::clone(&failures);
            thread::spawn(move || {
                let load = || match loads.fetch_add(1, Ordering::SeqCst) {
                    0 => Err(Error::BlockSize { len: 0 }),
                    _ => Ok((7, 1)),
                };
                match cache.get_or_load(1, load) {
                    Ok(value) => assert_eq!(value, 7),
                    Err(_) => drop(failures.fetch_add(1, Ordering::SeqCst)),
                }
            })
        })
        .collect();
    join(readers);
    assert_eq!(failures.load(Ordering::SeqCst), 1, "failures");
    assert_eq!(loads.load(Ordering::SeqCst), 2, "loads");
}

/// Two keys for which there is no room together, asked for by turns: nobody gets the other's.
pub fn an_eviction_mixes_nothing_up() {
    let cache = Arc::new(Cache::new(10));
    let readers: Vec<_> = (0..3_u64)
        .map(|reader| {
            let cache = Arc::clone(&cache);
            thread::spawn(move || {
                for key in [reader % 2, (reader + 1) % 2] {
                    let value = cache.get_or_load(key, || Ok((key + 100, 8)));
                    assert_eq!(value.ok(), Some(key + 100));
                }
            })
        })
        .collect();
    join(readers);
}

/// A put finds a blob in a pack while two passes of a collection look for packs to condemn. As long
/// as its session is open, the pack is condemned only if the put did not find it live.
pub fn a_pack_that_is_relied_on_is_not_condemned() {
    const PACK: PackId = PackId(1);
    let sessions: Arc<Sessions> = Arc::default();
    // What the index knows of the pack.
    let condemned = Arc::new(AtomicBool::new(false));
    let collector = {
        let (sessions, condemned) = (Arc::clone(&sessions), Arc::clone(&condemned));
        thread::spawn(move || {
            for _ in 0..2 {
                let oldest = sessions.begin_pass();
                let _alone = sessions.condemning();
                let packs = sessions.untouched(&[PACK], oldest);
                if !packs.is_empty() {
                    condemned.store(true, Ordering::SeqCst);
                    sessions.condemn(packs);
                }
            }
        })
    };
    let session = sessions.open();
    let is_hit = {
        let _relying = sessions.relying();
        let is_live = !condemned.load(Ordering::SeqCst);
        if is_live {
            sessions.touch([PACK]);
        }
        is_live
    };
    join(vec![collector]);
    let is_condemned = condemned.load(Ordering::SeqCst);
    assert!(!(is_hit && is_condemned), "condemned while relied on");
    drop(session);
}

fn join(threads: Vec<thread::JoinHandle<()>>) {
    for thread in threads {
        assert!(thread.join().is_ok(), "a thread panicked");
    }
}
