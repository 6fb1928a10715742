//! What the verbs share, from opening to shutdown.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
};

use cairn_model::{Clock, Entropy, Timestamp};
use cairn_store::Store;

use crate::{
    Error, Result,
    jobs::{JobGate, Runner},
    seal::Seal,
};

/// What a server is made of.
#[derive(Clone, Debug)]
pub struct ControlOptions {
    /// Where everything is kept; created on first use.
    pub data_dir: PathBuf,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub entropy: Arc<dyn Entropy>,
    /// Lets a test stop the jobs at a step.
    pub job_gate: Option<Arc<dyn JobGate>>,
}

/// Why a server cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the data directory open.
    #[error("the data directory {} is in use by another server", .0.display())]
    InUse(PathBuf),
    /// The file system does not let us.
    #[error("{what} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb phrase.
        what: &'static str,
        /// With which path.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The metadata cannot be opened.
    #[error("open the metadata: {0}")]
    Store(#[from] cairn_store::Error),
    /// What was under way cannot be taken up again.
    #[error("take up what was under way: {0}")]
    Resume(Error),
}

/// The verbs. Cheap to clone; dropping the last clone without [`shutdown`](Self::shutdown) leaves
/// things as a killed server would, and the next one goes on from there.
#[derive(Clone, Debug)]
pub struct Control(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    data_dir: PathBuf,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    store: Store,
    seal: Seal,
    jobs: Runner,
    /// Locked as long as it is open.
    _data_dir_lock: fs::File,
}

impl Control {
    /// Opens the data directory, brings the metadata up to date and takes up what was under way.
    pub async fn open(options: ControlOptions) -> Result<Self, OpenError> {
        create_private_dir(&options.data_dir)?;
        let lock = lock(&options.data_dir)?;
        let store = Store::open(&options.data_dir).await?;
        let seal = Seal::new(&server_secret(&store, &*options.entropy, "seal").await?);
        let control = Self(Arc::new(Inner {
            data_dir: options.data_dir,
            clock: options.clock,
            entropy: options.entropy,
            store,
            seal,
            jobs: Runner::new(options.job_gate),
            _data_dir_lock: lock,
        }));
        control.start_jobs();
        Ok(control)
    }

    /// Ends in order: jobs stop between two steps and go on the next time. Guests keep running.
    pub async fn shutdown(&self) {
        self.jobs().stop().await;
        self.store().close().await;
    }

    pub(crate) fn data_dir(&self) -> &Path {
        &self.0.data_dir
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.0.entropy
    }

    /// The time, to the microsecond.
    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// The time as resources are stamped with it: whole seconds.
    pub(crate) fn stamp(&self) -> Timestamp {
        self.now().whole_second()
    }

    pub(crate) fn seal(&self) -> &Seal {
        &self.0.seal
    }

    pub(crate) fn jobs(&self) -> &Runner {
        &self.0.jobs
    }

    pub(crate) fn downgrade(&self) -> Weak<Inner> {
        Arc::downgrade(&self.0)
    }

    pub(crate) fn upgrade(inner: &Weak<Inner>) -> Option<Self> {
        inner.upgrade().map(Self)
    }
}

/// Creates a directory and its missing parents, for its owner alone.
pub(crate) fn create_private_dir(dir: &Path) -> Result<(), OpenError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|source| OpenError::Io {
            what: "create the directory",
            path: dir.to_owned(),
            source,
        })
}

/// Locks the directory itself: a file in it could be removed and made again, and then two servers
/// would each hold a lock.
fn lock(dir: &Path) -> Result<fs::File, OpenError> {
    let failed = |source| OpenError::Io {
        what: "lock the directory",
        path: dir.to_owned(),
        source,
    };
    let file = fs::File::open(dir).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(OpenError::InUse(dir.to_owned())),
        Err(fs::TryLockError::Error(source)) => Err(failed(source)),
    }
}

async fn server_secret(
    store: &Store,
    entropy: &dyn Entropy,
    name: &str,
) -> cairn_store::Result<[u8; 32]> {
    let mut fresh = [0; 32];
    entropy.fill(&mut fresh);
    let mut tx = store.write().await?;
    let secret = cairn_store::secret::get_or_insert(&mut tx, name, &fresh).await?;
    tx.commit().await?;
    Ok(secret)
}
