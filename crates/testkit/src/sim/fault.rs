//! Faults, the scripted death, the trace.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::Errno;

/// What is done to a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpKind {
    /// Opening a file that exists.
    Open,
    /// Creating a file.
    Create,
    /// Creating a directory.
    CreateDir,
    /// Listing a directory.
    List,
    /// Removing a file.
    Remove,
    /// Removing a directory.
    RemoveDir,
    /// Renaming a file.
    Rename,
    /// Syncing a directory.
    SyncDir,
    /// Reading, whether or not it may wait.
    Read,
    /// Writing.
    Write,
    /// Writing durably.
    WriteDurably,
    /// Punching a hole.
    Punch,
    /// Allocating space.
    Allocate,
    /// Setting the length.
    SetLen,
    /// Asking for the length, data or holes.
    Query,
    /// Syncing a file.
    Sync,
    /// Taking the lock.
    Lock,
}

impl OpKind {
    /// Whether it changes what a crash leaves behind.
    pub fn is_mutation(self) -> bool {
        !matches!(
            self,
            Self::Open | Self::List | Self::Read | Self::Query | Self::Lock
        )
    }
}

/// A failure to come.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What fails.
    pub op: OpKind,
    /// Only on paths that contain this; an empty one means all.
    pub path_contains: String,
    /// How many such operations succeed first.
    pub skip: u64,
    /// How many fail then. After these everything works again.
    pub times: u64,
    /// How they fail.
    pub errno: Errno,
    /// They panic instead, as a bug in whoever asks for them would.
    pub panics: bool,
}

impl Fault {
    /// The `nth` operation of a kind fails, counted from 1.
    pub fn nth(op: OpKind, nth: u64, errno: Errno) -> Self {
        Self {
            op,
            path_contains: String::new(),
            skip: nth.saturating_sub(1),
            times: 1,
            errno,
            panics: false,
        }
    }

    /// Every operation of a kind fails.
    pub fn always(op: OpKind, errno: Errno) -> Self {
        Self {
            op,
            path_contains: String::new(),
            skip: 0,
            times: u64::MAX,
            errno,
            panics: false,
        }
    }

    /// With a panic rather than an error.
    #[must_use]
    pub fn by_panic(self) -> Self {
        Self {
            panics: true,
            ..self
        }
    }

    /// Only on paths that contain `part`.
    #[must_use]
    pub fn on(self, part: &str) -> Self {
        Self {
            path_contains: part.to_owned(),
            ..self
        }
    }
}

/// An operation that was asked for, whether or not it succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceEntry {
    /// What was done.
    pub op: OpKind,
    /// To which file or directory, by the name it was opened under.
    pub path: PathBuf,
    /// Where in the file, in bytes; 0 where that means nothing.
    pub offset: u64,
    /// How much, in bytes; 0 where that means nothing.
    pub len: u64,
    /// A checksum of what was to be written (FNV-1a); 0 for all but writes.
    pub sum: u64,
}

/// Called at the instant of a death.
#[derive(Clone)]
pub(super) struct OnDeath(pub(super) Arc<dyn Fn() + Send + Sync>);

impl fmt::Debug for OnDeath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnDeath")
    }
}

/// Whether an operation may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Proceed,
    /// The process dies in it: a write may have been done in part.
    Die,
}

/// What was scripted to go wrong, and what has been done so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    faults: Vec<Fault>,
    /// How many mutations succeed before the process is dead.
    lives: Option<u64>,
    pub(super) dead: bool,
    on_death: Option<OnDeath>,
    pub(super) mutations: u64,
    pub(super) trace: Option<Vec<TraceEntry>>,
}

impl Script {
    pub(super) fn add(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    pub(super) fn clear_faults(&mut self) {
        self.faults.clear();
    }

    pub(super) fn die_at(&mut self, nth: u64) {
        self.lives = Some(nth);
    }

    pub(super) fn on_death(&mut self, tell: OnDeath) {
        self.on_death = Some(tell);
    }

    /// The process is dead from now on. Tells once.
    pub(super) fn die(&mut self) {
        self.dead = true;
        if let Some(OnDeath(tell)) = self.on_death.take() {
            tell();
        }
    }

    /// Notes what the write that was judged last is to write.
    pub(super) fn note_bytes(&mut self, bytes: &[u8]) {
        if let Some(entry) = self.trace.as_mut().and_then(|trace| trace.last_mut()) {
            entry.sum = checksum(bytes);
        }
    }

    /// A new process: nothing is scripted for it.
    pub(super) fn revive(&mut self) {
        self.dead = false;
        self.lives = None;
        self.on_death = None;
        self.faults.clear();
    }

    /// Decides about an operation.
    pub(super) fn judge(
        &mut self,
        op: OpKind,
        path: &Path,
        offset: u64,
        len: u64,
    ) -> io::Result<Verdict> {
        if self.dead {
            return Err(dead());
        }
        if let Some(trace) = &mut self.trace {
            trace.push(TraceEntry {
                op,
                path: path.to_path_buf(),
                offset,
                len,
                sum: 0,
            });
        }
        if op.is_mutation() {
            if self.lives == Some(0) {
                self.die();
                return Ok(Verdict::Die);
            }
            self.lives = self.lives.map(|lives| lives - 1);
            self.mutations += 1;
        }
        self.fail(op, path)?;
        Ok(Verdict::Proceed)
    }

    fn fail(&mut self, op: OpKind, path: &Path) -> io::Result<()> {
        let path = path.to_string_lossy();
        for fault in self
            .faults
            .iter_mut()
            .filter(|fault| fault.op == op && path.contains(&fault.path_contains))
        {
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if fault.times > 0 {
                fault.times -= 1;
                assert!(!fault.panics, "an injected panic");
                return Err(fault.errno.into());
            }
        }
        Ok(())
    }
}

/// FNV-1a, of 64 bits.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// What a dead process is told.
pub(super) fn dead() -> io::Error {
    io::Error::other("the simulated process is dead")
}
