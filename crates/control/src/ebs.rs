//! EBS direct: snapshots written and read block by block.
//!
//! Source: <https://docs.aws.amazon.com/ebs/latest/APIReference/>. A block counts as put when its
//! bytes are durable and its row is; many puts at once share both waits, see [`Uploads`].
//! Unlike EBS, ListChangedBlocks compares any two snapshots: no common history is needed.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use aws_lc_rs::digest::{Context, SHA256};
use base64::{Engine as _, engine::general_purpose::STANDARD};
pub use cairn_blocks::Hashed;
use cairn_blocks::{BLOCK_SIZE, BlockStore, Digest, DomainId, Session};
use cairn_model::{
    KmsKey, Region, Snapshot, SnapshotId, SnapshotState, Timestamp, page::Seal as _, tag,
};
use cairn_store::{
    Connection, WriteTx, snapshot,
    upload::{self, Upload, UploadedBlock},
};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    engine::{Content, EngineError, blocking},
    holders::upload_blocks,
    jobs::{self, Failure, Job, Next},
    keys::{
        digests::RowSeal,
        verbs::{Wish, domain_of},
    },
    request::{CompleteSnapshot, GetSnapshotBlock, ListBlocks, PutSnapshotBlock, StartSnapshot},
    snapshot::{self as snapshots, check_description, complete, content, content_of, fail},
    token::Idempotency,
    volume::GIB,
};

/// The volume that snapshots without a volume are of, as on AWS.
pub(crate) const NO_VOLUME: &str = "vol-ffffffff";

/// The largest volume in GiB.
const LARGEST_GIB: i64 = 65_536;

/// Minutes until an upload is given up: the default, the least, the greatest.
const TIMEOUT_MINUTES: i32 = 60;
const TIMEOUT_LEAST: i32 = 10;
const TIMEOUT_GREATEST: i32 = 4_320;

/// How long block tokens hold.
const TOKENS_HOLD: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Results of a page: the least that a smaller number counts as, and the greatest.
const PAGE_LEAST: i32 = 100;
const PAGE_GREATEST: i32 = 10_000;

/// Blocks compressed and stored at a time.
const PUTS_AT_ONCE: usize = 64;

/// Blocks recorded together.
const RECORDED_TOGETHER: usize = 256;

/// The only algorithm of checksums.
const SHA256_NAME: &str = "SHA256";

/// A block that was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutBlock {
    /// SHA-256 of the block, base64.
    pub checksum: String,
}

/// Blocks of a snapshot, or those in which two differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockList {
    /// The blocks, in order.
    pub blocks: Vec<ListedBlock>,
    /// Size of the (second) snapshot's volume in GiB.
    pub volume_size_gib: i32,
    /// Until when the block tokens hold.
    pub expiry: Timestamp,
    /// Where the next page begins; absent on the last one.
    pub next_token: Option<String>,
}

/// A block in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedBlock {
    /// Its position, in blocks of 512 KiB.
    pub block_index: i64,
    /// Token for the block of the (second) snapshot; absent where that has zeros.
    pub token: Option<String>,
    /// Token for the block of the first snapshot; absent where that has zeros, or there is none.
    pub first_token: Option<String>,
}

/// A block that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockData {
    /// Its bytes.
    pub data: Arc<[u8]>,
    /// Their SHA-256, base64.
    pub checksum: String,
}

impl Control {
    /// Begins a snapshot that is written block by block, over a parent or over zeros.
    pub async fn start_snapshot(
        &self,
        caller: &Caller,
        request: StartSnapshot,
    ) -> Result<Snapshot> {
        let new = NewUpload::check(&request)?;
        let token = request.client_token.as_deref();
        let idempotency = Idempotency::of(caller, "StartSnapshot", token, &request)?;
        let has_room = self.engine().has_room(caller.region).await?;
        let key = self.new_upload_key(caller, &request, &idempotency).await?;
        let mut tx = self.store().write().await?;
        if let Some(id) = idempotency.known(&mut tx).await.map_err(conflict)? {
            return find(&mut tx, caller, &id).await;
        }
        if !has_room {
            return Err(Error::storage_full());
        }
        let base = self.parent(&mut tx, caller, &request).await?;
        let mut snapshot = self.begin_upload(caller, &request, new.volume_size_gib, &base)?;
        snapshot.encrypted = key.is_some();
        snapshot.kms_key_id = key.map(|key| key.arn());
        let now = self.now();
        let base = base
            .map(|(_, content)| serde_json::to_string(&content))
            .transpose();
        let upload = Upload {
            last_activity: now,
            timeout: new.timeout,
            sealed: false,
            base: base.map_err(Error::internal)?,
        };
        snapshot::insert(&mut tx, &snapshot).await?;
        upload::insert(&mut tx, &snapshot.id, &upload).await?;
        idempotency
            .record(&mut tx, snapshot.id.as_str(), now)
            .await?;
        let expire = ExpireUploadJob {
            snapshot: snapshot.id.clone(),
        };
        jobs::enqueue_at(&mut tx, &expire, now, now.after(new.timeout)).await?;
        tx.commit().await?;
        Ok(snapshot)
    }

