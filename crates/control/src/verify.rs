//! Proof that a snapshot is what it was: every byte read from the disk and hashed again.

use cairn_model::{Snapshot, SnapshotId, SnapshotState};

use crate::{
    Caller, Control, Error, ErrorKind, Result, attest::Attestation, describe::refuse_dry_run,
    engine::blocking, request::ById, snapshot,
};

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    /// The snapshot.
    pub snapshot_id: SnapshotId,
    /// Its digest as recorded, hexadecimal.
    pub digest: String,
    /// Whether everything is there, is what it was, and comes to the digest recorded, and the
    /// signature over that fits.
    pub ok: bool,
    /// The digest as the server signed it; absent if what is recorded contradicts itself.
    pub attestation: Option<Attestation>,
    /// Blocks read.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What is wrong, in the order of the blocks.
    pub bad: Vec<BadRange>,
}

/// Blocks that are not what they were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRange {
    /// The first block, in blocks of 512 KiB.
    pub first_block: u64,
    /// How many blocks.
    pub blocks: u64,
    /// What is wrong with them, as a sentence.
    pub reason: String,
}

impl Control {
    /// Reads a completed snapshot from its packs, past all caches, and recomputes its digest.
    pub async fn verify_snapshot(&self, caller: &Caller, request: ById) -> Result<VerifyReport> {
        let _session = self.reading(caller.region).await?;
        let found = snapshot::find(&mut *self.store().read().await?, caller, &request.id).await?;
        if found.state != SnapshotState::Completed {
            let text = format!(
                "The snapshot '{}' is '{}', not completed.",
                found.id, found.state
            );
            return Err(Error::new(ErrorKind::IncorrectState, text));
        }
        self.check_key_use(caller, found.kms_key_id.as_deref())
            .await?;
        refuse_dry_run(request.dry_run)?;
        let content = snapshot::content(self, &found).await?;
        let (domain, root) = (content.domain(), content.root()?);
        let store = self.engine().store(found.region).await?;
        let report = blocking(move || store.verify(domain, &root, &|_| ())).await?;
        let attestation = self.attest(&found);
        let is_signed = attestation
            .as_ref()
            .is_some_and(|attestation| attestation.check(None).is_ok());
        let digest = found.digest.unwrap_or_default();
        // The recorded digest covers the size too, which the tree of hashes alone does not.
        let ok = report.is_intact() && root.digest().to_string() == digest && is_signed;
        Ok(VerifyReport {
            snapshot_id: found.id,
            digest,
            ok,
            attestation,
            blocks: report.checked.blocks,
            bytes: report.checked.bytes,
            bad: bad(&report),
        })
    }

    /// The attestation of a completed snapshot. One that a job has yet to sign is signed for this
    /// answer: the same signature will be recorded.
    fn attest(&self, snapshot: &Snapshot) -> Option<Attestation> {
        let recorded = snapshot.signature.clone();
        let signature = recorded.or_else(|| self.signing().sign(snapshot))?;
        Attestation::of(snapshot, &signature)
    }
}

fn bad(report: &cairn_blocks::VerifyReport) -> Vec<BadRange> {
    let blocks = report.bad_blocks.iter().map(|bad| BadRange {
        first_block: bad.block,
        blocks: 1,
        reason: format!("block {}: {}", bad.digest, bad.reason),
    });
    let nodes = report.bad_nodes.iter().map(|bad| BadRange {
        first_block: bad.blocks.start,
        blocks: bad.blocks.end - bad.blocks.start,
        reason: format!("index node {}: {}", bad.digest, bad.reason),
    });
    let mut all: Vec<_> = blocks.chain(nodes).collect();
    all.sort_by_key(|bad| bad.first_block);
    all
}
