//! Metadata that was lost, rebuilt from what lies beside it: the index of blobs from the packs,
//! accounts and snapshots from the records of snapshots.
//!
//! Everything is built in a directory of its own and takes its place at the end, file by file: a
//! recovery that is cut off leaves what was there, and can be begun again. What no record holds
//! does not come back: images, volumes, instances, key pairs, accounts without a snapshot, and all
//! access keys.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use cairn_blocks::{BlobIndex, BlockStore, DomainId, PackId, Reindexed, disk::Disk};
use cairn_model::{
    AccountId, Clock, Entropy, KmsKey, KmsKeyState, Region, Snapshot, SnapshotId, Tags,
};
use cairn_store::{
    Store, WriteTx,
    account::{self, Account},
    domain::{self, Domain, Sealed},
    kms_key,
    record::{self, Record},
    snapshot,
};
use tokio::runtime::Handle;

use crate::{
    Error, OpenError,
    account::{NewAccount, new_account_key, prepare_regions},
    attest::Attestation,
    control::{create_private_dir, lock, vault},
    engine::{Content, EngineError, PACKS, RECORDS, blocking},
    keys::{Keys, verbs::key_of},
    region,
    volume::GIB,
};

/// The files of the metadata.
const METADATA: &str = "cairn.db";
const BLOBS: &str = "blobs.db";

/// What SQLite keeps beside a file.
const BESIDE: [&str; 3] = ["", "-wal", "-shm"];

/// Where the new files are built.
const WORKSHOP: &str = "recovering";

/// What a recovery is made of.
#[derive(Clone, Debug)]
pub struct RecoverOptions {
    /// The data directory.
    pub data_dir: PathBuf,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from: keys.
    pub entropy: Arc<dyn Entropy>,
    /// The file system of the bytes.
    pub disk: Arc<dyn Disk>,
    /// The file of the root key; `root-key` in the data directory unless named.
    pub root_key: Option<PathBuf>,
    /// Whether to rebuild files that are there; they are kept beside.
    pub force: bool,
}

/// What a recovery brought back.
#[derive(Clone, Debug, Default)]
pub struct Recovered {
    /// The files that were rebuilt.
    pub rebuilt: Vec<PathBuf>,
    /// Where the files went that were there before.
    pub kept: Vec<PathBuf>,
    /// Blobs that were found, and the packs they lie in.
    pub blobs: u64,
    /// See above.
    pub packs: u64,
    /// The snapshots that have a record.
    pub snapshots: Vec<RecoveredSnapshot>,
    /// Their accounts, each with a new access key; none if the metadata was not rebuilt.
    pub accounts: Vec<RecoveredAccount>,
    /// What could not be read, as sentences: records and packs.
    pub unread: Vec<String>,
    /// Volumes whose files are there and whose metadata is lost.
    pub volumes: Vec<PathBuf>,
}

/// A snapshot that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveredSnapshot {
    /// Its id.
    pub id: SnapshotId,
    /// Its owner.
    pub account: AccountId,
    /// Where it lies.
    pub region: Region,
    /// Blocks that no pack holds any more.
    pub unreadable_blocks: u64,
    /// Why nobody could look for them, if its key cannot be had.
    pub locked: Option<String>,
    /// Whether its signature fits what its record says.
    pub signature_ok: bool,
}

/// An account that came back.
#[derive(Clone, Debug)]
pub struct RecoveredAccount {
    /// The account, and its new key.
    pub account: NewAccount,
    /// Whether it may make other accounts.
    pub operator: bool,
}

/// Why metadata was not recovered. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// It is all there.
    #[error("there is nothing to recover: {} and blobs.db are there; --force rebuilds them, and keeps these files beside", .0.display())]
    Exists(PathBuf),
    /// The data directory cannot be used.
    #[error("{0}")]
    Open(#[from] OpenError),
    /// Two records that cannot both be right.
    #[error(
        "the records of {first} and {second} contradict each other; move the wrong one out of its directory"
    )]
    Contradiction {
        /// One snapshot.
        first: SnapshotId,
        /// The other one.
        second: SnapshotId,
    },
    /// The new metadata cannot be written.
    #[error("write the new metadata: {0}")]
    Store(#[from] cairn_store::Error),
    /// The bytes cannot be read.
    #[error("read what there is: {0}")]
    Bytes(String),
    /// A file cannot be moved.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl From<EngineError> for RecoverError {
    fn from(error: EngineError) -> Self {
        Self::Bytes(error.to_string())
    }
}