    /// Puts a block, over an earlier one of its index. Durable on return.
    pub async fn put_snapshot_block(
        &self,
        caller: &Caller,
        request: PutSnapshotBlock,
    ) -> Result<PutBlock> {
        let snapshot = {
            let mut read = self.store().read().await?;
            let snapshot = find(&mut read, caller, &request.snapshot_id).await?;
            open_upload(&mut read, &snapshot).await?;
            snapshot
        };
        self.check_key(snapshot.kms_key_id.as_deref()).await?;
        check_block_index(&snapshot, request.block_index)?;
        let progress = check_form(&request)?;
        self.check_space().await?;
        let domain = self.domain_of(&snapshot).await?;
        let _turn = self
            .uploads()
            .puts
            .acquire()
            .await
            .map_err(Error::internal)?;
        let store = self.engine().store(snapshot.region).await?;
        let session = store.session();
        let block_index = u64::try_from(request.block_index).map_err(Error::internal)?;
        let keys = Arc::clone(self.keys());
        let stored = blocking(move || {
            let seal = RowSeal::of(&*keys, domain)?;
            Ok::<_, EngineError>(put(&store, domain, &request)?.map(|digest| (digest, seal)))
        });
        let (digest, seal) = stored.await??;
        let row = seal.seal(&snapshot.id, block_index, digest);
        let block = UploadedBlock {
            block_index,
            digest: row.map_err(Error::internal)?,
        };
        self.uploads()
            .record(Put {
                region: snapshot.region,
                domain,
                snapshot: snapshot.id,
                block,
                progress,
                _session: Arc::new(session),
            })
            .await?;
        Ok(PutBlock {
            checksum: STANDARD.encode(digest.0),
        })
    }

    /// Ends an upload: what was put is the snapshot. It is completed soon after.
    pub async fn complete_snapshot(
        &self,
        caller: &Caller,
        request: CompleteSnapshot,
    ) -> Result<SnapshotState> {
        check_aggregation(&request)?;
        let mut tx = self.store().write().await?;
        let snapshot = find(&mut tx, caller, &request.snapshot_id).await?;
        let upload = upload::get(&mut tx, &snapshot.id).await?;
        match (snapshot.state, upload) {
            (SnapshotState::Pending, Some(upload)) if !upload.sealed => {}
            // Said before, and said again because the answer was lost.
            (state @ (SnapshotState::Pending | SnapshotState::Completed), _)
                if is_upload(&snapshot) =>
            {
                return Ok(state);
            }
            _ => return Err(not_pending(&snapshot.id)),
        }
        let key = snapshot.kms_key_id.as_deref();
        let domain = domain_of(&mut tx, snapshot.region, &snapshot.account, key).await?;
        let seal = self.row_seal(domain.id).await?;
        check_uploaded(&mut tx, &snapshot.id, &seal, &request).await?;
        upload::seal(&mut tx, &snapshot.id).await?;
        jobs::enqueue(
            &mut tx,
            &CompleteUploadJob {
                snapshot: snapshot.id,
            },
            self.now(),
        )
        .await?;
        tx.commit().await?;
        self.wake_jobs();
        Ok(SnapshotState::Pending)
    }

    /// The blocks of a completed snapshot that are not zero, its parent's among them.
    pub async fn list_snapshot_blocks(
        &self,
        caller: &Caller,
        request: ListBlocks,
    ) -> Result<BlockList> {
        let _session = self.reading(caller.region).await?;
        let snapshot = self.completed(caller, &request.snapshot_id).await?;
        self.list(None, snapshot, &request).await
    }

    /// The blocks in which two completed snapshots differ; without a first one, those in which the
    /// second differs from zeros.
    pub async fn list_changed_blocks(
        &self,
        caller: &Caller,
        request: ListBlocks,
    ) -> Result<BlockList> {
        let _session = self.reading(caller.region).await?;
        let second = self.completed(caller, &request.snapshot_id).await?;
        let first = match &request.first_snapshot_id {
            Some(id) => Some(self.completed(caller, id).await?),
            None => None,
        };
        self.list(first, second, &request).await
    }

