//! The files below the data directory that hold bytes: block stores, one for each region, and the
//! directories of volumes. Opened when they are first needed.
//!
//! Engine calls wait for disks, so they run on threads of their own: see [`blocking`].

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    num::NonZeroU64,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cairn_blocks::{
    BlobIndex, BlockStore, DataKey, Digest, DomainId, Keyring, Root, disk::Disk, key::KEY_LEN,
};
use cairn_model::{Clock, Entropy, InstanceId, Region, Snapshot, SnapshotId, VolumeId};
use cairn_nbd::{Limiter, Server};
use cairn_store::record::{self, Record, RecordError};
use cairn_volume::{Base, Claims, EpochTag, Hydration, Pressure, Volume, VolumeSpec};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::{
    Error, ErrorKind,
    export::IoGate,
    jobs::Failure,
    keys::{KeyFault, Keys},
    space::Space,
    volume_limits,
};

/// Captures at a time; each uses all it can get of a processor and of the disk.
const CAPTURES: usize = 2;

/// Files of less than this are taken by every file system that Cairn runs on.
const ALWAYS_TAKEN_BYTES: u64 = 1 << 40;

/// Where the packs of a region lie, in its directory.
pub(crate) const PACKS: &str = "packs";

/// Where the records of a region's snapshots lie, in its directory.
pub(crate) const RECORDS: &str = "snapshots";