impl From<Error> for RecoverError {
    fn from(error: Error) -> Self {
        Self::Bytes(error.to_string())
    }
}

/// Whether a data directory holds packs or records that its metadata has lost: then a server must
/// not begin anew, as everything would look like garbage to it.
pub(crate) fn is_lost(data_dir: &Path) -> bool {
    let whole = is_there(&data_dir.join(METADATA)) && is_there(&data_dir.join(BLOBS));
    !whole
        && Region::all().any(|region| {
            let dir = data_dir.join("regions").join(region.name());
            has_files(&dir.join(RECORDS)) || has_packs(&dir.join(PACKS))
        })
}

/// An empty file is what is left of one, or of its first opening; both are as good as none.
fn is_there(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0)
}

fn has_files(dir: &Path) -> bool {
    fs::read_dir(dir).is_ok_and(|mut files| files.next().is_some())
}

/// The lock of a block store is no pack.
fn has_packs(dir: &Path) -> bool {
    fs::read_dir(dir).is_ok_and(|files| files.flatten().any(|file| file.file_name() != "lock"))
}

/// Rebuilds what is missing of the metadata; with `force`, all of it.
///
/// # Errors
/// See [`RecoverError`]: after each of them everything is as it was.
pub async fn recover(options: RecoverOptions) -> Result<Recovered, RecoverError> {
    let _lock = lock(&options.data_dir)?;
    let wanted: Vec<_> = [METADATA, BLOBS]
        .into_iter()
        .filter(|name| options.force || !is_there(&options.data_dir.join(name)))
        .collect();
    if wanted.is_empty() {
        return Err(RecoverError::Exists(options.data_dir.join(METADATA)));
    }
    let workshop = options.data_dir.join(WORKSHOP);
    clear(&workshop)?;
    create_private_dir(&workshop)?;
    let mut recovery = Recovery::begin(options, &workshop).await?;
    recovery.read_records()?;
    recovery
        .restore_metadata(wanted.contains(&METADATA))
        .await?;
    recovery.restore_index().await?;
    recovery.survey().await?;
    recovery.store.close().await;
    recovery.take_place(&workshop, &wanted)
}

/// A recovery under way.
struct Recovery {
    options: RecoverOptions,
    store: Store,
    records: Vec<Record>,
    keys: Arc<Keys>,
    stores: BTreeMap<Region, Arc<BlockStore>>,
    done: Recovered,
}

impl Recovery {
    async fn begin(options: RecoverOptions, workshop: &Path) -> Result<Self, RecoverError> {
        let vault = vault(&options.data_dir, options.root_key.clone());
        let keys = Keys::new(vault, Arc::clone(&options.entropy)).taking_unknown_for_plain();
        Ok(Self {
            options,
            store: Store::open(workshop).await?,
            keys: Arc::new(keys),
            records: Vec::new(),
            stores: BTreeMap::new(),
            done: Recovered::default(),
        })
    }

    fn region_dir(&self, region: Region) -> PathBuf {
        self.options.data_dir.join("regions").join(region.name())
    }

    /// Reads the records of all regions. One that cannot be read costs no other.
    fn read_records(&mut self) -> Result<(), RecoverError> {
        for region in Region::all() {
            let dir = self.region_dir(region).join(RECORDS);
            let ids = record::list(&*self.options.disk, &dir).map_err(at(&dir))?;
            for id in ids {
                let path = dir.join(id.as_str());
                match record::read(&*self.options.disk, &dir, &id) {
                    Ok(Some(record)) if record.snapshot.region == region => {
                        self.records.push(record);
                    }
                    Ok(_) => self.unread(&path, &"it is a record of another region"),
                    Err(error) => self.unread(&path, &error),
                }
            }
            self.note_volumes(region);
        }
        Ok(())
    }

    fn unread(&mut self, path: &Path, why: &dyn std::fmt::Display) {
        self.done.unread.push(format!("{}: {why}", path.display()));
    }