    /// A block of a completed snapshot, by the token that a list gave.
    pub async fn get_snapshot_block(
        &self,
        caller: &Caller,
        request: GetSnapshotBlock,
    ) -> Result<BlockData> {
        let _session = self.reading(caller.region).await?;
        let snapshot = self.completed(caller, &request.snapshot_id).await?;
        check_block_index(&snapshot, request.block_index)?;
        let index = u64::try_from(request.block_index).map_err(Error::internal)?;
        if !self.token_holds(&snapshot.id, index, &request.block_token) {
            return Err(Error::new(
                ErrorKind::EbsInvalidBlockToken,
                "The block token is not valid or has expired.",
            ));
        }
        let content = content(self, &snapshot).await?;
        let store = self.engine().store(snapshot.region).await?;
        let (data, digest) = blocking(move || read(&store, &content, index))
            .await??
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::EbsBlockNotFound,
                    "The snapshot has no data in this block.",
                )
            })?;
        Ok(BlockData {
            data,
            checksum: STANDARD.encode(digest.0),
        })
    }

    /// The key that a new snapshot is kept under, if it is to be encrypted.
    async fn new_upload_key(
        &self,
        caller: &Caller,
        request: &StartSnapshot,
        idempotency: &Idempotency<'_>,
    ) -> Result<Option<KmsKey>> {
        let parent = {
            let mut read = self.store().read().await?;
            let known = idempotency.known(&mut read).await;
            if known.map_err(conflict)?.is_some() {
                return Ok(None);
            }
            match &request.parent_snapshot_id {
                Some(id) => Some(find(&mut read, caller, id).await?),
                None => None,
            }
        };
        self.check_parent_is_encrypted(caller, parent.as_ref())
            .await?;
        let wish = Wish {
            encrypted: request.encrypted,
            key: request.kms_key_arn.as_deref(),
            source: parent.as_ref(),
            dry_run: false,
        };
        self.key_for(caller, wish).await
    }

    /// Where everything new is encrypted, nothing goes on from what is not.
    async fn check_parent_is_encrypted(
        &self,
        caller: &Caller,
        parent: Option<&Snapshot>,
    ) -> Result<()> {
        let Some(parent) = parent.filter(|parent| !parent.encrypted) else {
            return Ok(());
        };
        if !self.ebs_encryption(caller).await?.by_default {
            return Ok(());
        }
        let text = format!(
            "New snapshots are encrypted by default here, and the parent snapshot '{}' is not: copy it first, which encrypts it.",
            parent.id
        );
        Err(Error::new(ErrorKind::EbsInvalidParentSnapshot, text))
    }

    /// The parent, and where its content is.
    async fn parent(
        &self,
        conn: &mut Connection,
        caller: &Caller,
        request: &StartSnapshot,
    ) -> Result<Option<(Snapshot, Content)>> {
        let Some(id) = &request.parent_snapshot_id else {
            return Ok(None);
        };
        let parent = find(conn, caller, id).await?;
        if parent.state != SnapshotState::Completed || !parent.is_in_standard() {
            let text = format!("The parent snapshot '{id}' is not completed, or is archived.");
            return Err(Error::new(ErrorKind::EbsInvalidParentSnapshot, text));
        }
        if request.volume_size < i64::from(parent.volume_size_gib) {
            let text = format!(
                "The volume size {}GiB is smaller than the parent snapshot's {}GiB.",
                request.volume_size, parent.volume_size_gib
            );
            return Err(Error::new(ErrorKind::EbsInvalidVolumeSize, text));
        }
        let content = content_of(conn, &parent).await?;
        Ok(Some((parent, content)))
    }

    fn begin_upload(
        &self,
        caller: &Caller,
        request: &StartSnapshot,
        volume_size_gib: i32,
        parent: &Option<(Snapshot, Content)>,
    ) -> Result<Snapshot> {
        let tags = request
            .tags
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()));
        Ok(Snapshot {
            id: SnapshotId::generate(self.entropy()),
            account: caller.account.clone(),
            region: caller.region,
            volume_id: NO_VOLUME.parse().map_err(Error::internal)?,
            volume_size_gib,
            description: request.description.clone().unwrap_or_default(),
            state: SnapshotState::Pending,
            state_message: None,
            progress: 0,
            start_time: self.stamp(),
            completion_time: None,
            encrypted: false,
            kms_key_id: None,
            parent_id: parent.as_ref().map(|(parent, _)| parent.id.clone()),
            full_size_bytes: None,
            root: None,
            digest: None,
            signature: None,
            create_volume_permissions: Default::default(),
            copy: None,
            lock: None,
            recycled: None,
            tiering: None,
            tags: tag::checked(tags)
                .map_err(|error| Error::new(ErrorKind::EbsInvalidTag, error))?,
        })
    }

    /// A snapshot that the caller may read, which has to be completed.
    async fn completed(&self, caller: &Caller, id: &str) -> Result<Snapshot> {
        let snapshot = find_usable(&mut *self.store().read().await?, caller, id).await?;
        match snapshot.state {
            SnapshotState::Completed if snapshot.is_in_standard() => {
                self.check_key_use(caller, snapshot.kms_key_id.as_deref())
                    .await?;
                Ok(snapshot)
            }
            _ => Err(Error::new(
                ErrorKind::EbsSnapshotNotCompleted,
                format!("The snapshot '{id}' is not in the completed state, or is archived."),
            )),
        }
    }

    async fn list(
        &self,
        first: Option<Snapshot>,
        second: Snapshot,
        request: &ListBlocks,
    ) -> Result<BlockList> {
        let limit = limit(request.max_results)?;
        let scope = scope(first.as_ref(), &second);
        let from = match &request.page_token {
            Some(token) => self.open_page_token(&scope, token)?,
            None => starting_block(request.starting_block_index)?,
        };
        let pair = Pair {
            first: match &first {
                Some(first) => Some(content(self, first).await?),
                None => None,
            },
            second: content(self, &second).await?,
        };
        let store = self.engine().store(second.region).await?;
        let mut found = blocking(move || pair.differences(&store, from, limit + 1)).await??;
        let next = found.get(limit).map(|change| change.block);
        found.truncate(limit);
        let expiry = self.stamp().after(TOKENS_HOLD);
        let token = |snapshot: &Snapshot, block| self.block_token(&snapshot.id, block, expiry);
        let blocks = found.into_iter().map(|change| {
            Ok(ListedBlock {
                block_index: i64::try_from(change.block).map_err(Error::internal)?,
                token: change.second.map(|_| token(&second, change.block)),
                first_token: change
                    .first
                    .and(first.as_ref())
                    .map(|first| token(first, change.block)),
            })
        });
        Ok(BlockList {
            blocks: blocks.collect::<Result<_>>()?,
            volume_size_gib: second.volume_size_gib,
            expiry,
            next_token: next.map(|block| self.page_token(&scope, block)),
        })
    }

    /// What EBS calls the identity of a block within a snapshot, good for a while.
    fn block_token(&self, snapshot: &SnapshotId, block: u64, expiry: Timestamp) -> String {
        let mut bytes = expiry.seconds().to_be_bytes().to_vec();
        bytes.extend(
            self.seal()
                .seal(&token_message(snapshot, block, expiry.seconds())),
        );
        STANDARD.encode(bytes)
    }

    fn token_holds(&self, snapshot: &SnapshotId, block: u64, token: &str) -> bool {
        let Some((expiry, mac)) = sealed_number(token) else {
            return false;
        };
        let message = token_message(snapshot, block, i64::from_be_bytes(expiry));
        self.seal().fits(&message, &mac) && self.now().seconds() < i64::from_be_bytes(expiry)
    }

    fn page_token(&self, scope: &str, block: u64) -> String {
        let mut bytes = block.to_be_bytes().to_vec();
        bytes.extend(self.seal().seal(&page_message(scope, block)));
        STANDARD.encode(bytes)
    }

    fn open_page_token(&self, scope: &str, token: &str) -> Result<u64> {
        let opened = sealed_number(token).and_then(|(block, mac)| {
            let block = u64::from_be_bytes(block);
            self.seal()
                .fits(&page_message(scope, block), &mac)
                .then_some(block)
        });
        opened.ok_or_else(|| {
            Error::new(
                ErrorKind::EbsInvalidPageToken,
                "The page token is not valid: it was altered, or it belongs to another request.",
            )
        })
    }
}

