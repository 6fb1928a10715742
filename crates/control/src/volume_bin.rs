//! Volumes in the Recycle Bin. One that is in it keeps its files, its tags and the snapshots that are
//! still being taken of it; nobody can use it.

use cairn_model::{Paged, Recycled, RecycledType, Volume, VolumeId, VolumeState, page::Bounds};
use cairn_store::{Connection, WriteTx, volume as store};
use serde::{Deserialize, Serialize};

use crate::{
    Caller, Control, ErrorKind, Result,
    describe::{self, Question, refuse_dry_run},
    jobs::{self, Failure, Job, Next},
    recycle_bin,
    request::{ById, Describe},
    volume::{begin_delete, not_found},
};

/// What MaxResults of the list may be.
const PAGE: Bounds = Bounds { min: 5, max: 500 };

impl Control {
    /// The caller's volumes in the bin, those that were deleted first come first.
    pub async fn list_volumes_in_recycle_bin(
        &self,
        caller: &Caller,
        mut request: Describe,
    ) -> Result<Paged<Volume>> {
        let malformed = ErrorKind::VolumeIdMalformed;
        describe::check_ids::<VolumeId>(&mut request, malformed, "volumeSet", PAGE)?;
        let mut read = self.store().read().await?;
        let own = store::list_recycled(&mut read, &caller.account, caller.region).await?;
        drop(read);
        let named = describe::select(own, &request.ids, |own| own.id.as_str(), not_found)?;
        Question {
            control: self,
            caller,
            operation: "ListVolumesInRecycleBin",
            bounds: PAGE,
            request: &request,
        }
        .answer(named, |volume| {
            let entered = volume.recycled.map_or(0, |stay| stay.entered.0);
            format!("{entered:020} {}", volume.id)
        })
    }

    /// Takes a volume out of the bin: it is available, with the bytes that it had.
    pub async fn restore_volume_from_recycle_bin(
        &self,
        caller: &Caller,
        request: ById,
    ) -> Result<()> {
        let mut tx = self.store().write().await?;
        let found = find_recycled(&mut tx, caller, &request.id).await?;
        refuse_dry_run(request.dry_run)?;
        jobs::withdraw::<EmptyVolumeBinJob>(&mut tx, found.id.as_str()).await?;
        store::update(&mut tx, &found.id, |volume| volume.recycled = None).await?;
        Ok(tx.commit().await?)
    }

    /// Deletes a volume that is attached to nothing, in the caller's transaction: into the bin if a rule
    /// of its account says so, else for good. The caller wakes the jobs after its commit.
    pub(crate) async fn discard_volume(&self, tx: &mut WriteTx, found: &Volume) -> Result<()> {
        // What never was a volume, or is none any more, is not kept.
        if found.state != VolumeState::Available {
            return begin_delete(tx, &found.id, self.now()).await;
        }
        let (account, kind) = (&found.account, RecycledType::EbsVolume);
        let kept = recycle_bin::retention(tx, account, found.region, kind, &found.tags).await?;
        let Some(kept) = kept else {
            return begin_delete(tx, &found.id, self.now()).await;
        };
        let stay = Recycled::since(self.stamp(), kept);
        store::update(tx, &found.id, |volume| volume.recycled = Some(stay)).await?;
        let job = EmptyVolumeBinJob {
            volume: found.id.clone(),
        };
        jobs::enqueue_at(tx, &job, self.now(), stay.exits).await?;
        Ok(())
    }
}

async fn find_recycled(conn: &mut Connection, caller: &Caller, id: &str) -> Result<Volume> {
    let parsed: VolumeId = describe::parse_id(id, ErrorKind::VolumeIdMalformed)?;
    let own = |volume: &Volume| volume.account == caller.account && volume.region == caller.region;
    store::get(conn, &parsed)
        .await?
        .filter(|volume| own(volume) && volume.recycled.is_some())
        .ok_or_else(|| not_found(id))
}

/// Deletes a volume for good when its stay in the bin is over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct EmptyVolumeBinJob {
    volume: VolumeId,
}

impl Job for EmptyVolumeBinJob {
    const KIND: &'static str = "empty-volume-bin";

    fn subject(&self) -> &str {
        self.volume.as_str()
    }

    async fn step(&self, control: &Control, _step: u32) -> Result<Next, Failure> {
        let mut tx = control.store().write().await?;
        let found = store::get(&mut tx, &self.volume).await?;
        match found.and_then(|volume| volume.recycled) {
            None => return Ok(Next::Done),
            Some(stay) if control.now() < stay.exits => return Ok(Next::Later(stay.exits)),
            Some(_) => {}
        }
        // It has left the bin: done again, this finds it gone from there.
        store::update(&mut tx, &self.volume, |volume| volume.recycled = None).await?;
        begin_delete(&mut tx, &self.volume, control.now()).await?;
        tx.commit().await?;
        control.wake_jobs();
        Ok(Next::Done)
    }

    /// It stays in the bin: nothing was done.
    async fn undo(&self, _control: &Control, _step: u32, _why: &str) -> Result<(), Failure> {
        Ok(())
    }
}
