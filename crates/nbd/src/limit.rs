//! Devices that do no more in a second than they are told to.
//!
//! Each limit is a bucket that fills at a rate, up to what it holds; a request that finds too little in
//! it waits for the rest. It is kept as the instant at which the bucket will be full again, had nothing
//! more been taken: nothing has to be done while time goes by.

use std::{
    fmt, io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::device::{BlockDevice, Extent, Outcome, Wait};

/// What a bucket holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Operations; a request counts as one for each so many bytes that it has, and at least as one.
    Operations {
        /// The bytes of one, not 0.
        bytes: u64,
    },
    /// Bytes.
    Bytes,
}

/// A limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Of what.
    pub unit: Unit,
    /// How many a second; 0 counts as 1.
    pub per_second: u64,
    /// How many may come at once after a pause.
    pub burst: u64,
}

const SECOND: u128 = 1_000_000_000;

impl Limit {
    fn units(&self, bytes: u64) -> u64 {
        match self.unit {
            Unit::Operations { bytes: each } => bytes.div_ceil(each.max(1)).max(1),
            Unit::Bytes => bytes,
        }
    }

    /// How long it takes until so many have come in, in nanoseconds.
    fn nanos(&self, units: u64) -> u128 {
        u128::from(units) * SECOND / u128::from(self.per_second.max(1))
    }
}

/// What has been taken of a limit.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    limit: Limit,
    /// When it is full, in nanoseconds.
    full_at: u128,
}

impl Bucket {
    fn delay(&self, now: u128) -> u128 {
        let allowed = now + self.limit.nanos(self.limit.burst);
        self.full_at.saturating_sub(allowed)
    }

    fn take(&mut self, now: u128, bytes: u64) {
        let cost = self.limit.nanos(self.limit.units(bytes));
        self.full_at = self.full_at.max(now) + cost;
    }
}

/// Where time comes from: any that does not go back, from any beginning.
pub type Now = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The limits of a device, which can change while it is in use.
pub struct Limiter {
    now: Now,
    buckets: Mutex<Vec<Bucket>>,
    /// How often those that wait were told to give up.
    abandonments: Mutex<u64>,
    abandoned: Condvar,
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("buckets", &self.buckets)
            .finish_non_exhaustive()
    }
}

impl Limiter {
    /// Without limits.
    pub fn new(now: Now) -> Self {
        Self {
            now,
            buckets: Mutex::default(),
            abandonments: Mutex::default(),
            abandoned: Condvar::new(),
        }
    }

    /// Sets the limits. Buckets begin full; limits that stay as they are go on.
    pub fn set(&self, limits: &[Limit]) {
        let mut buckets = lock(&self.buckets);
        if buckets
            .iter()
            .map(|bucket| bucket.limit)
            .eq(limits.iter().copied())
        {
            return;
        }
        let fresh = limits.iter().map(|limit| Bucket {
            limit: *limit,
            full_at: 0,
        });
        *buckets = fresh.collect();
    }

    /// How long the next request has to wait.
    pub fn delay(&self) -> Duration {
        let now = (self.now)().as_nanos();
        let buckets = lock(&self.buckets);
        let delays = buckets.iter().map(|bucket| bucket.delay(now));
        let nanos = delays.max().unwrap_or_default();
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Takes what a request of so many bytes needs. A request that is larger than a burst is let through
    /// whole, and those behind it wait for longer.
    pub fn take(&self, bytes: u64) {
        let now = (self.now)().as_nanos();
        for bucket in lock(&self.buckets).iter_mut() {
            bucket.take(now, bytes);
        }
    }

    /// Takes what a request needs and waits until it has come in, or until the waits are abandoned.
    fn take_turn(&self, bytes: u64) {
        let delay = {
            let delay = self.delay();
            self.take(bytes);
            delay
        };
        if delay.is_zero() {
            return;
        }
        let count = lock(&self.abandonments);
        let seen = *count;
        drop(
            self.abandoned
                .wait_timeout_while(count, delay, |count| *count == seen),
        );
    }

    fn abandon_waits(&self) {
        *lock(&self.abandonments) += 1;
        self.abandoned.notify_all();
    }
}

/// What is behind these locks is whole at every moment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A device whose reads and writes keep to limits.
#[derive(Debug)]
pub struct Limited<D> {
    device: D,
    limiter: Arc<Limiter>,
}

impl<D: BlockDevice> Limited<D> {
    /// A device that keeps to the limits of `limiter`.
    pub fn new(device: D, limiter: Arc<Limiter>) -> Self {
        Self { device, limiter }
    }

    fn paced(
        &self,
        bytes: usize,
        wait: Wait,
        call: impl FnOnce(Wait) -> io::Result<Outcome>,
    ) -> io::Result<Outcome> {
        let bytes = bytes as u64;
        match wait {
            Wait::Yes => {
                self.limiter.take_turn(bytes);
                call(wait)
            }
            Wait::No if self.limiter.delay().is_zero() => {
                let outcome = call(wait)?;
                // What is declined comes again, and is counted then.
                if outcome == Outcome::Done {
                    self.limiter.take(bytes);
                }
                Ok(outcome)
            }
            Wait::No => Ok(Outcome::WouldBlock),
        }
    }
}

impl<D: BlockDevice> BlockDevice for Limited<D> {
    fn size(&self) -> u64 {
        self.device.size()
    }