/// What a StartSnapshot asks for, checked as far as it goes without looking anything up.
struct NewUpload {
    volume_size_gib: i32,
    timeout: Duration,
}

impl NewUpload {
    fn check(request: &StartSnapshot) -> Result<Self> {
        if request.parent_snapshot_id.is_some()
            && (request.encrypted.is_some() || request.kms_key_arn.is_some())
        {
            return Err(Error::new(
                ErrorKind::EbsInvalidParameterValue,
                "Encrypted and KmsKeyArn cannot be used with ParentSnapshotId: a snapshot is encrypted as its parent is.",
            ));
        }
        if request.kms_key_arn.is_some() && request.encrypted != Some(true) {
            return Err(Error::new(
                ErrorKind::EbsInvalidParameterValue,
                "KmsKeyArn needs Encrypted to be true.",
            ));
        }
        if request
            .client_token
            .as_deref()
            .is_some_and(|token| token.contains(char::is_whitespace))
        {
            return Err(Error::new(
                ErrorKind::EbsInvalidParameterValue,
                "ClientToken may not contain white space.",
            ));
        }
        check_description(request.description.as_deref().unwrap_or_default())
            .map_err(|error| Error::new(ErrorKind::EbsInvalidParameterValue, error.message))?;
        let size = request.volume_size;
        if !(1..=LARGEST_GIB).contains(&size) {
            let text = format!("The volume size {size}GiB is not between 1 and {LARGEST_GIB}GiB.");
            return Err(Error::new(ErrorKind::EbsInvalidVolumeSize, text));
        }
        let minutes = request.timeout.unwrap_or(TIMEOUT_MINUTES);
        if !(TIMEOUT_LEAST..=TIMEOUT_GREATEST).contains(&minutes) {
            let text =
                format!("Timeout has to be from {TIMEOUT_LEAST} to {TIMEOUT_GREATEST} minutes.");
            return Err(Error::new(ErrorKind::EbsInvalidParameterValue, text));
        }
        let minutes = u64::try_from(minutes).map_err(Error::internal)?;
        Ok(Self {
            volume_size_gib: i32::try_from(size).map_err(Error::internal)?,
            timeout: Duration::from_secs(minutes * 60),
        })
    }
}

