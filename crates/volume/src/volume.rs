//! A live volume: its parts, and how it is created, opened, grown, closed and removed.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use cairn_blocks::{
    BlockStore, DataKey,
    disk::{Disk, DiskFile, OpenMode, create_dir_durably},
};

use crate::{
    checkpoint::{self, Checkpoint, Slot},
    checkpointing::Checkpoints,
    entries::Entries,
    error::{Error, IoContext as _},
    geometry::{BLOCK, MAX_BLOCKS, MAX_LEAVES, MAX_REGIONS, block_count},
    journal::{Journal, Settings},
    plane::Plane,
    record::FIRST_LSN,
    recovery::{self, Recovered},
    seal::Keys,
    sealed_file::SealedFile,
    settle::Settling,
    state::State,
    sync::{DataSync, Failure, Signal, exclude, lock, share},
    todo_list::Todo,
    touched::FirstTouches,
    types::{Background, Base, EpochTag, Hydration, Options, VolumeSpec, check_size},
};

/// Regions at the start of a blank volume that may be written in place at once.
const FIRST_INTENTS: u64 = 8;

/// Numbers the open volumes of this process, for the order in which gates are taken.
static NEXT_SERIAL: AtomicU64 = AtomicU64::new(0);

/// Creates a volume; it is durable on return. The cost does not depend on the size. With a key it is
/// sealed: nothing that it holds lies on the disk as it is. No two volumes may have the same key.
///
/// # Errors
/// [`Error::Exists`] when the directory holds anything; [`remove`] it first if an earlier creation
/// was interrupted.
pub fn create(
    disk: &dyn Disk,
    dir: &Path,
    spec: &VolumeSpec,
    key: Option<&DataKey>,
    options: &Options,
) -> Result<(), Error> {
    let keys = key.cloned().map(Keys::new);
    spec.validate()?;
    options.validate()?;
    create_dir_durably(disk, dir).context("create the volume's directory")?;
    if !disk
        .list(dir)
        .context("list the volume's directory")?
        .is_empty()
    {
        return Err(Error::Exists);
    }
    let data = disk
        .open(&data_path(dir), OpenMode::CreateNew)
        .context("create the data file")?;
    data.set_len(spec.size_bytes)
        .context("size the data file")?;
    data.sync_data().context("sync the data file")?;
    disk.sync_dir(dir).context("sync the volume's directory")?;
    // The checkpoint makes it a volume.
    checkpoint::write(
        disk,
        dir,
        Slot::A,
        &first_checkpoint(spec, options).encode(keys.as_ref())?,
    )
}

pub(crate) fn first_checkpoint(spec: &VolumeSpec, options: &Options) -> Checkpoint {
    let intents = Plane::new(MAX_REGIONS);
    if spec.base.is_none() {
        intents.set_range(0..FIRST_INTENTS);
    }
    Checkpoint {
        sequence: 1,
        replay_from: FIRST_LSN,
        tail: FIRST_LSN,
        incarnation: 0,
        next_segment: 0,
        clean: true,
        boot_id: options.boot_id.clone(),
        domain: spec.domain,
        size_bytes: spec.size_bytes,
        base: spec.base,
        all_present: spec.base.is_none(),
        last_commit: None,
        segments: Vec::new(),
        epochs: Vec::new(),
        present: Plane::new(MAX_BLOCKS),
        known: Plane::new(MAX_LEAVES),
        intents,
        dirty: Plane::new(MAX_BLOCKS),
    }
}

/// Opens a volume, recovering it if need be.
///
/// # Errors
/// [`Error::Locked`] when somebody else has it open; [`Error::NotFound`] when there is none;
/// [`Error::Damaged`] when its files contradict themselves; [`Error::KeyNeeded`] and
/// [`Error::WrongKey`] when the volume is sealed and the key is missing, or not the one it was created
/// with; [`Error::Invalid`] when there is a key and the volume is plain.
pub fn open(
    disk: Arc<dyn Disk>,
    dir: &Path,
    store: Arc<BlockStore>,
    key: Option<DataKey>,
    options: Options,
) -> Result<Arc<Volume>, Error> {
    let keys = key.map(Keys::new);
    options.validate()?;
    let data = open_data(&*disk, dir)?;
    let recovered = recovery::recover(&*disk, dir, keys.as_ref(), &options.boot_id)?;
    if data.len().context("measure the data file")? < recovered.state.size_bytes {
        return Err(Error::Damaged(
            "the data file is shorter than the volume".into(),
        ));
    }
    let data = match &keys {
        Some(keys) => Arc::new(SealedFile::new(data, keys.data()?)),
        None => data,
    };
    let core = Arc::new(Core::new(disk, dir, store, data, keys, options, recovered));
    core.checkpoint(false)?;
    recovery::remove_strays(&*core.disk, dir, &core.journal.numbers())?;
    let thread = match core.options.background {
        Background::Threads => {
            Some(Core::start_thread(&core).context("start the background thread")?)
        }
        Background::Manual => None,
    };
    Ok(Arc::new(Volume {
        core,
        thread: Mutex::new(thread),
    }))
}