/// What the engine can say.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    /// The block store.
    #[error("{}", with_sources(.0))]
    Blocks(#[from] cairn_blocks::Error),
    /// A volume.
    #[error("{}", with_sources(.0))]
    Volume(#[from] cairn_volume::Error),
    /// Offering a volume to a machine.
    #[error("{}", with_sources(.0))]
    Bind(#[from] cairn_nbd::BindError),
    /// Likewise.
    #[error(transparent)]
    Export(#[from] cairn_nbd::ExportError),
    /// The file system.
    #[error("the file system: {0}")]
    Io(#[from] std::io::Error),
    /// The record of a snapshot.
    #[error("the record of a snapshot: {0}")]
    Record(#[from] RecordError),
    /// A key cannot be had.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// A verb that the engine asked something.
    #[error(transparent)]
    Verb(#[from] Error),
    /// The metadata.
    #[error(transparent)]
    Store(#[from] cairn_store::Error),
    /// A bug: the thread panicked.
    #[error("an engine thread ended: {0}")]
    Thread(#[from] tokio::task::JoinError),
}

impl EngineError {
    /// Whether trying again is in vain: the bytes are gone or contradict themselves, or the file
    /// system takes no file of this size (ext4: up to 16 TiB).
    fn is_final(&self) -> bool {
        match self {
            Self::Blocks(error) | Self::Volume(cairn_volume::Error::Store(error)) => is_lost(error),
            Self::Volume(cairn_volume::Error::Damaged(_)) | Self::Key(KeyFault::Erased(_)) => true,
            Self::Volume(cairn_volume::Error::Io { source, .. }) => {
                source.kind() == std::io::ErrorKind::FileTooLarge
            }
            _ => false,
        }
    }

    fn is_storage_full(&self) -> bool {
        match self {
            Self::Blocks(error) => error.is_storage_full(),
            Self::Volume(error) => error.is_storage_full(),
            Self::Io(error) | Self::Record(RecordError::Io(error)) => {
                error.kind() == std::io::ErrorKind::StorageFull
            }
            Self::Store(error) => error.is_storage_full(),
            Self::Verb(error) => error.kind == ErrorKind::StorageFull,
            Self::Record(RecordError::Malformed(_))
            | Self::Key(_)
            | Self::Bind(_)
            | Self::Export(_)
            | Self::Thread(_) => false,
        }
    }
}

fn is_lost(error: &cairn_blocks::Error) -> bool {
    use cairn_blocks::Error as E;
    matches!(
        error,
        E::NotFound { .. }
            | E::Damaged { .. }
            | E::InvalidNode { .. }
            | E::Unconfirmed { .. }
            | E::Erased { .. }
    )
}

/// An error with what led to it, which the errors of the engine keep apart.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}

impl From<EngineError> for Error {
    fn from(error: EngineError) -> Self {
        use cairn_blocks::Error as Blocks;
        if error.is_storage_full() {
            return Self::storage_full();
        }
        match error {
            EngineError::Verb(error) => error,
            EngineError::Key(KeyFault::Erased(_))
            | EngineError::Blocks(Blocks::Erased { .. })
            | EngineError::Volume(cairn_volume::Error::Store(Blocks::Erased { .. })) => {
                Self::new(ErrorKind::KmsKeyInvalidState, error)
            }
            EngineError::Key(_)
            | EngineError::Blocks(Blocks::Key(_))
            | EngineError::Volume(cairn_volume::Error::Store(Blocks::Key(_))) => {
                tracing::error!(%error, "a key cannot be had");
                Self::new(ErrorKind::KmsKeyUnavailable, error)
            }
            error => Self::internal(error),
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        if error.is_final() {
            Self::fatal(error)
        } else {
            Self::passing(error)
        }
    }
}

/// Runs engine work on a thread that may wait.
pub(crate) async fn blocking<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, EngineError>
where
    T: Send + 'static,
    E: Into<EngineError> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await?.map_err(Into::into)
}

/// The content of a snapshot, where to find it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Content {
    /// The domain of its blobs.
    pub(crate) domain: i64,
    /// Hash of the root node, hexadecimal.
    pub(crate) root: String,
    /// Size of the volume in bytes.
    pub(crate) size_bytes: u64,
}

impl Content {
    /// The content of a snapshot with this root.
    pub(crate) fn of_snapshot(
        snapshot: &Snapshot,
        domain: DomainId,
        root: String,
    ) -> Result<Self, Error> {
        let size_gib = u64::try_from(snapshot.volume_size_gib).map_err(Error::internal)?;
        Ok(Self {
            domain: domain.0,
            root,
            size_bytes: size_gib * crate::volume::GIB,
        })
    }

    pub(crate) fn domain(&self) -> DomainId {
        DomainId(self.domain)
    }

    pub(crate) fn root(&self) -> Result<Root, Error> {
        let mut node = [0; 32];
        hex::decode_to_slice(&self.root, &mut node).map_err(Error::internal)?;
        Ok(Root {
            node: Digest(node),
            size_bytes: self.size_bytes,
        })
    }
}

/// Block stores and volumes.
#[derive(Debug)]
pub(crate) struct Engine {
    disk: Arc<dyn Disk>,
    regions_dir: PathBuf,
    runtime_dir: PathBuf,
    index: Arc<dyn BlobIndex>,
    keys: Arc<Keys>,
    options: cairn_volume::Options,
    cache: CacheFile,
    clock: Arc<dyn Clock>,
    stores: tokio::sync::Mutex<HashMap<Region, Arc<BlockStore>>>,
    slots: Mutex<BTreeMap<VolumeId, Arc<Slot>>>,
    captures: Semaphore,
    freezing: Mutex<HashSet<EpochTag>>,
    committing: Mutex<HashMap<EpochTag, Content>>,
}

/// What is open of a volume.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) open: tokio::sync::Mutex<OpenVolume>,
    /// Held by whoever captures: the epochs of a volume are captured in order.
    pub(crate) capture: tokio::sync::Mutex<()>,
    /// Whether guests may read and write it.
    pub(crate) gate: Arc<IoGate>,
    /// How fast guests may read and write it.
    pub(crate) limiter: Arc<Limiter>,
}

impl Slot {
    fn new(clock: &Arc<dyn Clock>) -> Self {
        Self {
            open: tokio::sync::Mutex::default(),
            capture: tokio::sync::Mutex::default(),
            gate: Arc::default(),
            limiter: Arc::new(Limiter::new(volume_limits::now_of(clock))),
        }
    }
}

/// A volume that is open, and what offers it to a machine.
#[derive(Debug, Default)]
pub(crate) struct OpenVolume {
    /// Goes first: after that nobody calls the volume any more.
    pub(crate) server: Option<Server>,
    pub(crate) volume: Option<Arc<Volume>>,
    /// The instances whose machines have it, or are about to.
    pub(crate) users: BTreeSet<InstanceId>,
}

/// The file that decoded blocks of a region are cached in.
#[derive(Clone, Debug)]
pub(crate) struct CacheFile {
    /// Its size, if there is space; 0 is none.
    pub(crate) bytes: u64,
    /// Where its keys come from.
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl CacheFile {
    /// A key that was never used.
    fn key(&self) -> Zeroizing<[u8; KEY_LEN]> {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        self.entropy.fill(&mut *key);
        key
    }
}

/// Where an engine keeps things.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// Packs and volumes by region.
    pub(crate) regions_dir: PathBuf,
    /// Sockets.
    pub(crate) runtime_dir: PathBuf,
}

impl Engine {
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        places: Places,
        index: Arc<dyn BlobIndex>,
        keys: Arc<Keys>,
        options: cairn_volume::Options,
        cache: CacheFile,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            disk,
            regions_dir: places.regions_dir,
            runtime_dir: places.runtime_dir,
            index,
            keys,
            options,
            cache,
            clock,
            stores: tokio::sync::Mutex::default(),
            slots: Mutex::default(),
            captures: Semaphore::new(CAPTURES),
            freezing: Mutex::default(),
            committing: Mutex::default(),
        }
    }

    /// The block store of a region.
    pub(crate) async fn store(&self, region: Region) -> Result<Arc<BlockStore>, EngineError> {
        let mut stores = self.stores.lock().await;
        if let Some(store) = stores.get(&region) {
            return Ok(Arc::clone(store));
        }
        let (disk, index) = (Arc::clone(&self.disk), Arc::clone(&self.index));
        let keys: Arc<dyn Keyring> = Arc::<Keys>::clone(&self.keys);
        let dir = self.region_dir(region).join(PACKS);
        let (cache_bytes, cache_key) = (self.cache.bytes, self.cache.key());
        let open = move || {
            let options = cairn_blocks::Options::default();
            let store = BlockStore::open(Arc::clone(&disk), &dir, index, keys, options)?;
            let spare = Space::of(disk.space(&dir)?).spare_bytes();
            Ok::<_, EngineError>(store.with_slots(cache_bytes.min(spare / 4), &cache_key))
        };
        let store = Arc::new(blocking(open).await?);
        stores.insert(region, Arc::clone(&store));
        Ok(store)
    }

    /// Makes the files of a volume; whatever an interrupted attempt left is cleared away first, so
    /// nobody must have used the volume yet. Takes the same time for every size.
    pub(crate) async fn create_volume(
        &self,
        region: Region,
        id: &VolumeId,
        spec: VolumeSpec,
        key: Option<DataKey>,
    ) -> Result<(), EngineError> {
        let (disk, dir, options) = (
            Arc::clone(&self.disk),
            self.volume_dir(region, id),
            self.options.clone(),
        );
        blocking(move || {
            cairn_volume::remove(&*disk, &dir)?;
            cairn_volume::create(&*disk, &dir, &spec, key.as_ref(), &options)
        })
        .await
    }

    /// Opens the files of a volume, which recovers it from a crash.
    pub(crate) async fn open_volume(
        &self,
        noun: &cairn_model::Volume,
        key: Option<DataKey>,
        boot_set: Arc<[u64]>,
    ) -> Result<Arc<Volume>, EngineError> {
        let store = self.store(noun.region).await?;
        let (disk, dir) = (
            Arc::clone(&self.disk),
            self.volume_dir(noun.region, &noun.id),
        );
        let options = cairn_volume::Options {
            hydration_rate: hydration_rate(noun),
            boot_set,
            ..self.options.clone()
        };
        blocking(move || cairn_volume::open(disk, &dir, store, key, options)).await
    }

    /// Removes the files of a volume, if there are any. It must not be open.
    pub(crate) async fn remove_volume(
        &self,
        region: Region,
        id: &VolumeId,
    ) -> Result<(), EngineError> {
        let (disk, dir) = (Arc::clone(&self.disk), self.volume_dir(region, id));
        blocking(move || cairn_volume::remove(&*disk, &dir)).await
    }

    /// Writes the record of a snapshot, over the one that is there. Durable on return.
    pub(crate) async fn write_record(
        &self,
        region: Region,
        record: Record,
    ) -> Result<(), EngineError> {
        let (disk, dir) = (Arc::clone(&self.disk), self.records_dir(region));
        blocking(move || record::write(&*disk, &dir, &record)).await
    }

    /// Reads the record of a snapshot. The inner error is what is wrong with its bytes.
    pub(crate) async fn read_record(
        &self,
        region: Region,
        id: &SnapshotId,
    ) -> Result<Result<Option<Record>, String>, EngineError> {
        let (disk, dir, id) = (Arc::clone(&self.disk), self.records_dir(region), id.clone());
        blocking(move || match record::read(&*disk, &dir, &id) {
            Err(RecordError::Malformed(flaw)) => Ok(Err(flaw)),
            read => Ok::<_, RecordError>(Ok(read?)),
        })
        .await
    }

    /// The regions that have a block store.
    pub(crate) async fn regions_with_packs(&self) -> Result<Vec<Region>, EngineError> {
        let disk = Arc::clone(&self.disk);
        let dirs: Vec<_> = Region::all()
            .map(|region| (region, self.region_dir(region).join(PACKS)))
            .collect();
        blocking(move || {
            let mut found = Vec::new();
            for (region, dir) in dirs {
                match disk.list(&dir) {
                    Ok(_) => found.push(region),
                    Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {}
                    Err(cause) => return Err(cause),
                }
            }
            Ok(found)
        })
        .await
    }

    /// Removes the record of a snapshot, if there is one. Durable on return.
    pub(crate) async fn remove_record(
        &self,
        region: Region,
        id: &SnapshotId,
    ) -> Result<(), EngineError> {
        let (disk, dir, id) = (Arc::clone(&self.disk), self.records_dir(region), id.clone());
        blocking(move || record::remove(&*disk, &dir, &id)).await
    }

    /// What is open of a volume.
    pub(crate) fn slot(&self, id: &VolumeId) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Arc::new(Slot::new(&self.clock));
        Arc::clone(slots.entry(id.clone()).or_insert_with(fresh))
    }

    /// Forgets the slot of a volume that is no more.
    pub(crate) fn forget_slot(&self, id: &VolumeId) {
        self.slots
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id);
    }

    /// Permits for captures.
    pub(crate) fn captures(&self) -> &Semaphore {
        &self.captures
    }

    /// The freezes that are begun and not yet on record: nobody may touch them.
    pub(crate) fn freezing(&self) -> MutexGuard<'_, HashSet<EpochTag>> {
        self.freezing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The freezes that are being made the base of their volumes, with their content: it is needed
    /// also if its snapshot is deleted just then.
    pub(crate) fn committing(&self) -> MutexGuard<'_, HashMap<EpochTag, Content>> {
        self.committing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a freeze is being made the base of its volume, until the guard is dropped. To be
    /// done before the snapshot is last seen to exist.
    pub(crate) fn commit_of(&self, tag: &EpochTag, content: Content) -> Committing<'_> {
        self.committing().insert(tag.clone(), content);
        Committing {
            engine: self,
            tag: tag.clone(),
        }
    }

    /// What a volume that is not open needs of the block store. The caller sees to it that nobody
    /// opens it meanwhile.
    pub(crate) async fn claims(
        &self,
        region: Region,
        id: &VolumeId,
        key: Option<DataKey>,
    ) -> Result<Claims, EngineError> {
        let (disk, dir) = (Arc::clone(&self.disk), self.volume_dir(region, id));
        let boot_id = self.options.boot_id.clone();
        blocking(move || cairn_volume::claims::claims(&*disk, &dir, key.as_ref(), &boot_id)).await
    }

    /// How far a volume is filled that is not open; `None` if there is none. The caller sees to it
    /// that nobody opens it meanwhile.
    pub(crate) async fn hydration(
        &self,
        region: Region,
        id: &VolumeId,
        key: Option<DataKey>,
    ) -> Result<Option<Hydration>, EngineError> {
        let (disk, dir) = (Arc::clone(&self.disk), self.volume_dir(region, id));
        let boot_id = self.options.boot_id.clone();
        blocking(
            move || match cairn_volume::hydration(&*disk, &dir, key.as_ref(), &boot_id) {
                Err(cairn_volume::Error::NotFound) => Ok(None),
                found => found.map(Some),
            },
        )
        .await
    }

    /// The block store of a region, if anything was ever stored there.
    pub(crate) async fn existing_store(
        &self,
        region: Region,
    ) -> Result<Option<Arc<BlockStore>>, EngineError> {
        if let Some(store) = self.stores.lock().await.get(&region) {
            return Ok(Some(Arc::clone(store)));
        }
        let (disk, dir) = (
            Arc::clone(&self.disk),
            self.region_dir(region).join("packs"),
        );
        let listed = blocking(move || match disk.list(&dir) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        });
        match listed.await? {
            Some(_) => self.store(region).await.map(Some),
            None => Ok(None),
        }
    }

    /// Where blobs lie.
    pub(crate) fn index(&self) -> &Arc<dyn BlobIndex> {
        &self.index
    }

    /// Ends collections that are under way, and those that begin later.
    pub(crate) async fn stop_collecting(&self) {
        for store in self.stores.lock().await.values() {
            store.stop_collecting();
        }
    }

    /// Where a volume is offered to a machine.
    pub(crate) fn socket(&self, id: &VolumeId) -> PathBuf {
        self.runtime_dir.join(format!("{id}.sock"))
    }

    /// Whether there is room for one more volume or snapshot: new ones are refused first, while
    /// those that are in use can still write.
    pub(crate) async fn has_room(&self, region: Region) -> Result<bool, EngineError> {
        // Opened first: that it can be is part of the answer, and its directory is there then.
        self.store(region).await?;
        Ok(self.space().await?.has_room())
    }

    /// The space of the file system that holds the bytes of all regions.
    pub(crate) async fn space(&self) -> Result<Space, EngineError> {
        let (disk, dir) = (Arc::clone(&self.disk), self.regions_dir.clone());
        Ok(Space::of(blocking(move || disk.space(&dir)).await?))
    }

    /// Gives the space of cached blocks back.
    pub(crate) async fn give_back_caches(&self) {
        for (region, store) in self.stores.lock().await.iter() {
            if store.give_back_slots() {
                tracing::info!(%region, "the cache of blocks on disk was given up for want of space");
            }
        }
    }

    /// What all volumes are told of how scarce space is.
    pub(crate) fn pressure(&self) -> &Pressure {
        &self.options.pressure
    }

    /// Whether the file system takes the data file of a volume of so many bytes.
    pub(crate) async fn takes_volume_of(
        &self,
        region: Region,
        bytes: u64,
    ) -> Result<bool, EngineError> {
        if bytes < ALWAYS_TAKEN_BYTES {
            return Ok(true);
        }
        let (disk, dir) = (Arc::clone(&self.disk), self.region_dir(region));
        blocking(move || disk.takes_file_of(&dir, bytes)).await
    }

    /// Closes everything: first the servers, then the volumes, then the block stores.
    pub(crate) async fn close(&self) {
        let slots = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *slots)
        };
        for (id, slot) in slots {
            if let Err(error) = slot.open.lock().await.close().await {
                tracing::error!(volume = %id, %error, "close a volume");
            }
        }
        for (region, store) in self.stores.lock().await.drain() {
            if let Err(error) = blocking(move || store.seal()).await {
                tracing::error!(%region, %error, "seal the packs of a region");
            }
        }
    }

    fn region_dir(&self, region: Region) -> PathBuf {
        self.regions_dir.join(region.name())
    }

    fn records_dir(&self, region: Region) -> PathBuf {
        self.region_dir(region).join(RECORDS)
    }

    fn volume_dir(&self, region: Region, id: &VolumeId) -> PathBuf {
        self.region_dir(region).join("volumes").join(id.as_str())
    }
}