/// Two contents to compare, or one with zeros.
struct Pair {
    first: Option<Content>,
    second: Content,
}

impl Pair {
    /// Up to `limit` differences from a block on. The outer error is the engine's, the inner one ours.
    fn differences(
        &self,
        store: &BlockStore,
        from: u64,
        limit: usize,
    ) -> Result<Result<Vec<cairn_blocks::Change>>, EngineError> {
        let roots = self
            .first
            .as_ref()
            .map(Content::root)
            .transpose()
            .and_then(|first| Ok((first, self.second.root()?)));
        let (first, second) = match roots {
            Ok(roots) => roots,
            Err(error) => return Ok(Err(error)),
        };
        let second_domain = self.second.domain();
        let first_domain = self.first.as_ref().map_or(second_domain, Content::domain);
        let diff = store.diff(first_domain, first.as_ref(), second_domain, &second, from);
        Ok(Ok(diff.take(limit).collect::<Result<_, _>>()?))
    }
}

/// The caller's snapshot of an id, in the words of EBS.
async fn find(conn: &mut Connection, caller: &Caller, id: &str) -> Result<Snapshot> {
    let found = snapshots::find(conn, caller, id).await;
    found.map_err(in_words_of_ebs)
}

/// As [`find`], also what the caller was let in to.
async fn find_usable(conn: &mut Connection, caller: &Caller, id: &str) -> Result<Snapshot> {
    let found = snapshots::find_usable(conn, caller, id).await;
    found.map_err(in_words_of_ebs)
}

fn in_words_of_ebs(error: Error) -> Error {
    let kind = match error.kind {
        ErrorKind::SnapshotIdMalformed => ErrorKind::EbsInvalidSnapshotId,
        ErrorKind::SnapshotNotFound => ErrorKind::EbsSnapshotNotFound,
        other => other,
    };
    Error {
        kind,
        message: error.message,
    }
}

/// Refuses blocks for a snapshot that is not being uploaded.
async fn open_upload(conn: &mut Connection, snapshot: &Snapshot) -> Result<()> {
    match upload::get(conn, &snapshot.id).await? {
        Some(upload) if snapshot.state == SnapshotState::Pending && !upload.sealed => Ok(()),
        _ => Err(not_pending(&snapshot.id)),
    }
}

fn not_pending(id: &SnapshotId) -> Error {
    Error::new(
        ErrorKind::EbsSnapshotNotPending,
        format!(
            "The snapshot '{id}' is not in the pending state, or was not begun with StartSnapshot."
        ),
    )
}

/// Another request under a token that is taken is a conflict to EBS.
fn conflict(error: Error) -> Error {
    match error.kind {
        ErrorKind::IdempotentParameterMismatch => {
            Error::new(ErrorKind::EbsClientTokenMismatch, error.message)
        }
        _ => error,
    }
}

fn check_block_index(snapshot: &Snapshot, index: i64) -> Result<()> {
    let blocks = i64::from(snapshot.volume_size_gib) * blocks_in_gib();
    if (0..blocks).contains(&index) {
        return Ok(());
    }
    let text = format!("The block index {index} is not within the volume's {blocks} blocks.");
    Err(Error::new(ErrorKind::EbsInvalidBlock, text))
}

const fn blocks_in_gib() -> i64 {
    (GIB / BLOCK_SIZE as u64).cast_signed()
}

/// The parts of a put that need no hashing. Returns the progress of the upload, in percent, if the
/// client tells.
fn check_form(request: &PutSnapshotBlock) -> Result<Option<u8>> {
    let invalid = |text: String| Err(Error::new(ErrorKind::EbsInvalidParameterValue, text));
    if request.checksum_algorithm != SHA256_NAME {
        return invalid(format!("The checksum algorithm has to be {SHA256_NAME}."));
    }
    let progress = request.progress.map(u8::try_from).transpose();
    let Ok(progress @ (None | Some(0..=100))) = progress else {
        return invalid("Progress has to be from 0 to 100.".to_owned());
    };
    let sent = request.data.bytes().len();
    if sent != BLOCK_SIZE || request.data_length != i64::try_from(sent).unwrap_or(i64::MAX) {
        let said = request.data_length;
        let text =
            format!("A block has {BLOCK_SIZE} bytes; {said} were announced and {sent} came.");
        return Err(Error::new(ErrorKind::EbsInvalidBlock, text));
    }
    Ok(progress)
}