/// Opens the data file and locks it.
pub(crate) fn open_data(disk: &dyn Disk, dir: &Path) -> Result<Arc<dyn DiskFile>, Error> {
    let data = match disk.open(&data_path(dir), OpenMode::ReadWrite) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Error::NotFound),
        other => other.context("open the data file")?,
    };
    if data.try_lock().context("lock the data file")? {
        Ok(data)
    } else {
        Err(Error::Locked)
    }
}

/// Removes a volume; it is gone durably on return. Nothing happens if there is none.
///
/// # Errors
/// [`Error::Locked`] when somebody has it open.
pub fn remove(disk: &dyn Disk, dir: &Path) -> Result<(), Error> {
    let _lock = match open_data(disk, dir) {
        Err(Error::NotFound) => None,
        other => Some(other?),
    };
    match disk.remove_dir_all(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.context("remove the volume's directory")?,
    }
    let parent = dir
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    disk.sync_dir(parent)
        .context("sync the directory of volumes")
}

fn data_path(dir: &Path) -> PathBuf {
    dir.join("data")
}

/// An open volume. All calls may come from many threads at once.
///
/// Dropping it without [`close`](Self::close) loses nothing that was flushed, and nothing that was
/// acknowledged as long as the machine runs on; opening it again then replays the journal.
#[derive(Debug)]
pub struct Volume {
    pub(crate) core: Arc<Core>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// The volume without the thread that works for it.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) serial: u64,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
    pub(crate) store: Arc<BlockStore>,
    pub(crate) options: Options,
    pub(crate) data: Arc<dyn DiskFile>,
    /// Those of a sealed volume.
    pub(crate) keys: Option<Keys>,
    pub(crate) data_sync: DataSync,
    pub(crate) journal: Journal,
    pub(crate) failure: Arc<Failure>,
    /// Every guest operation holds the shared side; whoever moves a block between the paths of
    /// writing holds the other one. Never held during a sync or a call of the block store.
    pub(crate) gate: RwLock<State>,
    pub(crate) size_bytes: AtomicU64,
    /// The size to be: what a checkpoint records.
    pub(crate) planned_size: AtomicU64,
    /// The bytes of these blocks are in `data`.
    pub(crate) present: Plane,
    pub(crate) all_present: AtomicBool,
    /// The leaves of the base whose zero blocks are marked present.
    pub(crate) known: Plane,
    /// Regions with a durable intent: they may be written in place.
    pub(crate) intents: Plane,
    /// Regions with an intent in the journal, durable or not: what a checkpoint has to keep.
    pub(crate) recorded_intents: Plane,
    pub(crate) entries: Entries,
    /// Held by whoever changes the state by a record of its own (freeze, release, commit, abandon,
    /// fold) and by a checkpoint while it looks. Taken before the gate.
    pub(crate) flip: Mutex<()>,
    /// Held while leaves are learned.
    pub(crate) learning: Mutex<()>,
    /// Held by a capture, and by those that end an epoch.
    pub(crate) capturing: Mutex<()>,
    pub(crate) stop_capture: AtomicBool,
    pub(crate) checkpoints: Mutex<Checkpoints>,
    pub(crate) settling: Mutex<Settling>,
    pub(crate) todo: Todo,
    pub(crate) touched: FirstTouches,
    /// Raised when there is background work.
    pub(crate) work: Signal,
    /// Raised when a writer that waits should look again.
    pub(crate) room: Signal,
    /// How many writers wait for room in the journal.
    pub(crate) waiting: AtomicU64,
    pub(crate) stop: AtomicBool,
    /// How often those that waited were told to give up.
    pub(crate) abandonments: AtomicU64,
}

impl Core {
    fn new(
        disk: Arc<dyn Disk>,
        dir: &Path,
        store: Arc<BlockStore>,
        data: Arc<dyn DiskFile>,
        keys: Option<Keys>,
        options: Options,
        found: Recovered,
    ) -> Self {
        let failure = Arc::new(Failure::default());
        let settings = Settings {
            disk: Arc::clone(&disk),
            dir: dir.to_path_buf(),
            domain: found.state.domain,
            keys: keys.clone(),
            segment_bytes: options.journal_segment_bytes,
            cap_bytes: options.journal_cap_bytes,
            failure: Arc::clone(&failure),
        };
        let recorded_intents = Plane::new(MAX_REGIONS);
        recorded_intents.add(&found.intents);
        let todo = Todo::default();
        todo.add_ready(found.entries.journaled().ones(0..MAX_BLOCKS));
        Self {
            serial: NEXT_SERIAL.fetch_add(1, Ordering::Relaxed),
            dir: dir.to_path_buf(),
            store,
            data_sync: DataSync::new(Arc::clone(&data), Arc::clone(&failure)),
            data,
            keys,
            checkpoints: Mutex::new(Checkpoints::new(
                found.slot,
                found.sequence,
                found.start.tail,
            )),
            journal: Journal::new(settings, found.start),
            failure,
            size_bytes: AtomicU64::new(found.state.size_bytes),
            planned_size: AtomicU64::new(found.state.size_bytes),
            gate: RwLock::new(found.state),
            present: found.present,
            all_present: AtomicBool::new(found.all_present),
            known: found.known,
            intents: found.intents,
            recorded_intents,
            entries: found.entries,
            flip: Mutex::default(),
            learning: Mutex::default(),
            capturing: Mutex::default(),
            stop_capture: AtomicBool::new(false),
            settling: Mutex::default(),
            todo,
            touched: FirstTouches::default(),
            work: Signal::default(),
            room: Signal::default(),
            waiting: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            abandonments: AtomicU64::new(0),
            options,
            disk,
        }
    }

