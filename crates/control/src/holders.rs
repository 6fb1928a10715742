//! Everything that keeps blobs alive: where the metadata, the volumes and the work under way name
//! content. What is not found here is garbage, so a new place has to be added here.
//!
//! | place | names | read from |
//! |---|---|---|
//! | snapshot, completed | its root, where it lies: restored for some days, in both tiers | `snapshot` rows |
//! | upload (EBS direct, import) | the parent's content; every block put so far | `upload`, `upload_block` rows |
//! | job that is not over | the content that a volume is made with (`create-volume`, `launch-instance`), or that is copied (`copy-snapshot`) | any object in its payload that reads as a [`Content`] |
//! | volume | its base; blocks captured for epochs that are pending | [`cairn_volume::Claims`] |
//! | commit of a freeze | the root that is about to be a volume's base | [`Engine::committing`](crate::engine::Engine::committing) |
//!
//! What a copy of a volume (`copy-volume`) is made of is captured and named by the copy's files within one
//! step, under a session.
//!
//! Images name snapshots, which cannot go before them. A freeze that is not captured yet lies in the
//! volume's own files. Tokens for blocks and pages hold numbers, no digests. Blocks that are put and
//! named nowhere yet are held by sessions.
//!
//! The order matters, since none of this stands still: rows first, all in one transaction; then the
//! commits; then the volumes. A volume whose base changes after the rows were read takes a snapshot
//! that had its row then, or was captured after the collection began.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use cairn_blocks::{Digest, DomainId, Root, collect::usage};
use cairn_model::{
    AccountId, Region, Snapshot, SnapshotId, Tiering, Volume, VolumeId, VolumeState,
};
use cairn_store::{
    Connection,
    domain::{self, Domain},
    job, snapshot,
    upload::{self, UploadedBlock},
    volume,
};
use cairn_volume::Claims;

use crate::{
    Control, Error, Result,
    engine::{Content, EngineError, blocking},
    keys::{KeyFault, digests::RowSeal, verbs::key_of},
};

/// Rows of an upload read at a time.
const ROWS: u32 = 4_096;

/// What keeps blobs of a region alive.
#[derive(Debug, Default)]
pub(crate) struct Holders {
    /// The domains of the region, with their owners.
    pub(crate) domains: Vec<Domain>,
    /// The completed snapshots.
    pub(crate) snapshots: Vec<HeldSnapshot>,
    /// Content that is held by anything but a snapshot.
    pub(crate) roots: Vec<(AccountId, DomainId, Root)>,
    /// Blocks that are held one by one, but for those of uploads.
    pub(crate) blocks: Vec<(AccountId, DomainId, Vec<Digest>)>,
    /// The uploads, whose blocks are many.
    pub(crate) uploads: Vec<HeldUpload>,
    volumes: Vec<Volume>,
}

/// An upload: what was put of it is needed.
#[derive(Debug)]
pub(crate) struct HeldUpload {
    pub(crate) account: AccountId,
    pub(crate) id: SnapshotId,
    pub(crate) domain: DomainId,
    /// How its rows are read.
    pub(crate) seal: RowSeal,
}

/// A completed snapshot.
#[derive(Debug)]
pub(crate) struct HeldSnapshot {
    pub(crate) snapshot: Snapshot,
    pub(crate) domain: DomainId,
    pub(crate) root: Root,
}

impl Holders {
    /// What the rows say, as of one moment. [`complete`](Self::complete) adds the rest.
    pub(crate) async fn read(
        control: &Control,
        conn: &mut Connection,
        region: Region,
    ) -> Result<Self> {
        let mut holders = Self {
            domains: domain::list_in(conn, region).await?,
            volumes: volume::list_in(conn, region).await?,
            ..Self::default()
        };
        let mut keys = HashMap::new();
        for snapshot in snapshot::list_in(conn, region).await? {
            keys.insert(snapshot.id.clone(), snapshot.kms_key_id.clone());
            holders.add_snapshot(snapshot)?;
        }
        for (id, account, upload) in upload::list_in(conn, region).await? {
            if let Some(base) = &upload.base {
                let content: Content = serde_json::from_str(base).map_err(Error::internal)?;
                holders.add_content(account.clone(), &content)?;
            }
            let key = keys.get(&id).and_then(Option::as_deref);
            let domain = holders.domain_of(&account, key)?;
            holders.uploads.push(HeldUpload {
                account,
                id,
                domain,
                seal: control.row_seal(domain).await?,
            });
        }
        for job in job::list_open(conn).await? {
            let payload = serde_json::from_str(&job.payload).map_err(Error::internal)?;
            for content in contents_in(&payload) {
                holders.add_work(&content)?;
            }
        }
        Ok(holders)
    }