    fn note_volumes(&mut self, region: Region) {
        let dir = self.region_dir(region).join("volumes");
        let found = fs::read_dir(&dir).into_iter().flatten().flatten();
        self.done.volumes.extend(found.map(|entry| entry.path()));
        self.done.volumes.sort();
    }

    /// Accounts, domains and snapshots; keys only where they will be used.
    async fn restore_metadata(&mut self, is_wanted: bool) -> Result<(), RecoverError> {
        let domains = domains(&self.records)?;
        let mut tx = self.store.write().await?;
        for domain in &domains {
            domain::restore(&mut tx, domain).await?;
            self.keys.know(domain, false);
        }
        self.restore_keys(&mut tx, &domains).await?;
        for account in accounts(&self.records) {
            let restored = self.restore_account(&mut tx, &account).await?;
            if is_wanted {
                self.done.accounts.push(RecoveredAccount {
                    account: restored,
                    operator: account.operator,
                });
            }
        }
        for record in &self.records {
            snapshot::insert(&mut tx, &known(&record.snapshot)).await?;
        }
        Ok(tx.commit().await?)
    }

    /// The keys that have a file, and those that records name. One of the latter that has no file
    /// was deleted, or its file is lost: nobody knows, and so it counts as lost until it is deleted.
    async fn restore_keys(
        &mut self,
        tx: &mut WriteTx,
        domains: &[Domain],
    ) -> Result<(), RecoverError> {
        let keys = Arc::clone(&self.keys);
        let (mut found, faults) = blocking(move || keys.list()).await?;
        self.done
            .unread
            .extend(faults.iter().map(ToString::to_string));
        for domain in domains {
            let named = domain.sealed.as_ref().map(|sealed| &sealed.key);
            if let Some(id) = named.filter(|id| found.iter().all(|key| key.id != **id)) {
                found.push(KmsKey {
                    id: id.clone(),
                    account: domain.account.clone(),
                    region: domain.region,
                    description: "Its file was missing when the metadata was recovered".to_owned(),
                    aws_managed: false,
                    state: KmsKeyState::Enabled,
                    create_time: self.options.clock.now().whole_second(),
                    deletion_date: None,
                    tags: Tags::new(),
                    policy: None,
                });
            }
        }
        for key in &found {
            kms_key::insert(tx, key).await?;
        }
        Ok(())
    }

    async fn restore_account(
        &self,
        tx: &mut WriteTx,
        account: &Account,
    ) -> Result<NewAccount, RecoverError> {
        let entropy = &*self.options.entropy;
        account::insert(tx, account).await?;
        let key = new_account_key(entropy, account);
        account::insert_key(tx, &key, self.options.clock.now()).await?;
        prepare_regions(tx, &account.id, entropy).await?;
        // Who had opted into which region is not in the records. Where there are some, all are in.
        for region in Region::all().filter(|region| region.needs_opt_in()) {
            if has_files(&self.region_dir(region).join(RECORDS)) {
                region::enable(tx, &account.id, region, entropy).await?;
            }
        }
        Ok(NewAccount {
            account: account.id.clone(),
            name: account.name.clone(),
            access_key_id: key.id,
            secret_access_key: key.secret,
        })
    }

    /// Where blobs lie, by the packs of all regions.
    async fn restore_index(&mut self) -> Result<(), RecoverError> {
        let index: Arc<dyn BlobIndex> = Arc::new(self.store.blobs().index(Handle::current()));
        let mut last_pack = None;
        let mut domains = BTreeSet::new();
        for region in Region::all() {
            let dir = self.region_dir(region).join(PACKS);
            if !has_packs(&dir) {
                continue;
            }
            let (disk, index) = (Arc::clone(&self.options.disk), Arc::clone(&index));
            let keys = Arc::clone(&self.keys);
            let (store, found) = blocking(move || reindex(disk, &dir, index, keys)).await?;
            self.stores.insert(region, store);
            self.done.blobs += found.blobs;
            self.done.packs += found.packs;
            last_pack = last_pack.max(found.last_pack);
            domains.extend(found.domains);
            for pack in found.unread {
                self.unread(&pack.path, &pack.reason);
            }
        }
        self.reserve_numbers(last_pack, domains.last().copied())
            .await
    }

