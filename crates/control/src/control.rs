//! What the verbs share, from opening to shutdown.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
};

use cairn_blocks::{DomainId, FsDisk, disk::Disk};
use cairn_model::{AccountId, Clock, Entropy, Region, Timestamp};
use cairn_store::Store;
use tokio::runtime::Handle;

use crate::{
    Error, Result,
    account::KnownKeys,
    attest::{PublicKey, SigningKey},
    boot_set::{self, BootWatch},
    collect::{CollectionOptions, Collector},
    ebs::{self, Uploads},
    engine::{self, CacheFile, Engine, Places},
    jobs::{JobGate, Runner},
    key_file,
    keys::{Keys, Vault, verbs::domain_of},
    machine::{MachineOptions, Qemu, Room},
    recover,
    scrub::{self, ScrubOptions},
    seal::Seal,
    space,
    ticks::Ticks,
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
    /// The file system of the bytes.
    pub disk: Arc<dyn Disk>,
    /// How volumes are run.
    pub volumes: cairn_volume::Options,
    /// Bytes of decoded blocks that are cached in a file, in each region that is in use; 0 is none.
    /// At most a quarter of what is free, beyond the reserve, is taken.
    pub block_cache_file_bytes: u64,
    /// Whether guests get no more I/O operations and throughput than their volumes' types and settings
    /// give them, as on EBS.
    pub enforce_limits: bool,
    /// How machines are run. Emulated, unless something better was found to work.
    pub machines: MachineOptions,
    /// The file of the root key, which the keys of encrypted volumes and snapshots are wrapped under;
    /// `root-key` in the data directory unless named. Made when the first key is.
    pub root_key: Option<PathBuf>,
    /// How scrubs are run.
    pub scrubs: ScrubOptions,
    /// How garbage is collected.
    pub collection: CollectionOptions,
    /// Lets a test stop the jobs at a step.
    pub job_gate: Option<Arc<dyn JobGate>>,
}

impl ControlOptions {
    /// What a server is made of on this machine.
    ///
    /// # Errors
    /// The kernel does not tell the id of this boot.
    pub fn new(
        data_dir: PathBuf,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, OpenError> {
        let boot_id = engine::boot_id().map_err(|source| OpenError::Io {
            what: "read the boot id in",
            path: PathBuf::from("/proc"),
            source,
        })?;
        Ok(Self {
            data_dir,
            clock,
            entropy,
            disk: Arc::new(FsDisk),
            volumes: cairn_volume::Options::new(boot_id),
            block_cache_file_bytes: 4 << 20,
            enforce_limits: false,
            machines: MachineOptions::new(Arc::new(Qemu::emulated()?)),
            root_key: None,
            scrubs: ScrubOptions::default(),
            collection: CollectionOptions::default(),
            job_gate: None,
        })
    }
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
    /// The signing key's file holds no key.
    #[error("{} holds no Ed25519 private key (PKCS #8, PEM); put the right one back, or move it away to have a new one made", .0.display())]
    SigningKey(PathBuf),
    /// There are packs and no databases. To begin anew would make garbage of all of them.
    #[error("{} holds snapshots, but cairn.db or blobs.db is missing or empty; `cairn recover --data {}` rebuilds them", .0.display(), .0.display())]
    MetadataLost(PathBuf),
    /// There is no good place for sockets.
    #[error("find a place for sockets: {0}")]
    RuntimeDir(cairn_vmm::MachineError),
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
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    enforces_limits: bool,
    store: Store,
    keys: Arc<Keys>,
    known_keys: KnownKeys,
    engine: Engine,
    room: Room,
    boots: BootWatch,
    uploads: Uploads,
    seal: Seal,
    signing: SigningKey,
    scrubs: ScrubOptions,
    jobs: Runner,
    collector: Collector,
    /// Locked as long as it is open.
    _data_dir_lock: fs::File,
}

impl Control {
    /// Opens the data directory, brings the metadata up to date and takes up what was under way.
    pub async fn open(options: ControlOptions) -> Result<Self, OpenError> {
        create_private_dir(&options.data_dir)?;
        let lock = lock(&options.data_dir)?;
        if recover::is_lost(&options.data_dir) {
            return Err(OpenError::MetadataLost(options.data_dir));
        }
        let places = places(&options.data_dir)?;
        create_private_dir(&places.regions_dir)?;
        let signing = key_file::load_or_make(&options.data_dir, &*options.entropy)?;
        let store = Store::open(&options.data_dir).await?;
        let index = Arc::new(store.blobs().index(Handle::current()));
        let vault = vault(&options.data_dir, options.root_key);
        let keys = Arc::new(Keys::new(vault, Arc::clone(&options.entropy)));
        let (uploads, waiting) = Uploads::new();
        let seal = Seal::new(&server_secret(&store, &*options.entropy, "seal").await?);
        let room = Room::new(
            options.machines,
            options.data_dir.join("instances"),
            places.runtime_dir.clone(),
            &server_secret(&store, &*options.entropy, "imds").await?,
        );
        let cache = CacheFile {
            bytes: options.block_cache_file_bytes,
            entropy: Arc::clone(&options.entropy),
        };
        let control = Self(Arc::new(Inner {
            clock: Arc::clone(&options.clock),
            entropy: options.entropy,
            enforces_limits: options.enforce_limits,
            store,
            engine: Engine::new(
                options.disk,
                places,
                index,
                Arc::clone(&keys),
                options.volumes,
                cache,
                Arc::clone(&options.clock),
            ),
            keys,
            known_keys: KnownKeys::default(),
            room,
            boots: BootWatch::default(),
            uploads,
            seal,
            signing,
            scrubs: options.scrubs,
            jobs: Runner::new(options.job_gate),
            collector: Collector::new(options.collection),
            _data_dir_lock: lock,
        }));
        control.know_domains().await.map_err(OpenError::Resume)?;
        control.prune().await.map_err(OpenError::Resume)?;
        control.forget_the_gone().await.map_err(OpenError::Resume)?;
        control
            .resume_set_aside()
            .await
            .map_err(OpenError::Resume)?;
        control.resume_machines().await.map_err(OpenError::Resume)?;
        tokio::spawn(ebs::record_puts(control.downgrade(), waiting));
        let stopping = control.jobs().stopping().clone();
        let ticks = |every| Ticks::new(every, &control, &stopping);
        tokio::spawn(space::watch(ticks(space::EVERY)));
        tokio::spawn(boot_set::watch(ticks(boot_set::EVERY)));
        control.start_jobs();
        if control.scrubs().every.is_some() {
            let stop = control.jobs().stopping().clone();
            tokio::spawn(scrub::schedule(Ticks::new(scrub::TICK, &control, &stop)));
        }
        control.start_collecting();
        Ok(control)
    }

