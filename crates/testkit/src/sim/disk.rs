//! The [`SimDisk`] and its files.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cairn_blocks::disk::{Disk, DiskFile, OpenMode, Space};

use super::{
    Errno,
    fault::{Fault, OnDeath, OpKind, TraceEntry, Verdict, dead},
    file::{File, Op},
    image::PAGE,
    state::{Crash, Node, State},
};

/// A disk in memory. Clones are the same disk.
#[derive(Clone)]
pub struct SimDisk(Arc<Mutex<State>>);

impl Default for SimDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimDisk").finish_non_exhaustive()
    }
}

impl SimDisk {
    /// An empty disk of 1 PiB, which never gets full.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(State::new())))
    }

    /// Another disk that is in the same state, also in what is not synced. Files opened on this
    /// one stay with this one.
    pub fn fork(&self) -> Self {
        let mut state = self.lock().clone();
        state.close_all();
        Self(Arc::new(Mutex::new(state)))
    }

    /// Ends the process: files opened so far answer every call with an error from now on, locks
    /// are gone, and so is everything scripted. What was not synced fares as `crash` says.
    pub fn crash(&self, crash: Crash) {
        self.lock().crash(crash);
    }

    /// Lets `nth` more mutations succeed, then the process is dead: the next mutation, which if
    /// it is a write may be done in part, and every operation after it fail, until
    /// [`crash`](Self::crash).
    pub fn crash_at(&self, nth: u64) {
        self.lock().script.die_at(nth);
    }

    /// The process is dead from now on, between two operations; if it was already, it stays so.
    pub fn kill(&self) {
        let mut state = self.lock();
        if !state.script.dead {
            state.script.die();
        }
    }

    /// Calls `tell` at the instant of this process's death, once, before anything that follows from it:
    /// for what else is to be as it was then. It must not use the disk.
    pub fn on_death(&self, tell: impl Fn() + Send + Sync + 'static) {
        self.lock().script.on_death(OnDeath(Arc::new(tell)));
    }

    /// Whether the process has died, of [`crash_at`](Self::crash_at) or of [`kill`](Self::kill).
    pub fn is_dead(&self) -> bool {
        self.lock().script.dead
    }

    /// How many mutations were asked for so far: what [`crash_at`](Self::crash_at) counts.
    pub fn mutations(&self) -> u64 {
        self.lock().script.mutations
    }

    /// Scripts a failure.
    pub fn inject(&self, fault: Fault) {
        self.lock().script.add(fault);
    }

    /// Forgets every scripted failure.
    pub fn clear_faults(&self) {
        self.lock().script.clear_faults();
    }

    /// Sets the size of the disk in bytes.
    pub fn set_capacity(&self, bytes: u64) {
        self.lock().capacity = bytes;
    }

    /// Sets the size of the disk so that `bytes` more fit, in pages of 4096.
    pub fn set_free(&self, bytes: u64) {
        let mut state = self.lock();
        state.capacity = state.used() + bytes;
    }

    /// Bytes in use.
    pub fn used(&self) -> u64 {
        self.lock().used()
    }

    /// Sets whether reads that must not wait find their bytes at hand.
    pub fn set_at_hand(&self, at_hand: bool) {
        self.lock().at_hand = at_hand;
    }

    /// How often a file was synced by [`DiskFile::sync_data`], also in vain. Durable writes do not
    /// count.
    ///
    /// # Panics
    /// When there is no such file.
    pub fn syncs(&self, path: impl AsRef<Path>) -> u64 {
        self.with_file(path.as_ref(), |file| file.syncs)
    }

    /// Whether a file has changes that a power failure may lose.
    ///
    /// # Panics
    /// When there is no such file.
    pub fn has_unsynced(&self, path: impl AsRef<Path>) -> bool {
        self.with_file(path.as_ref(), |file| file.has_unsynced())
    }

    /// Flips the bits of `mask` in a byte of a file, as rot does: on the device and for readers.
    ///
    /// # Panics
    /// When there is no such file.
    pub fn rot(&self, path: impl AsRef<Path>, offset: u64, mask: u8) {
        self.with_file(path.as_ref(), |file| file.rot(offset, mask));
    }

    /// What readers see in a file.
    ///
    /// # Panics
    /// When there is no such file.
    pub fn contents(&self, path: impl AsRef<Path>) -> Vec<u8> {
        self.with_file(path.as_ref(), |file| {
            let mut bytes =
                vec![0; usize::try_from(file.seen().len()).expect("it fits into memory")];
            file.seen().read(&mut bytes, 0);
            bytes
        })
    }

    /// Begins to record operations.
    pub fn start_trace(&self) {
        self.lock().script.trace = Some(Vec::new());
    }

    /// Ends recording and returns what was recorded.
    pub fn take_trace(&self) -> Vec<TraceEntry> {
        self.lock().script.trace.take().unwrap_or_default()
    }

    fn with_file<T>(&self, path: &Path, use_it: impl FnOnce(&mut File) -> T) -> T {
        let mut state = self.lock();
        let file = state
            .find_file(path)
            .ok()
            .and_then(|number| state.files.get_mut(&number));
        use_it(file.unwrap_or_else(|| panic!("there is no file {}", path.display())))
    }

    /// Judges an operation on a path, which a dying process does not get done.
    fn begin(&self, op: OpKind, path: &Path) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.lock();
        match state.script.judge(op, path, 0, 0)? {
            Verdict::Proceed => Ok(state),
            Verdict::Die => Err(dead()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let op = if mode == OpenMode::CreateNew {
            OpKind::Create
        } else {
            OpKind::Open
        };
        let mut state = self.begin(op, path)?;
        let number = match mode {
            OpenMode::CreateNew => state.create(path)?,
            OpenMode::Read | OpenMode::ReadWrite => state.find_file(path)?,
        };
        state.next_handle += 1;
        let (handle, process) = (state.next_handle, state.process);
        state
            .files
            .entry(number)
            .and_modify(|file| file.handles += 1);
        let writable = mode != OpenMode::Read;
        Ok(Arc::new(SimFile {
            disk: self.clone(),
            path: path.to_path_buf(),
            number,
            handle,
            process,
            writable,
        }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.begin(OpKind::CreateDir, path)?.create_dirs(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.begin(OpKind::List, dir)?.list(dir)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.begin(OpKind::Remove, path)?;
        state.find_file(path)?;
        state.remove(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut state = self.begin(OpKind::RemoveDir, path)?;
        state.find_dir(path)?;
        state.remove(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.begin(OpKind::Rename, from)?.rename(from, to)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let failed = match self.begin(OpKind::SyncDir, dir) {
            Ok(mut state) => return state.sync_dir(dir),
            Err(failed) => failed,
        };
        let mut state = self.lock();
        if !state.script.dead {
            state.fail_sync_dir(dir)?;
        }
        Err(failed)
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        let state = self.begin(OpKind::Query, path)?;
        let _: Node = state.find(path)?;
        Ok(Space {
            free: state.capacity.saturating_sub(state.used()),
            total: state.capacity,
        })
    }
}

/// An open file of a [`SimDisk`].
#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    path: PathBuf,
    number: u64,
    handle: u64,
    process: u64,
    writable: bool,
}

impl SimFile {
    /// Judges an operation and does it, unless the process dies in it.
    fn act<T>(
        &self,
        op: OpKind,
        offset: u64,
        len: u64,
        act: impl FnOnce(&mut File) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.alive()?;
        match state.script.judge(op, &self.path, offset, len)? {
            Verdict::Proceed => act(self.file(&mut state)?),
            Verdict::Die => Err(dead()),
        }
    }

    /// As [`act`](Self::act), for what needs the file to be open for writing.
    fn change<T>(
        &self,
        op: OpKind,
        offset: u64,
        len: u64,
        act: impl FnOnce(&mut File) -> io::Result<T>,
    ) -> io::Result<T> {
        self.check_writable()?;
        self.act(op, offset, len, act)
    }

    fn write(&self, op: OpKind, buf: &[u8], offset: u64) -> io::Result<()> {
        self.check_writable()?;
        let mut state = self.alive()?;
        let verdict = state
            .script
            .judge(op, &self.path, offset, buf.len() as u64)?;
        state.script.note_bytes(buf);
        let free_pages = state.free() / PAGE;
        let file = self.file(&mut state)?;
        if verdict == Verdict::Die {
            file.change(write_op(&buf[..buf.len() / 2 / 512 * 512], offset));
            return Err(dead());
        }
        let fits = usize::try_from(file.bytes_that_fit(offset, buf.len() as u64, free_pages))
            .expect("at most the buffer");
        match op {
            OpKind::WriteDurably if fits == buf.len() => file.change_durably(write_op(buf, offset)),
            _ => file.change(write_op(&buf[..fits], offset)),
        }
        if fits == buf.len() {
            Ok(())
        } else {
            Err(Errno::NOSPC.into())
        }
    }

    fn read(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.act(OpKind::Read, offset, buf.len() as u64, |file| match offset
            .checked_add(buf.len() as u64)
        {
            Some(end) if end <= file.seen().len() => {
                file.seen().read(buf, offset);
                Ok(())
            }
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        })
    }

    fn check_writable(&self) -> io::Result<()> {
        if self.writable {
            Ok(())
        } else {
            Err(Errno::BADF.into())
        }
    }

    /// The state of the disk, unless this file belongs to a process that has ended.
    fn alive(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.disk.lock();
        if state.process == self.process {
            Ok(state)
        } else {
            Err(dead())
        }
    }

    fn file<'a>(&self, state: &'a mut State) -> io::Result<&'a mut File> {
        state
            .files
            .get_mut(&self.number)
            .ok_or_else(|| Errno::STALE.into())
    }
}

impl DiskFile for SimFile {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.read(buf, offset)
    }

    fn try_read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<bool> {
        if self.alive()?.at_hand {
            self.read(buf, offset).map(|()| true)
        } else {
            Ok(false)
        }
    }

    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.write(OpKind::Write, buf, offset)
    }

    fn write_all_at_durably(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.write(OpKind::WriteDurably, buf, offset)
    }

    fn punch_hole(&self, offset: u64, len: u64) -> io::Result<()> {
        self.change(OpKind::Punch, offset, len, |file| {
            file.change(Op::Punch { offset, len });
            Ok(())
        })
    }

    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        self.check_writable()?;
        let mut state = self.alive()?;
        if state
            .script
            .judge(OpKind::Allocate, &self.path, offset, len)?
            == Verdict::Die
        {
            return Err(dead());
        }
        let free_pages = state.free() / PAGE;
        let file = self.file(&mut state)?;
        if file.pages_to_allocate(offset, len) > free_pages {
            return Err(Errno::NOSPC.into());
        }
        file.allocate(offset, len);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(OpKind::SetLen, 0, len, |file| {
            file.change(Op::SetLen(len));
            Ok(())
        })
    }

    fn len(&self) -> io::Result<u64> {
        self.act(OpKind::Query, 0, 0, |file| Ok(file.seen().len()))
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        self.act(OpKind::Query, offset, 0, |file| {
            Ok(file.seen().next_data(offset))
        })
    }

    fn next_hole(&self, offset: u64) -> io::Result<u64> {
        self.act(OpKind::Query, offset, 0, |file| {
            Ok(file.seen().next_hole(offset))
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.alive()?;
        let verdict = state.script.judge(OpKind::Sync, &self.path, 0, 0);
        let is_dead = state.script.dead;
        let file = self.file(&mut state)?;
        match verdict {
            Ok(Verdict::Proceed) => {
                file.sync();
                Ok(())
            }
            Ok(Verdict::Die) => Err(dead()),
            Err(failed) => {
                if !is_dead {
                    file.fail_sync();
                }
                Err(failed)
            }
        }
    }

    fn try_lock(&self) -> io::Result<bool> {
        self.act(OpKind::Lock, 0, 0, |file| {
            let holder = *file.locked_by.get_or_insert(self.handle);
            Ok(holder == self.handle)
        })
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        let mut state = self.disk.lock();
        if state.process != self.process {
            return;
        }
        let Some(file) = state.files.get_mut(&self.number) else {
            return;
        };
        file.handles -= 1;
        if file.locked_by == Some(self.handle) {
            file.locked_by = None;
        }
        if file.handles == 0 {
            state.reap();
        }
    }
}

fn write_op(bytes: &[u8], offset: u64) -> Op {
    Op::Write {
        offset,
        data: Arc::from(bytes),
    }
}