    /// Numbers that are written in packs are never given out again, also not where nobody knows any
    /// more what they stood for.
    async fn reserve_numbers(
        &self,
        pack: Option<PackId>,
        domain: Option<DomainId>,
    ) -> Result<(), RecoverError> {
        if let Some(pack) = pack {
            self.store.blobs().reserve_packs(pack).await?;
        }
        if let Some(domain) = domain {
            let mut tx = self.store.write().await?;
            domain::reserve(&mut tx, domain).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// What of each snapshot is lost.
    async fn survey(&mut self) -> Result<(), RecoverError> {
        let mut by_region: BTreeMap<Region, Vec<Record>> = BTreeMap::new();
        for record in std::mem::take(&mut self.records) {
            let of_region = by_region.entry(record.snapshot.region).or_default();
            of_region.push(record);
        }
        for (region, records) in by_region {
            let store = self.stores.get(&region).cloned();
            let surveyed = blocking(move || survey_region(store.as_deref(), &records)).await?;
            self.done.snapshots.extend(surveyed?);
        }
        Ok(())
    }

    /// Puts the new files where they belong. The block stores are closed first.
    fn take_place(
        mut self,
        workshop: &Path,
        wanted: &[&'static str],
    ) -> Result<Recovered, RecoverError> {
        self.stores.clear();
        let data_dir = &self.options.data_dir;
        for name in wanted {
            let target = data_dir.join(name);
            if is_there(&target) {
                self.done.kept.push(set_aside(&target)?);
            }
            // An empty file and what SQLite left beside a file that is lost belong to nothing.
            for suffix in BESIDE {
                remove_if_there(&with_suffix(&target, suffix))?;
            }
            fs::rename(workshop.join(name), &target).map_err(at(&target))?;
            self.done.rebuilt.push(target);
        }
        sync_dir(data_dir)?;
        clear(workshop)?;
        Ok(self.done)
    }
}

/// The domains, by the records: one for each region, account and key.
fn domains(records: &[Record]) -> Result<Vec<Domain>, RecoverError> {
    let mut by_id: BTreeMap<DomainId, (Domain, &SnapshotId)> = BTreeMap::new();
    let mut by_scope: BTreeMap<_, (DomainId, &SnapshotId)> = BTreeMap::new();
    for record in records {
        let id = &record.snapshot.id;
        let domain = domain_of(record)?;
        let scope = (
            domain.region,
            domain.account.clone(),
            domain.sealed.as_ref().map(|sealed| sealed.key.clone()),
            domain.archive_of.clone(),
        );
        let same_scope = by_scope.entry(scope).or_insert((domain.id, id));
        let same_id = by_id.entry(domain.id).or_insert((domain.clone(), id));
        let other = match (same_scope.0 == domain.id, same_id.0 == domain) {
            (true, true) => continue,
            (false, _) => same_scope.1,
            (true, false) => same_id.1,
        };
        return Err(RecoverError::Contradiction {
            first: other.clone(),
            second: id.clone(),
        });
    }
    Ok(by_id.into_values().map(|(domain, _)| domain).collect())
}

fn domain_of(record: &Record) -> Result<Domain, RecoverError> {
    let snapshot = &record.snapshot;
    let sealed = match (key_of(snapshot.kms_key_id.as_deref())?, &record.data_key) {
        (None, None) => None,
        (Some(key), Some(data_key)) => Some(Sealed {
            key,
            data_key: hex::decode(data_key).map_err(Error::internal)?,
        }),
        _ => {
            let text = format!(
                "the record of {} names a key or a data key alone",
                snapshot.id
            );
            return Err(RecoverError::Bytes(text));
        }
    };
    Ok(Domain {
        id: DomainId(record.domain),
        region: snapshot.region,
        account: snapshot.account.clone(),
        sealed,
        archive_of: snapshot.archive_location().map(|_| snapshot.id.clone()),
    })
}

/// The accounts that the records name. One of them has to run the server: if no record knows which,
/// it is the oldest.
fn accounts(records: &[Record]) -> Vec<Account> {
    let by_id: BTreeMap<_, _> = records
        .iter()
        .map(|record| (&record.snapshot.account, &record.owner))
        .collect();
    let mut accounts: Vec<_> = by_id
        .into_iter()
        .map(|(id, owner)| Account {
            id: id.clone(),
            name: owner.name.clone(),
            operator: owner.operator,
            created: owner.created,
            // Records say nothing of organizations: those are said anew.
            memberships: Vec::new(),
        })
        .collect();
    accounts.sort_by_key(|account| account.created);
    if !accounts.iter().any(|account| account.operator)
        && let Some(oldest) = accounts.first_mut()
    {
        oldest.operator = true;
    }
    accounts
}

/// A record knows one place of its snapshot: the archive of one that was restored for some days is lost,
/// and made anew when they are over.
fn known(snapshot: &Snapshot) -> Snapshot {
    let mut known = snapshot.clone();
    if let Some(tiering) = known
        .tiering
        .as_mut()
        .filter(|tiering| tiering.is_in_standard())
    {
        tiering.archive_domain = None;
        tiering.progress = 100;
    }
    known
}

fn reindex(
    disk: Arc<dyn Disk>,
    dir: &Path,
    index: Arc<dyn BlobIndex>,
    keys: Arc<Keys>,
) -> Result<(Arc<BlockStore>, Reindexed), EngineError> {
    // Seals what is unsealed, and tells the index of that.
    let store = BlockStore::open(disk, dir, index, keys, cairn_blocks::Options::default())?;
    let found = store.reindex()?;
    Ok((Arc::new(store), found))
}

/// Without a store all is lost. The outer error is the engine's, the inner one ours.
fn survey_region(
    store: Option<&BlockStore>,
    records: &[Record],
) -> Result<Result<Vec<RecoveredSnapshot>, Error>, EngineError> {
    let mut survey = store.map(BlockStore::survey).transpose()?;
    let mut surveyed = Vec::with_capacity(records.len());
    for record in records {
        let (domain, root) = match content(record) {
            Ok(content) => content,
            Err(error) => return Ok(Err(error)),
        };
        let mut locked = None;
        let unreadable_blocks = match &mut survey {
            Some(survey) => match survey.unreadable_blocks(domain, &root) {
                Err(error @ cairn_blocks::Error::Key(_)) => {
                    locked = Some(error.to_string());
                    0
                }
                found => found?,
            },
            None if root == cairn_blocks::Root::empty(root.size_bytes) => 0,
            None => root.block_count(),
        };
        surveyed.push(RecoveredSnapshot {
            id: record.snapshot.id.clone(),
            account: record.snapshot.account.clone(),
            region: record.snapshot.region,
            unreadable_blocks,
            locked,
            signature_ok: is_signed(record),
        });
    }
    Ok(Ok(surveyed))
}

fn content(record: &Record) -> Result<(DomainId, cairn_blocks::Root), Error> {
    let size_gib = u64::try_from(record.snapshot.volume_size_gib).map_err(Error::internal)?;
    let content = Content {
        domain: record.domain,
        root: record.snapshot.root.clone().unwrap_or_default(),
        size_bytes: size_gib * GIB,
    };
    Ok((content.domain(), content.root()?))
}

fn is_signed(record: &Record) -> bool {
    let signature = record.snapshot.signature.as_ref();
    signature
        .and_then(|signature| Attestation::of(&record.snapshot, signature))
        .is_some_and(|attestation| attestation.check(None).is_ok())
}

/// Moves a database out of the way, under a name that nothing has yet.
fn set_aside(path: &Path) -> Result<PathBuf, RecoverError> {
    let free = (1u32..)
        .map(|number| with_suffix(path, &format!(".before-recovery-{number}")))
        .find(|name| !name.exists());
    let aside = free.unwrap_or_else(|| with_suffix(path, ".before-recovery"));
    for suffix in BESIDE.iter().rev() {
        let (from, to) = (with_suffix(path, suffix), with_suffix(&aside, suffix));
        match fs::rename(&from, to) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(at(&from)(cause)),
            _ => {}
        }
    }
    Ok(aside)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(suffix);
    PathBuf::from(name)
}

fn remove_if_there(path: &Path) -> Result<(), RecoverError> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(at(path)(cause)),
        _ => Ok(()),
    }
}

fn clear(dir: &Path) -> Result<(), RecoverError> {
    match fs::remove_dir_all(dir) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(at(dir)(cause)),
        _ => Ok(()),
    }
}

fn sync_dir(dir: &Path) -> Result<(), RecoverError> {
    fs::File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(at(dir))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> RecoverError {
    let path = path.to_owned();
    move |source| RecoverError::Io { path, source }
}