    /// Ends in order: jobs stop between two steps and go on the next time, volumes are made durable
    /// and closed. Guests keep running and wait for their disks.
    pub async fn shutdown(&self) {
        self.jobs().stop().await;
        self.stop_collecting().await;
        self.engine().close().await;
        self.store().close().await;
    }

    /// The domain of what an account keeps in a region under a key, or under none.
    pub(crate) async fn domain(
        &self,
        region: Region,
        account: &AccountId,
        key: Option<&str>,
    ) -> Result<DomainId> {
        let mut read = self.store().read().await?;
        Ok(domain_of(&mut read, region, account, key).await?.id)
    }

    /// Forgets what was kept for a while and is of no use any more.
    async fn prune(&self) -> Result<()> {
        let then = Timestamp(self.now().0.saturating_sub(KEPT_MICROSECONDS));
        let mut tx = self.store().write().await?;
        cairn_store::token::delete_before(&mut tx, then).await?;
        cairn_store::job::delete_failed_before(&mut tx, then).await?;
        cairn_store::image_usage::delete_before(&mut tx, then).await?;
        Ok(tx.commit().await?)
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn keys(&self) -> &Arc<Keys> {
        &self.0.keys
    }

    pub(crate) fn known_keys(&self) -> &KnownKeys {
        &self.0.known_keys
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn room(&self) -> &Room {
        &self.0.room
    }

    pub(crate) fn boots(&self) -> &BootWatch {
        &self.0.boots
    }

    pub(crate) fn uploads(&self) -> &Uploads {
        &self.0.uploads
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.0.entropy
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.0.clock)
    }

    /// The time, to the microsecond.
    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// The time as resources are stamped with it: whole seconds.
    pub(crate) fn stamp(&self) -> Timestamp {
        self.now().whole_second()
    }

    /// Whether volumes are held to what their types give them.
    pub(crate) fn enforces_limits(&self) -> bool {
        self.0.enforces_limits
    }

    pub(crate) fn seal(&self) -> &Seal {
        &self.0.seal
    }

    /// How scrubs are run.
    pub(crate) fn scrubs(&self) -> &ScrubOptions {
        &self.0.scrubs
    }

    /// The key that attestations are signed with.
    pub(crate) fn signing(&self) -> &SigningKey {
        &self.0.signing
    }

    /// The public half of the key that attestations are signed with.
    pub fn public_key(&self) -> PublicKey {
        self.signing().public()
    }

    pub(crate) fn jobs(&self) -> &Runner {
        &self.0.jobs
    }

    pub(crate) fn collector(&self) -> &Collector {
        &self.0.collector
    }

    pub(crate) fn downgrade(&self) -> Weak<Inner> {
        Arc::downgrade(&self.0)
    }

    pub(crate) fn upgrade(inner: &Weak<Inner>) -> Option<Self> {
        inner.upgrade().map(Self)
    }
}

/// How long idempotency tokens and the traces of failed jobs are kept: thirty days.
const KEPT_MICROSECONDS: i64 = 30 * 24 * 60 * 60 * 1_000_000;

/// Where the files of keys lie.
pub(crate) fn vault(data_dir: &Path, root_key: Option<PathBuf>) -> Vault {
    let root = root_key.unwrap_or_else(|| data_dir.join("root-key"));
    Vault::new(data_dir.join("keys"), root)
}

fn places(data_dir: &Path) -> Result<Places, OpenError> {
    let regions_dir = data_dir.join("regions");
    let runtime_dir = cairn_vmm::runtime_dir(data_dir).map_err(OpenError::RuntimeDir)?;
    Ok(Places {
        regions_dir,
        runtime_dir,
    })
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
pub(crate) fn lock(dir: &Path) -> Result<fs::File, OpenError> {
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