/// Compares a block with its checksum and stores it. Not durable yet.
fn put(
    store: &BlockStore,
    domain: DomainId,
    request: &PutSnapshotBlock,
) -> Result<Result<Digest>, EngineError> {
    let digest = request.data.digest();
    if request.checksum != STANDARD.encode(digest.0) {
        let text = "The checksum is not that of the block that came.";
        return Ok(Err(Error::new(ErrorKind::EbsChecksumMismatch, text)));
    }
    store.put_hashed(domain, &request.data)?;
    Ok(Ok(digest))
}

type Block = (Arc<[u8]>, Digest);

fn read(
    store: &BlockStore,
    content: &Content,
    index: u64,
) -> Result<Result<Option<Block>>, EngineError> {
    let root = match content.root() {
        Ok(root) => root,
        Err(error) => return Ok(Err(error)),
    };
    let Some(digest) = store.leaf(content.domain(), &root, index)? else {
        return Ok(Ok(None));
    };
    Ok(Ok(Some((store.get(content.domain(), &digest)?, digest))))
}

fn check_aggregation(request: &CompleteSnapshot) -> Result<()> {
    let algorithm = request.checksum_algorithm.as_deref();
    let method = request.checksum_aggregation_method.as_deref();
    if algorithm.is_some_and(|name| name != SHA256_NAME)
        || method.is_some_and(|name| name != "LINEAR")
    {
        return Err(Error::new(
            ErrorKind::EbsInvalidParameterValue,
            format!(
                "The checksum algorithm has to be {SHA256_NAME}, and the aggregation method LINEAR."
            ),
        ));
    }
    Ok(())
}

/// Compares what was uploaded with what the client says it uploaded.
async fn check_uploaded(
    conn: &mut Connection,
    id: &SnapshotId,
    seal: &RowSeal,
    request: &CompleteSnapshot,
) -> Result<()> {
    let count = upload::count(conn, id).await?;
    let said = request.changed_blocks_count;
    if i64::try_from(count).ok() != Some(said) {
        let text = format!("The snapshot has {count} changed blocks, not {said}.");
        return Err(Error::new(ErrorKind::EbsInvalidParameterValue, text));
    }
    let Some(said) = &request.checksum else {
        return Ok(());
    };
    if *said != linear_checksum(conn, id, seal).await? {
        let text = "The checksum is not that of the blocks that were put.";
        return Err(Error::new(ErrorKind::EbsContentMismatch, text));
    }
    Ok(())
}

/// SHA-256 over the digests of the blocks that were put, in the order of their index; base64.
async fn linear_checksum(conn: &mut Connection, id: &SnapshotId, seal: &RowSeal) -> Result<String> {
    let mut hash = Context::new(&SHA256);
    let mut next = Some(0);
    while let Some(from) = next {
        let blocks;
        (blocks, next) = upload_blocks(conn, id, seal, from).await?;
        blocks.iter().for_each(|(_, digest)| hash.update(&digest.0));
    }
    Ok(STANDARD.encode(hash.finish()))
}

fn limit(max_results: Option<i32>) -> Result<usize> {
    let asked = max_results.unwrap_or(PAGE_GREATEST);
    if asked > PAGE_GREATEST {
        let text = format!("MaxResults may be {PAGE_GREATEST} at most.");
        return Err(Error::new(ErrorKind::EbsInvalidParameterValue, text));
    }
    usize::try_from(asked.max(PAGE_LEAST)).map_err(Error::internal)
}

fn starting_block(index: Option<i64>) -> Result<u64> {
    u64::try_from(index.unwrap_or(0)).map_err(|_| {
        Error::new(
            ErrorKind::EbsInvalidParameterValue,
            "The starting block index may not be negative.",
        )
    })
}

/// What a page token belongs to.
fn scope(first: Option<&Snapshot>, second: &Snapshot) -> String {
    let first = first.map_or("zeros", |first| first.id.as_str());
    format!("{first} {}", second.id)
}

fn page_message(scope: &str, block: u64) -> Vec<u8> {
    format!("blocks from {block} of {scope}").into_bytes()
}

fn token_message(snapshot: &SnapshotId, block: u64, expiry: i64) -> Vec<u8> {
    format!("block {block} of {snapshot} until {expiry}").into_bytes()
}

/// The number and the seal in a token.
pub(crate) fn sealed_number(token: &str) -> Option<([u8; 8], [u8; 32])> {
    let bytes: [u8; 40] = STANDARD.decode(token).ok()?.try_into().ok()?;
    let (number, mac) = bytes.split_at(8);
    Some((number.try_into().ok()?, mac.try_into().ok()?))
}

/// Blocks that are stored and wait to be recorded.
///
/// One task takes whatever waits, makes the bytes of all of it durable by one sync for each
/// domain, and writes all rows in one transaction. Meanwhile the next ones gather, so that the more
/// clients put at a time the fewer waits there are for each block.
#[derive(Debug)]
pub(crate) struct Uploads {
    queue: mpsc::Sender<Waiting>,
    puts: Semaphore,
}

