//! Images in the Recycle Bin. One that is in it keeps its state, its permissions and its tags, but not
//! its snapshots nor its name.

use std::time::Duration;

use cairn_model::{
    Image, ImageId, ImageState, Paged, Recycled, RecycledType, Timestamp, image::life::ImageEvent,
    page::Bounds,
};
use cairn_store::{Connection, WriteTx, image as images, snapshot as snapshots};
use serde::{Deserialize, Serialize};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    answer::RecycledImage,
    describe::{self, Question},
    image::{not_found, refuse_taken_name},
    jobs::{self, Failure, Job, Next},
    recycle_bin,
    request::{ById, Describe},
};

/// The most ids of one request.
const IDS_MAX: usize = 20;

impl Control {
    /// The caller's images in the bin, those that came first first.
    pub async fn list_images_in_recycle_bin(
        &self,
        caller: &Caller,
        request: Describe,
    ) -> Result<Paged<RecycledImage>> {
        for id in &request.ids {
            describe::parse_id::<ImageId>(id, ErrorKind::ImageIdMalformed)?;
        }
        if request.ids.len() > IDS_MAX {
            let message = format!("A request may name up to {IDS_MAX} images.");
            return Err(Error::new(ErrorKind::InvalidParameterValue, message));
        }
        let conn = &mut *self.store().read().await?;
        let mut all = images::list(conn, &caller.account, caller.region).await?;
        all.retain(|image| image.recycled.is_some());
        let found = describe::select(all, &request.ids, |image| image.id.as_str(), not_found)?;
        Question {
            control: self,
            caller,
            operation: "ListImagesInRecycleBin",
            bounds: Bounds { min: 1, max: 1000 },
            request: &request,
        }
        .answer(found.into_iter().filter_map(shown).collect(), |image| {
            format!("{:020} {}", image.stay.entered.0, image.image_id)
        })
    }

    /// Takes an image out of the bin: it is what it was before it was withdrawn. Its snapshots have to
    /// be there.
    pub async fn restore_image_from_recycle_bin(
        &self,
        caller: &Caller,
        request: ById,
    ) -> Result<()> {
        let mut tx = self.store().write().await?;
        let image = find_recycled(&mut tx, caller, &request.id).await?;
        check_snapshots(&mut tx, &image).await?;
        refuse_taken_name(&mut tx, caller, &image.name).await?;
        describe::refuse_dry_run(request.dry_run)?;
        images::update(&mut tx, &image.id, |image| {
            image.recycled = None;
            image.deregistered_at = None;
        })
        .await?;
        jobs::withdraw::<EmptyImageBinJob>(&mut tx, image.id.as_str()).await?;
        Ok(tx.commit().await?)
    }

    /// Withdraws an image in the caller's transaction: into the bin if a rule of its account says so,
    /// else for good. The caller wakes the jobs after its commit.
    pub(crate) async fn withdraw(
        &self,
        tx: &mut WriteTx,
        image: &Image,
        withdrawn: ImageState,
    ) -> Result<()> {
        let now = self.stamp();
        let kept = kept_for(tx, image).await?;
        let stay = kept.map(|kept| Recycled::since(now, kept));
        images::update(tx, &image.id, |image| {
            image.deregistered_at = Some(now);
            image.recycled = stay;
            if stay.is_none() {
                image.state = withdrawn;
            }
        })
        .await?;
        if let Some(stay) = stay {
            let job = EmptyImageBinJob {
                image: image.id.clone(),
            };
            jobs::enqueue_at(tx, &job, self.now(), stay.exits).await?;
        }
        Ok(())
    }
}

fn shown(image: Image) -> Option<RecycledImage> {
    Some(RecycledImage {
        stay: image.recycled?,
        image_id: image.id,
        name: image.name,
        description: image.description,
    })
}

/// How long an image is kept in the bin; none: it does not get there. What was never complete is not
/// kept.
async fn kept_for(conn: &mut Connection, image: &Image) -> Result<Option<Duration>> {
    if !matches!(image.state, ImageState::Available | ImageState::Disabled) {
        return Ok(None);
    }
    let (account, tags) = (&image.account, &image.tags);
    recycle_bin::retention(conn, account, image.region, RecycledType::Ec2Image, tags).await
}

async fn find_recycled(conn: &mut Connection, caller: &Caller, id: &str) -> Result<Image> {
    let parsed: ImageId = describe::parse_id(id, ErrorKind::ImageIdMalformed)?;
    let own = |image: &Image| image.account == caller.account && image.region == caller.region;
    images::get(conn, &parsed)
        .await?
        .filter(|image| own(image) && image.recycled.is_some())
        .ok_or_else(|| not_found(id))
}

async fn check_snapshots(conn: &mut Connection, image: &Image) -> Result<()> {
    for id in image.snapshot_ids() {
        if snapshots::get_present(conn, id).await?.is_none() {
            let message = format!(
                "The snapshot '{id}' of image '{}' is not there: restore it from the Recycle Bin first.",
                image.id
            );
            return Err(Error::new(ErrorKind::IncorrectState, message));
        }
    }
    Ok(())
}

/// Withdraws an image for good when its stay in the bin is over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct EmptyImageBinJob {
    image: ImageId,
}

impl Job for EmptyImageBinJob {
    const KIND: &'static str = "empty-image-bin";

    fn subject(&self) -> &str {
        self.image.as_str()
    }

    async fn step(&self, control: &Control, _step: u32) -> Result<Next, Failure> {
        let now = control.stamp();
        let mut tx = control.store().write().await?;
        let found = images::get(&mut tx, &self.image).await?;
        match found.and_then(|image| image.recycled) {
            None => Ok(Next::Done),
            Some(stay) if now < stay.exits => Ok(Next::Later(stay.exits)),
            Some(_) => {
                images::update(&mut tx, &self.image, |image| leave(image, now)).await?;
                tx.commit().await?;
                Ok(Next::Done)
            }
        }
    }

    /// It stays in the bin: nothing was done.
    async fn undo(&self, _control: &Control, _step: u32, _why: &str) -> Result<(), Failure> {
        Ok(())
    }
}

fn leave(image: &mut Image, now: Timestamp) {
    image.recycled = None;
    image.deregistered_at = Some(now);
    if let Some(state) = image.state.after(ImageEvent::Deregister) {
        image.state = state;
    }
}