    /// Whether a block's bytes are in `data`.
    pub(crate) fn is_present(&self, block: u64) -> bool {
        self.all_present.load(Ordering::Acquire) || self.present.get(block)
    }

    /// Refuses work on a volume that failed or was closed.
    pub(crate) fn check_usable(&self) -> Result<(), Error> {
        if self.failure.is_set() {
            return Err(Error::Failed);
        }
        if share(&self.gate).closed {
            Err(Error::Closed)
        } else {
            Ok(())
        }
    }

    /// Where the volume's blocks come from if they are not its own.
    pub(crate) fn base(&self) -> Option<Base> {
        share(&self.gate).base
    }

    /// Blocks of the volume.
    pub(crate) fn blocks(&self) -> u64 {
        block_count(self.size_bytes.load(Ordering::Acquire))
    }

    /// Refuses a range that does not lie within the volume.
    pub(crate) fn check_range(&self, offset: u64, len: u64) -> io::Result<()> {
        match offset.checked_add(len) {
            Some(end) if end <= self.size_bytes.load(Ordering::Acquire) => Ok(()),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the range ends beyond the volume",
            )),
        }
    }
}

impl Volume {
    /// Size in bytes.
    pub fn size_bytes(&self) -> u64 {
        self.core.size_bytes.load(Ordering::Acquire)
    }

    /// The snapshot that the volume's unchanged blocks are those of.
    pub fn base(&self) -> Option<Base> {
        self.core.base()
    }

    /// The freezes that were neither committed nor abandoned, oldest first. After opening, the
    /// owner compares them with its metadata: those it knows of it captures and commits, the
    /// others it abandons.
    pub fn pending_epochs(&self) -> Vec<EpochTag> {
        share(&self.core.gate)
            .epochs
            .iter()
            .map(|epoch| epoch.tag.clone())
            .collect()
    }

    /// The size in bytes that the volume had when an epoch that is pending was frozen.
    pub fn epoch_size(&self, tag: &EpochTag) -> Option<u64> {
        share(&self.core.gate)
            .epoch(tag)
            .map(|epoch| epoch.size_bytes)
    }

    /// How much of the volume no longer needs its base.
    pub fn hydration(&self) -> Hydration {
        let total_blocks = self.core.blocks();
        let all = self.core.all_present.load(Ordering::Acquire);
        let present_blocks = if all {
            total_blocks
        } else {
            self.core.present.count()
        };
        Hydration {
            total_blocks,
            present_blocks,
        }
    }

    /// The blocks of the base that a guest needed since the volume was opened, by read or by a write
    /// of a part, in the order in which it first did; at most 16 384 of them. Blocks that were
    /// present by then are not among them, but some may be that the base has not, either.
    pub fn first_touched(&self) -> Vec<u64> {
        self.core.touched.order()
    }

    /// How many blocks [`first_touched`](Self::first_touched) has.
    pub fn first_touched_count(&self) -> usize {
        self.core.touched.count()
    }

    /// Bytes of the journal that are in use.
    pub fn journal_bytes(&self) -> u64 {
        self.core.journal.used()
    }

    /// At most so many bytes were written since the last freeze.
    pub fn dirty_bytes(&self) -> u64 {
        share(&self.core.gate).dirty.count() * BLOCK
    }

    /// Makes the volume larger; the new bytes are zeros. The new size is durable on return.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the size is not a possible one, or smaller than it is.
    pub fn grow(&self, size_bytes: u64) -> Result<(), Error> {
        self.core.check_usable()?;
        check_size(size_bytes)?;
        if size_bytes < self.size_bytes() {
            return Err(Error::Invalid("a volume cannot become smaller"));
        }
        self.core.grow(size_bytes)
    }

    /// Stops all work, makes everything durable and writes a checkpoint, so that opening the
    /// volume again has nothing to do. Calls that come later are refused. The lock on the volume
    /// goes when the last reference is dropped.
    pub fn close(&self) -> Result<(), Error> {
        let was_closed = std::mem::replace(&mut exclude(&self.core.gate).closed, true);
        self.stop_thread();
        let _capturing = self.core.stop_capture();
        if was_closed {
            return Ok(());
        }
        self.core.sync_all().context("sync the volume")?;
        self.core.checkpoint(true)
    }

    fn stop_thread(&self) {
        self.core.stop.store(true, Ordering::SeqCst);
        self.core.work.raise();
        self.core.room.raise();
        if let Some(thread) = lock(&self.thread).take()
            && thread.join().is_err()
        {
            tracing::error!("the background thread of a volume panicked");
        }
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        self.stop_thread();
    }
}