    fn read_only(&self) -> bool {
        self.device.read_only()
    }

    fn read(&self, offset: u64, buf: &mut [u8], wait: Wait) -> io::Result<Outcome> {
        self.paced(buf.len(), wait, |wait| self.device.read(offset, buf, wait))
    }

    fn write(&self, offset: u64, data: &[u8], fua: bool, wait: Wait) -> io::Result<Outcome> {
        self.paced(data.len(), wait, |wait| {
            self.device.write(offset, data, fua, wait)
        })
    }

    fn flush(&self) -> io::Result<()> {
        self.device.flush()
    }

    fn trim(&self, offset: u64, len: u64, fua: bool) -> io::Result<()> {
        self.device.trim(offset, len, fua)
    }

    fn write_zeroes(&self, offset: u64, len: u64, no_hole: bool, fua: bool) -> io::Result<()> {
        self.device.write_zeroes(offset, len, no_hole, fua)
    }

    fn fast_zeroes(&self, no_hole: bool) -> bool {
        self.device.fast_zeroes(no_hole)
    }

    fn abandon_waits(&self) {
        self.limiter.abandon_waits();
        self.device.abandon_waits();
    }

    fn extents(&self, offset: u64, len: u64) -> io::Result<Vec<Extent>> {
        self.device.extents(offset, len)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::devices::MemoryDevice;

    /// A clock that goes on when it is told to.
    fn paused() -> (Arc<AtomicU64>, Now) {
        let millis = Arc::new(AtomicU64::new(1_000));
        let read = Arc::clone(&millis);
        (
            millis,
            Arc::new(move || Duration::from_millis(read.load(Ordering::SeqCst))),
        )
    }

    fn operations(per_second: u64, burst: u64) -> Limit {
        Limit {
            unit: Unit::Operations { bytes: 16 << 10 },
            per_second,
            burst,
        }
    }

    #[test]
    fn a_device_does_as_much_as_its_limit_lets_it_and_no_more() {
        let (millis, now) = paused();
        let limiter = Arc::new(Limiter::new(now));
        let device = Limited::new(MemoryDevice::new(1 << 20), Arc::clone(&limiter));
        let mut buf = [0; 4096];
        // As many as there are until one would have to wait; a million is no limit.
        let mut run = || {
            let mut done = 0;
            while done < 1_000_000
                && device.read(0, &mut buf, Wait::No).expect("a read") == Outcome::Done
            {
                done += 1;
            }
            done
        };
        limiter.set(&[operations(100, 10)]);
        assert_eq!(run(), 11, "a burst, and one that empties the bucket");
        assert_eq!(limiter.delay(), Duration::from_millis(10));
        assert_eq!(run(), 0);
        for _ in 0..5 {
            millis.fetch_add(1_000, Ordering::SeqCst);
            limiter.set(&[operations(100, 10)]);
            assert!(
                (10..=11).contains(&run()),
                "what is not used does not add up"
            );
        }
        millis.fetch_add(100, Ordering::SeqCst);
        assert_eq!(run(), 10);
        limiter.set(&[operations(1_000, 10)]);
        assert_eq!(run(), 11, "the new limit begins with a full bucket");
        limiter.set(&[]);
        assert_eq!(run(), 1_000_000);
    }

    #[test]
    fn the_tightest_limit_counts_and_large_requests_count_for_several() {
        let (millis, now) = paused();
        let limiter = Limiter::new(now);
        let bytes = Limit {
            unit: Unit::Bytes,
            per_second: 1 << 20,
            burst: 0,
        };
        limiter.set(&[operations(1_000, 0), bytes]);
        limiter.take(64 << 10);
        assert_eq!(
            limiter.delay(),
            Duration::from_micros(62_500),
            "a sixteenth of a second for the bytes, four milliseconds for the operations"
        );
        millis.fetch_add(63, Ordering::SeqCst);
        assert_eq!(limiter.delay(), Duration::ZERO);
        limiter.set(&[operations(1_000, 0)]);
        limiter.take(64 << 10);
        assert_eq!(limiter.delay(), Duration::from_millis(4));
        limiter.take(0);
        assert_eq!(
            limiter.delay(),
            Duration::from_millis(5),
            "an empty one is one"
        );
    }

    #[test]
    fn who_waits_is_let_go_when_the_waits_are_abandoned() {
        let (_, now) = paused();
        let limiter = Arc::new(Limiter::new(now));
        let device = Arc::new(Limited::new(
            MemoryDevice::new(1 << 20),
            Arc::clone(&limiter),
        ));
        // One in a hundred days.
        let rare = Limit {
            unit: Unit::Bytes,
            per_second: 1,
            burst: 0,
        };
        limiter.set(&[rare]);
        limiter.take(8_640_000);
        let reader = {
            let device = Arc::clone(&device);
            std::thread::spawn(move || device.read(0, &mut [0; 512], Wait::Yes))
        };
        while !reader.is_finished() {
            device.abandon_waits();
            std::thread::yield_now();
        }
        let outcome = reader.join().expect("a reader").expect("a read");
        assert_eq!(outcome, Outcome::Done);
    }
}
