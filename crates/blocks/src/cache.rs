//! Decoded blobs and nodes kept in memory, each loaded once at a time.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    hash::Hash,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use crate::error::Error;

/// Forgets what was used longest ago once the weights exceed a limit.
#[derive(Debug)]
pub(crate) struct Lru<K, V> {
    entries: HashMap<K, Entry<V>>,
    by_use: BTreeMap<u64, K>,
    next_use: u64,
    weight: usize,
    max_weight: usize,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    weight: usize,
    last_use: u64,
}

impl<K: Copy + Eq + Hash, V: Clone> Lru<K, V> {
    /// An empty one that holds at most `max_weight`.
    pub(crate) fn new(max_weight: usize) -> Self {
        Self {
            entries: HashMap::new(),
            by_use: BTreeMap::new(),
            next_use: 0,
            weight: 0,
            max_weight,
        }
    }

    /// Finds a value, and notes that it was used.
    pub(crate) fn get(&mut self, key: &K) -> Option<V> {
        let entry = self.entries.get_mut(key)?;
        self.by_use.remove(&entry.last_use);
        entry.last_use = self.next_use;
        self.by_use.insert(self.next_use, *key);
        self.next_use += 1;
        Some(entry.value.clone())
    }

    /// Keeps a value. One heavier than the limit is not kept.
    pub(crate) fn insert(&mut self, key: K, value: V, weight: usize) {
        self.remove(&key);
        if weight > self.max_weight {
            return;
        }
        self.weight += weight;
        self.by_use.insert(self.next_use, key);
        self.entries.insert(
            key,
            Entry {
                value,
                weight,
                last_use: self.next_use,
            },
        );
        self.next_use += 1;
        self.shrink();
    }

    /// Forgets a value.
    pub(crate) fn remove(&mut self, key: &K) {
        if let Some(entry) = self.entries.remove(key) {
            self.by_use.remove(&entry.last_use);
            self.weight -= entry.weight;
        }
    }

    fn shrink(&mut self) {
        while self.weight > self.max_weight {
            let Some((_, oldest)) = self.by_use.first_key_value() else {
                return;
            };
            let oldest = *oldest;
            self.remove(&oldest);
        }
    }
}

/// A cache in front of a slow load. Callers who want the same value at the same time share one
/// load; when it fails each of them tries for itself, so that each has an error of its own.
pub(crate) struct Cache<K, V> {
    state: Mutex<State<K, V>>,
    landed: Condvar,
}

struct State<K, V> {
    kept: Lru<K, V>,
    loading: HashSet<K>,
}

impl<K: Copy + Eq + Hash, V: Clone> Cache<K, V> {
    /// An empty cache for at most `max_bytes`.
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self {
            state: Mutex::new(State {
                kept: Lru::new(max_bytes),
                loading: HashSet::new(),
            }),
            landed: Condvar::new(),
        }
    }

    /// The value under `key`, from memory or by `load`, which also tells its weight in bytes.
    pub(crate) fn get_or_load(
        &self,
        key: K,
        load: impl FnOnce() -> Result<(V, usize), Error>,
    ) -> Result<V, Error> {
        if let Some(value) = self.find_or_claim(key) {
            return Ok(value);
        }
        let flight = Flight { cache: self, key };
        let (value, weight) = load()?;
        self.lock().kept.insert(key, value.clone(), weight);
        drop(flight);
        Ok(value)
    }

    /// The value, or `None` when the caller is the one who has to load it.
    fn find_or_claim(&self, key: K) -> Option<V> {
        let mut state = self.lock();
        loop {
            if let Some(value) = state.kept.get(&key) {
                return Some(value);
            }
            if state.loading.insert(key) {
                return None;
            }
            state = self
                .landed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> fmt::Debug for Cache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}

/// Ends a load however it ends, so that nobody waits for a load that panicked.
struct Flight<'a, K: Copy + Eq + Hash, V: Clone> {
    cache: &'a Cache<K, V>,
    key: K,
}

impl<K: Copy + Eq + Hash, V: Clone> Drop for Flight<'_, K, V> {
    fn drop(&mut self) {
        self.cache.lock().loading.remove(&self.key);
        self.cache.landed.notify_all();
    }
}

#[cfg(test)]
#[allow(clippy::assertions_on_result_states)]
mod tests {
    use std::sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    #[test]
    fn forgets_what_was_used_longest_ago() {
        let mut lru = Lru::new(10);
        lru.insert(1, 'a', 4);
        lru.insert(2, 'b', 4);
        assert_eq!(lru.get(&1), Some('a'));
        lru.insert(3, 'c', 4);
        assert_eq!(
            (lru.get(&1), lru.get(&2), lru.get(&3)),
            (Some('a'), None, Some('c'))
        );
        lru.insert(4, 'd', 11);
        assert_eq!((lru.get(&4), lru.weight), (None, 8));
    }

    #[test]
    fn one_load_serves_all_who_wait() {
        let cache = Cache::new(100);
        let (loads, together) = (AtomicUsize::new(0), Barrier::new(4));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    together.wait();
                    let load = || {
                        loads.fetch_add(1, Ordering::Relaxed);
                        Ok((7, 1))
                    };
                    assert_eq!(cache.get_or_load(1, load).unwrap(), 7);
                });
            }
        });
        assert_eq!(loads.into_inner(), 1);
    }

    #[test]
    fn a_failed_load_is_tried_again() {
        let cache: Cache<u8, u8> = Cache::new(100);
        assert!(
            cache
                .get_or_load(1, || Err(Error::BlockSize { len: 0 }))
                .is_err()
        );
        assert_eq!(cache.get_or_load(1, || Ok((2, 1))).unwrap(), 2);
    }
}