/// A block that is stored but not yet durable.
#[derive(Clone, Debug)]
struct Put {
    region: Region,
    domain: DomainId,
    snapshot: SnapshotId,
    block: UploadedBlock,
    /// How far the upload is, in percent, if its client told.
    progress: Option<u8>,
    /// Until the row is there, nothing else names the block.
    _session: Arc<Session>,
}

/// A put, and who waits for it.
#[derive(Debug)]
pub(crate) struct Waiting {
    put: Put,
    done: oneshot::Sender<Result<()>>,
}

impl Uploads {
    /// The queue, and its end for [`record_puts`].
    pub(crate) fn new() -> (Self, mpsc::Receiver<Waiting>) {
        let (queue, waiting) = mpsc::channel(RECORDED_TOGETHER);
        (
            Self {
                queue,
                puts: Semaphore::new(PUTS_AT_ONCE),
            },
            waiting,
        )
    }

    async fn record(&self, put: Put) -> Result<()> {
        let (done, recorded) = oneshot::channel();
        let gone = || Error::new(ErrorKind::ShuttingDown, "The server is shutting down.");
        self.queue
            .send(Waiting { put, done })
            .await
            .map_err(|_| gone())?;
        recorded.await.map_err(|_| gone())?
    }
}

/// Records puts until the server is gone.
pub(crate) async fn record_puts(
    control: std::sync::Weak<crate::control::Inner>,
    mut waiting: mpsc::Receiver<Waiting>,
) {
    let mut batch = Vec::with_capacity(RECORDED_TOGETHER);
    while waiting.recv_many(&mut batch, RECORDED_TOGETHER).await > 0 {
        let Some(control) = Control::upgrade(&control) else {
            return;
        };
        let durable = make_durable(&control, std::mem::take(&mut batch)).await;
        record_rows(&control, durable).await;
    }
}

/// Makes the bytes of all puts durable. Those that cannot be are answered, the others returned.
async fn make_durable(control: &Control, batch: Vec<Waiting>) -> Vec<Waiting> {
    let mut by_domain: BTreeMap<(Region, DomainId), Vec<Waiting>> = BTreeMap::new();
    for waiting in batch {
        by_domain
            .entry((waiting.put.region, waiting.put.domain))
            .or_default()
            .push(waiting);
    }
    let mut durable = Vec::new();
    for ((region, domain), group) in by_domain {
        match sync(control, region, domain).await {
            Ok(()) => durable.extend(group),
            Err(error) => answer(group, &Err(error.into())),
        }
    }
    durable
}

async fn sync(control: &Control, region: Region, domain: DomainId) -> Result<(), EngineError> {
    let store = control.engine().store(region).await?;
    blocking(move || store.sync(domain)).await
}

/// Writes the rows of all puts in one transaction, and answers them.
async fn record_rows(control: &Control, batch: Vec<Waiting>) {
    let mut by_snapshot: BTreeMap<SnapshotId, Vec<Waiting>> = BTreeMap::new();
    for waiting in batch {
        by_snapshot
            .entry(waiting.put.snapshot.clone())
            .or_default()
            .push(waiting);
    }
    match try_record(control, &by_snapshot).await {
        Ok(open) => {
            for ((id, group), open) in by_snapshot.into_iter().zip(open) {
                answer(group, &if open { Ok(()) } else { Err(not_pending(&id)) });
            }
        }
        Err(error) => by_snapshot
            .into_values()
            .for_each(|group| answer(group, &Err(error.clone()))),
    }
}

/// Tells for each snapshot whether its upload was still open.
async fn try_record(
    control: &Control,
    by_snapshot: &BTreeMap<SnapshotId, Vec<Waiting>>,
) -> Result<Vec<bool>> {
    let now = control.now();
    let mut open = Vec::with_capacity(by_snapshot.len());
    let mut tx = control.store().write().await?;
    for (id, group) in by_snapshot {
        let blocks: Vec<_> = group
            .iter()
            .map(|waiting| waiting.put.block.clone())
            .collect();
        let is_open = upload::put_blocks(&mut tx, id, &blocks, now).await?;
        let progress = group
            .iter()
            .filter_map(|waiting| waiting.put.progress)
            .max();
        if let Some(progress) = progress.filter(|_| is_open) {
            show_progress(&mut tx, id, progress).await?;
        }
        open.push(is_open);
    }
    tx.commit().await?;
    Ok(open)
}

/// Shows how far an upload is. Puts overtake each other: it never goes back, and it is less than
/// 100 until the snapshot is completed.
async fn show_progress(tx: &mut WriteTx, id: &SnapshotId, percent: u8) -> Result<()> {
    let percent = percent.min(99);
    let shown = snapshot::get(tx, id).await?;
    if shown.is_some_and(|snapshot| snapshot.progress < percent) {
        snapshot::update(tx, id, |snapshot| snapshot.progress = percent).await?;
    }
    Ok(())
}