/// See [`Engine::commit_of`].
#[derive(Debug)]
pub(crate) struct Committing<'a> {
    engine: &'a Engine,
    tag: EpochTag,
}

impl Drop for Committing<'_> {
    fn drop(&mut self) {
        self.engine.committing().remove(&self.tag);
    }
}

impl OpenVolume {
    /// Ends the server, then makes everything durable and closes the volume.
    pub(crate) async fn close(&mut self) -> Result<(), EngineError> {
        let (server, volume) = (self.server.take(), self.volume.take());
        blocking(move || {
            drop(server);
            volume.map_or(Ok(()), |volume| volume.close())
        })
        .await
    }
}

/// The base of a volume that is made from a snapshot.
pub(crate) fn base(content: &Content) -> Result<Base, Error> {
    Ok(Base {
        domain: content.domain(),
        root: content.root()?,
    })
}

/// How many bytes a second are to be copied from the snapshot of a volume, from MiB a second.
fn hydration_rate(noun: &cairn_model::Volume) -> Option<NonZeroU64> {
    let mib = u64::try_from(noun.initialization_rate?).ok()?;
    NonZeroU64::new(mib << 20)
}

/// The id of this boot of the kernel: as long as it stays, nothing that was written can be missing.
pub(crate) fn boot_id() -> std::io::Result<String> {
    let path = Path::new("/proc/sys/kernel/random/boot_id");
    Ok(std::fs::read_to_string(path)?.trim().to_owned())
}
