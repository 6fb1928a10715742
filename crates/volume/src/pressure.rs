//! Scarcity of space, and what writers do about it.
//!
//! Whoever watches the file system says how scarce space is; all volumes on it share the word. Writers
//! are slowed down before space runs out, so that what is under way can end and people can act,
//! and wait when it has run out. A guest sees slow writes, never an error.

use std::{
    io,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{
    sync::{Signal, lock},
    types::{Scarcity, Wait, WhenFull},
    volume::{Core, Volume},
};

/// How long each write waits while space is low.
const SLOW: Duration = Duration::from_millis(20);
/// How often a writer that waits looks whether there is space: the file system does not say.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// How scarce space is on a file system, as said by whoever watches it.
#[derive(Debug, Default)]
pub struct Pressure {
    scarcity: Mutex<Scarcity>,
    /// Whether it is anything but [`Scarcity::Ample`]: all that writers look at in the steady state.
    is_felt: AtomicBool,
    changed: Signal,
}

impl Pressure {
    /// Says how scarce space is. Returns what was said before.
    pub fn set(&self, scarcity: Scarcity) -> Scarcity {
        let before = std::mem::replace(&mut *lock(&self.scarcity), scarcity);
        self.is_felt
            .store(scarcity != Scarcity::Ample, Ordering::Release);
        self.changed.raise();
        before
    }

    /// What was said last.
    pub fn get(&self) -> Scarcity {
        *lock(&self.scarcity)
    }
}

impl Volume {
    /// Lets go of the calls that wait now for space or for room in the journal: they fail, with
    /// nothing acknowledged. For callers that are gone, and will not hear of it.
    pub fn abandon_waits(&self) {
        self.core.abandonments.fetch_add(1, Ordering::SeqCst);
        self.core.room.raise();
        self.core.options.pressure.changed.raise();
    }
}

/// A call that may have to wait: it ends when the waits of the volume are abandoned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    abandonments: u64,
}

impl Core {
    /// Begins a call that may have to wait.
    pub(crate) fn patience(&self) -> Patience {
        Patience {
            abandonments: self.abandonments.load(Ordering::SeqCst),
        }
    }

    /// Refuses to wait on a volume that is at its end, or for a caller that is gone.
    pub(crate) fn may_wait(&self, patience: Patience) -> io::Result<()> {
        self.check_usable()?;
        if self.abandonments.load(Ordering::SeqCst) == patience.abandonments {
            Ok(())
        } else {
            Err(io::Error::new(
                io::ErrorKind::Interrupted,
                "the wait was abandoned",
            ))
        }
    }

    /// Holds a writer back while space is scarce. False if it would have to wait.
    pub(crate) fn admit_writer(&self, wait: Wait) -> io::Result<bool> {
        let pressure = &self.options.pressure;
        if !pressure.is_felt.load(Ordering::Acquire) {
            return Ok(true);
        }
        if wait == Wait::No {
            return Ok(false);
        }
        let (patience, seen) = (self.patience(), pressure.changed.now());
        if pressure.get() == Scarcity::Low {
            pressure.changed.wait_at_most(seen, SLOW);
        }
        loop {
            let seen = pressure.changed.now();
            if pressure.get() != Scarcity::Exhausted {
                return Ok(true);
            }
            self.may_wait(patience)?;
            pressure.changed.wait_at_most(seen, LOOK_AGAIN);
        }
    }

    /// Waits a while for space, or refuses to.
    pub(crate) fn wait_for_space(&self, seen: u64) -> io::Result<()> {
        match self.options.when_full {
            WhenFull::Refuse => Err(io::ErrorKind::StorageFull.into()),
            WhenFull::Hold => {
                self.room.wait_at_most(seen, LOOK_AGAIN);
                Ok(())
            }
        }
    }
}