/// A client that is gone needs no answer.
fn answer(group: Vec<Waiting>, result: &Result<()>) {
    for waiting in group {
        drop(waiting.done.send(result.clone()));
    }
}

/// Makes a sealed upload a snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CompleteUploadJob {
    snapshot: SnapshotId,
}

impl Job for CompleteUploadJob {
    const KIND: &'static str = "complete-upload";

    fn subject(&self) -> &str {
        self.snapshot.as_str()
    }

    async fn step(&self, control: &Control, step: u32) -> Result<Next, Failure> {
        match step {
            0 => self.build(control).await,
            _ => self.end(control).await,
        }
    }

    async fn undo(&self, control: &Control, step: u32, why: &str) -> Result<(), Failure> {
        if step == 0 {
            fail(control, &self.snapshot, why).await?;
            self.end(control).await?;
        }
        Ok(())
    }
}

impl CompleteUploadJob {
    async fn build(&self, control: &Control) -> Result<Next, Failure> {
        let mut read = control.store().read().await?;
        let Some(snapshot) = snapshot::get(&mut read, &self.snapshot).await? else {
            return Ok(Next::Done);
        };
        let Some(upload) = upload::get(&mut read, &self.snapshot).await? else {
            return Ok(Next::Step);
        };
        let base: Option<Content> = match &upload.base {
            Some(base) => Some(serde_json::from_str(base).map_err(Failure::fatal)?),
            None => None,
        };
        // The rows name the blocks; until the snapshot names its root, nothing names the nodes.
        let _session = control.session(snapshot.region).await?;
        let domain = control.domain_of(&snapshot).await?;
        let seal = control.row_seal(domain).await?;
        if matches!(seal, RowSeal::Erased) {
            return Err(EngineError::from(cairn_blocks::Error::Erased { domain }).into());
        }
        let changes = changes(&mut read, &self.snapshot, &seal).await?;
        drop(read);
        let store = control.engine().store(snapshot.region).await?;
        let base = base.as_ref().map(Content::root).transpose()?;
        let size = u64::try_from(snapshot.volume_size_gib).map_err(Failure::fatal)? * GIB;
        let root = blocking(move || store.build(domain, base.as_ref(), size, changes)).await?;
        complete(control, &self.snapshot, &root).await?;
        Ok(Next::Step)
    }

    async fn end(&self, control: &Control) -> Result<Next, Failure> {
        let mut tx = control.store().write().await?;
        upload::delete(&mut tx, &self.snapshot).await?;
        tx.commit().await?;
        Ok(Next::Done)
    }
}

/// What an upload changes. The index leaves out blocks of zeros by itself, also those over a
/// parent's data.
async fn changes(
    conn: &mut Connection,
    id: &SnapshotId,
    seal: &RowSeal,
) -> Result<Vec<(u64, Option<Digest>)>, Failure> {
    let mut changes = Vec::new();
    let mut next = Some(0);
    while let Some(from) = next {
        let blocks;
        (blocks, next) = upload_blocks(conn, id, seal, from).await?;
        changes.extend(
            blocks
                .into_iter()
                .map(|(index, digest)| (index, Some(digest))),
        );
    }
    Ok(changes)
}

/// Gives an upload up that nobody has written to for its timeout.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ExpireUploadJob {
    snapshot: SnapshotId,
}

impl Job for ExpireUploadJob {
    const KIND: &'static str = "expire-upload";

    fn subject(&self) -> &str {
        self.snapshot.as_str()
    }

    async fn step(&self, control: &Control, _step: u32) -> Result<Next, Failure> {
        let mut tx = control.store().write().await?;
        let Some(upload) = upload::get(&mut tx, &self.snapshot).await? else {
            return Ok(Next::Done);
        };
        if upload.sealed {
            return Ok(Next::Done);
        }
        let deadline = upload.last_activity.after(upload.timeout);
        if control.now() < deadline {
            return Ok(Next::Later(deadline));
        }
        snapshot::update(&mut tx, &self.snapshot, |snapshot| {
            snapshot.state = SnapshotState::Error;
            snapshot.state_message = Some(
                "The upload was given up: nothing was written to it for its timeout.".to_owned(),
            );
        })
        .await?;
        upload::delete(&mut tx, &self.snapshot).await?;
        tx.commit().await?;
        Ok(Next::Done)
    }

    async fn undo(&self, _control: &Control, _step: u32, _why: &str) -> Result<(), Failure> {
        Ok(())
    }
}

/// Whether a snapshot was uploaded: it has no volume that it was taken of, and is no copy.
fn is_upload(snapshot: &Snapshot) -> bool {
    snapshot.volume_id.as_str() == NO_VOLUME && snapshot.copy.is_none()
}