    /// Adds what the engine holds.
    pub(crate) async fn complete(&mut self, control: &Control) -> Result<()> {
        let committing: Vec<_> = control.engine().committing().values().cloned().collect();
        for content in committing {
            self.add_work(&content)?;
        }
        for volume in std::mem::take(&mut self.volumes) {
            if let Some(claims) = control.claims_of(&volume).await? {
                self.add_claims(volume.account, claims);
            }
        }
        Ok(())
    }

    /// The numbers of the region's domains.
    pub(crate) fn domain_ids(&self) -> BTreeSet<DomainId> {
        self.domains.iter().map(|domain| domain.id).collect()
    }

    /// The roots of the snapshots that pass.
    pub(crate) fn snapshot_roots(
        &self,
        wanted: impl Fn(&Snapshot) -> bool,
    ) -> Vec<(DomainId, Root)> {
        self.snapshots
            .iter()
            .filter(|held| wanted(&held.snapshot))
            .map(|held| (held.domain, held.root))
            .collect()
    }

    /// What is held by anything but snapshots, for the accounts that pass.
    pub(crate) async fn others(
        &self,
        conn: &mut Connection,
        wanted: impl Fn(&AccountId) -> bool,
    ) -> Result<usage::Holders> {
        let roots = self.roots.iter().filter(|(account, ..)| wanted(account));
        let blocks = self.blocks.iter().filter(|(account, ..)| wanted(account));
        let mut others = usage::Holders {
            roots: roots.map(|(_, domain, root)| (*domain, *root)).collect(),
            blocks: blocks
                .map(|(_, domain, blocks)| (*domain, blocks.clone()))
                .collect(),
        };
        for upload in self.uploads.iter().filter(|upload| wanted(&upload.account)) {
            let mut from = Some(0);
            while let Some(at) = from {
                let blocks;
                (blocks, from) = upload_digests(conn, upload, at).await?;
                others.blocks.push((upload.domain, blocks));
            }
        }
        Ok(others)
    }

    /// The domain of what an account keeps under a key, or under none.
    fn domain_of(&self, account: &AccountId, arn: Option<&str>) -> Result<DomainId> {
        let key = key_of(arn)?;
        let is_it = |domain: &&Domain| {
            domain.account == *account
                && domain.archive_of.is_none()
                && domain.sealed.as_ref().map(|sealed| &sealed.key) == key.as_ref()
        };
        let found = self.domains.iter().find(is_it);
        found
            .map(|domain| domain.id)
            .ok_or_else(|| Error::internal(format!("account {account} has no such domain")))
    }

    fn add_snapshot(&mut self, snapshot: Snapshot) -> Result<()> {
        let Some(root) = snapshot.root.clone() else {
            return Ok(());
        };
        let domain = match snapshot.archive_location() {
            Some(archive) => DomainId(archive),
            None => self.domain_of(&snapshot.account, snapshot.kms_key_id.as_deref())?,
        };
        let content = Content::of_snapshot(&snapshot, domain, root)?;
        // Restored for some days, it lies in both places.
        let archive = snapshot.tiering.as_ref().and_then(Tiering::held_archive);
        if let Some(archive) = archive.filter(|archive| *archive != domain.0) {
            let archived = Content {
                domain: archive,
                ..content.clone()
            };
            self.add_content(snapshot.account.clone(), &archived)?;
        }
        self.snapshots.push(HeldSnapshot {
            domain,
            root: content.root()?,
            snapshot,
        });
        Ok(())
    }

    /// Content that work under way names; that of other regions is none of ours.
    fn add_work(&mut self, content: &Content) -> Result<()> {
        let owner = self
            .domains
            .iter()
            .find(|domain| domain.id == content.domain())
            .map(|domain| domain.account.clone());
        match owner {
            Some(owner) => self.add_content(owner, content),
            None => Ok(()),
        }
    }

    fn add_content(&mut self, account: AccountId, content: &Content) -> Result<()> {
        self.roots
            .push((account, content.domain(), content.root()?));
        Ok(())
    }

    fn add_claims(&mut self, account: AccountId, claims: Claims) {
        if let Some(base) = claims.base {
            self.roots.push((account.clone(), base.domain, base.root));
        }
        if !claims.released.is_empty() {
            self.blocks.push((account, claims.domain, claims.released));
        }
    }
}

