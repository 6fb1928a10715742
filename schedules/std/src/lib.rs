//! The standard library, but what threads wait by and start with is shuttle's, which decides who
//! runs next and can try many orders.
//!
//! A crate that is compiled with `extern crate cairn_schedules_std as std` runs under shuttle
//! without a line of it being changed. `Arc` stays the standard one: nobody waits for it.

#![forbid(unsafe_code)]

pub use std::*;

/// Locks and atomics.
pub mod sync {
    pub use shuttle::sync::{
        Barrier, Condvar, Mutex, MutexGuard, Once, RwLock, RwLockReadGuard, RwLockWriteGuard, mpsc,
    };
    pub use std::sync::*;

    /// Atomics; all of them behave as with `SeqCst`.
    pub mod atomic {
        pub use shuttle::sync::atomic::*;
    }
}

/// Threads.
pub mod thread {
    pub use shuttle::thread::{
        Builder, JoinHandle, Scope, ScopedJoinHandle, current, park, scope, sleep, spawn, yield_now,
    };
    pub use std::thread::*;
}

/// Runs a scenario in many orders: chosen at random, and by PCT (Burckhardt et al., "A Randomized
/// Scheduler with Probabilistic Guarantees of Finding Bugs", ASPLOS 2010) with up to three changes
/// of priority. Each tries `usual` orders, or
/// `CAIRN_SCHEDULES`; `CAIRN_SEED` chooses others. An order that fails
/// is written into `dir`; shuttle says where, and `shuttle::replay_from_file` repeats it.
#[expect(clippy::print_stdout, reason = "shown with a test that fails")]
pub fn in_many_orders(usual: u64, dir: &'static str, scenario: fn()) {
    use shuttle::scheduler::{PctScheduler, RandomScheduler};
    let number = |name: &str, usual: u64| match env::var(name) {
        Ok(text) => text.parse().expect("a number"),
        Err(_) => usual,
    };
    let (seed, orders) = (number("CAIRN_SEED", 1), number("CAIRN_SCHEDULES", usual));
    println!("seed {seed}, {orders} orders by each scheduler");
    let orders = usize::try_from(orders).expect("a number of orders");
    let config = || {
        let mut config = shuttle::Config::new();
        config.stack_size = 1 << 20;
        config.failure_persistence = shuttle::FailurePersistence::File(Some(dir.into()));
        config
    };
    let random = RandomScheduler::new_from_seed(seed, orders);
    shuttle::Runner::new(random, config()).run(scenario);
    let pct = PctScheduler::new_from_seed(seed, 3, orders);
    shuttle::Runner::new(pct, config()).run(scenario);
}