/// Blocks that an upload holds from an index on, and the index from which to go on. One under a key that
/// is gone holds none.
pub(crate) async fn upload_digests(
    conn: &mut Connection,
    upload: &HeldUpload,
    from: u64,
) -> Result<(Vec<Digest>, Option<u64>)> {
    if matches!(upload.seal, RowSeal::Erased) {
        return Ok((Vec::new(), None));
    }
    let (blocks, next) = upload_blocks(conn, &upload.id, &upload.seal, from).await?;
    Ok((blocks.into_iter().map(|(_, digest)| digest).collect(), next))
}

/// Blocks of an upload from an index on, and the index from which to go on.
pub(crate) async fn upload_blocks(
    conn: &mut Connection,
    id: &SnapshotId,
    seal: &RowSeal,
    from: u64,
) -> Result<(Vec<(u64, Digest)>, Option<u64>)> {
    let rows = upload::blocks(conn, id, from, ROWS).await?;
    let next = rows.last().map(|row| row.block_index + 1);
    let open = |row: UploadedBlock| {
        let digest = seal.open(id, row.block_index, &row.digest);
        Ok((row.block_index, digest.map_err(Error::internal)?))
    };
    Ok((rows.into_iter().map(open).collect::<Result<_>>()?, next))
}

/// Every object in a payload that is a [`Content`], however deep.
fn contents_in(payload: &serde_json::Value) -> Vec<Content> {
    use serde_json::Value;
    let inner = match payload {
        Value::Object(members) => members.values().flat_map(contents_in).collect(),
        Value::Array(items) => items.iter().flat_map(contents_in).collect(),
        _ => Vec::new(),
    };
    let own = serde_json::from_value::<Content>(payload.clone()).ok();
    own.into_iter().chain(inner).collect()
}

impl Control {
    /// What a volume needs of the block store; none if it has no files, or none any more.
    async fn claims_of(&self, volume: &Volume) -> Result<Option<Claims>> {
        // Its files may be half made; the job that makes them names the content.
        if volume.state == VolumeState::Creating {
            return Ok(None);
        }
        match self.read_claims(volume).await {
            Ok(claims) => Ok(Some(claims)),
            // Nobody can read it any more, and so it needs nothing.
            Err(EngineError::Key(KeyFault::Erased(_))) => Ok(None),
            Err(EngineError::Volume(error)) if self.may_lack(volume, &error).await? => Ok(None),
            Err(error) => Err(Error::new(
                crate::ErrorKind::Internal,
                format!("What volume {} needs cannot be read: {error}", volume.id),
            )),
        }
    }

    async fn read_claims(&self, volume: &Volume) -> Result<Claims, EngineError> {
        let slot = self.engine().slot(&volume.id);
        let open = slot.open.lock().await;
        match &open.volume {
            Some(open) => {
                let open = Arc::clone(open);
                blocking(move || open.claims()).await
            }
            None => {
                let key = self.volume_key(volume).await?;
                let engine = self.engine();
                engine.claims(volume.region, &volume.id, key).await
            }
        }
    }

    /// Whether a volume of this state may have no files, or only some.
    async fn may_lack(&self, volume: &Volume, error: &cairn_volume::Error) -> Result<bool> {
        use cairn_volume::Error as E;
        let state = self.state_of(&volume.id).await?;
        Ok(match state {
            None | Some(VolumeState::Deleting | VolumeState::Deleted) => {
                matches!(error, E::NotFound | E::Damaged(_))
            }
            Some(VolumeState::Error) => matches!(error, E::NotFound),
            Some(_) => false,
        })
    }

    async fn state_of(&self, id: &VolumeId) -> Result<Option<VolumeState>> {
        let found = volume::get(&mut *self.store().read().await?, id).await?;
        Ok(found.map(|volume| volume.state))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_found_wherever_a_payload_has_it() {
        let content = |n: i64| Content {
            domain: n,
            root: "00".repeat(32),
            size_bytes: 1 << 30,
        };
        let payload = serde_json::json!({
            "volume": "vol-1",
            "base": content(1),
            "makes": [{ "base": content(2) }, { "base": null }],
            "new_kind": { "of": { "work": content(3) } },
        });
        let mut found: Vec<_> = contents_in(&payload).iter().map(|c| c.domain).collect();
        found.sort_unstable();
        assert_eq!(found, [1, 2, 3]);
    }
}
