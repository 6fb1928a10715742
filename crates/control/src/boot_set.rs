//! Boot sets: what the first guest of an image read, fetched first for those that come later.
//!
//! The first launch of an image is watched until its guest has come to rest. In which order it then
//! needed the blocks of its root volume's snapshot is recorded with the image; volumes of later
//! launches fetch these blocks before all others. All of it is a hint: what is missing costs time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cairn_model::{ImageId, Instance, SnapshotId, Timestamp, Volume, VolumeId};
use cairn_store::{boot_set, instance, volume};

use crate::{Control, Result, ticks::Ticks};

/// How long a guest needs nothing new when it has come to rest.
const REST: Duration = Duration::from_secs(15);

/// How long a guest is watched that does not come to rest.
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// How often is looked.
pub(crate) const EVERY: Duration = Duration::from_secs(1);

/// The root volumes that are watched.
#[derive(Debug, Default)]
pub(crate) struct BootWatch(Mutex<HashMap<VolumeId, Watched>>);

#[derive(Clone, Debug)]
struct Watched {
    source: Source,
    rest: Rest,
}

/// What a boot set belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Source {
    image: ImageId,
    snapshot: SnapshotId,
}

/// When a guest has come to rest.
#[derive(Clone, Copy, Debug)]
struct Rest {
    begun: Timestamp,
    touched: usize,
    changed: Timestamp,
}

impl Rest {
    fn new(now: Timestamp) -> Self {
        Self {
            begun: now,
            touched: 0,
            changed: now,
        }
    }

    /// Whether it has, with so many blocks touched by now. Before the first one it has not begun.
    fn is_reached(&mut self, now: Timestamp, touched: usize) -> bool {
        if touched != self.touched {
            self.touched = touched;
            self.changed = now;
        }
        now >= self.begun.after(LONGEST) || touched > 0 && now >= self.changed.after(REST)
    }
}

impl BootWatch {
    fn lock(&self) -> MutexGuard<'_, HashMap<VolumeId, Watched>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Control {
    /// Watches the first launch of an image over the snapshot of its root volume. To be called before
    /// the machine is started.
    pub(crate) async fn watch_boot(&self, instance: &Instance) {
        match self.unrecorded(instance).await {
            Ok(Some((volume, source))) => {
                let rest = Rest::new(self.now());
                let watched = Watched { source, rest };
                self.boots().lock().entry(volume).or_insert(watched);
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(instance = %instance.id, %error, "look for the boot set of an image");
            }
        }
    }

    /// The root volume of an instance, if there is no boot set for what it is made from.
    async fn unrecorded(&self, instance: &Instance) -> Result<Option<(VolumeId, Source)>> {
        let conn = &mut *self.store().read().await?;
        let Some(root) = instance.root_volume() else {
            return Ok(None);
        };
        let noun = volume::get(conn, &root.volume_id).await?;
        let Some(snapshot) = noun.and_then(|noun| noun.snapshot_id) else {
            return Ok(None);
        };
        let image = instance.image_id.clone();
        // One that is damaged is there: it is told of, and forgotten, when the volume is opened.
        if boot_set::get(conn, &image, &snapshot).await?.is_some() {
            return Ok(None);
        }
        Ok(Some((root.volume_id.clone(), Source { image, snapshot })))
    }

    /// The blocks to fetch first for a volume; none if it is no root volume, or if nothing was
    /// recorded. One that cannot be read is logged, and forgotten so that the next launch records
    /// another.
    pub(crate) async fn boot_set(&self, noun: &Volume) -> Arc<[u64]> {
        let (source, found) = match self.find_boot_set(noun).await {
            Ok(Some(found)) => found,
            Ok(None) => return Arc::default(),
            Err(error) => {
                tracing::warn!(volume = %noun.id, %error, "look for a boot set");
                return Arc::default();
            }
        };
        match found {
            Ok(blocks) => blocks.unwrap_or_default().into(),
            Err(error) => {
                tracing::warn!(image = %source.image, %error, "a boot set is of no use; it is recorded anew");
                if let Err(error) = self.forget_boot_set(&source).await {
                    tracing::warn!(image = %source.image, %error, "forget a boot set");
                }
                Arc::default()
            }
        }
    }

    /// What is recorded for a root volume, or what is wrong with it.
    async fn find_boot_set(
        &self,
        noun: &Volume,
    ) -> Result<Option<(Source, cairn_store::Result<Option<Vec<u64>>>)>> {
        let (Some(snapshot), Some(attachment)) = (&noun.snapshot_id, noun.attachments.first())
        else {
            return Ok(None);
        };
        let conn = &mut *self.store().read().await?;
        let owner = instance::get(conn, &attachment.instance_id).await?;
        let is_root = |owner: &Instance| {
            let root = owner.root_volume();
            root.is_some_and(|device| device.volume_id == noun.id)
        };
        let Some(owner) = owner.filter(is_root) else {
            return Ok(None);
        };
        let source = Source {
            image: owner.image_id,
            snapshot: snapshot.clone(),
        };
        let found = boot_set::get(conn, &source.image, &source.snapshot).await;
        Ok(Some((source, found)))
    }

    async fn forget_boot_set(&self, source: &Source) -> Result<()> {
        let mut tx = self.store().write().await?;
        boot_set::delete(&mut tx, &source.image, &source.snapshot).await?;
        Ok(tx.commit().await?)
    }

    /// Looks at the guests that are watched, and records the boot sets of those that have come to
    /// rest.
    pub async fn record_boots(&self) {
        let watched: Vec<_> = self.boots().lock().keys().cloned().collect();
        for id in watched {
            let Some(touched) = self.touched(&id).await else {
                continue;
            };
            let now = self.now();
            let is_over = |watched: &mut Watched| watched.rest.is_reached(now, touched);
            if self.boots().lock().get_mut(&id).is_some_and(is_over) {
                self.record_boot(&id).await;
            }
        }
    }

    /// How many blocks of its snapshot a volume has needed; none if it is not open.
    async fn touched(&self, id: &VolumeId) -> Option<usize> {
        let slot = self.engine().slot(id);
        let open = slot.open.lock().await;
        open.volume.as_ref().map(|open| open.first_touched_count())
    }

    /// Records the boot set that the guest of a volume has shown, if it is watched. To be called
    /// before the volume is closed.
    pub(crate) async fn record_boot(&self, id: &VolumeId) {
        let Some(watched) = self.boots().lock().remove(id) else {
            return;
        };
        let slot = self.engine().slot(id);
        let blocks = {
            // Not cloned: a volume that somebody else holds is not closed.
            let open = slot.open.lock().await;
            let touched = open.volume.as_ref().map(|open| open.first_touched());
            touched.unwrap_or_default()
        };
        if blocks.is_empty() {
            return;
        }
        if let Err(error) = self.insert_boot_set(&watched.source, &blocks).await {
            tracing::warn!(image = %watched.source.image, %error, "record the boot set of an image");
        }
    }

    async fn insert_boot_set(&self, source: &Source, blocks: &[u64]) -> Result<()> {
        let mut tx = self.store().write().await?;
        let (image, snapshot) = (&source.image, &source.snapshot);
        let recorded = boot_set::insert(&mut tx, image, snapshot, blocks, self.now()).await?;
        tx.commit().await?;
        if recorded {
            tracing::info!(%image, %snapshot, blocks = blocks.len(), "recorded what its guest reads when it boots");
        }
        Ok(())
    }
}

/// Looks at guests that boot, until the server ends.
pub(crate) async fn watch(mut ticks: Ticks) {
    while let Some(control) = ticks.next().await {
        control.record_boots().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp(1_000_000_000).after(Duration::from_secs(seconds))
    }

    #[test]
    fn a_guest_is_at_rest_once_it_needs_nothing_new_for_a_while() {
        let mut rest = Rest::new(at(0));
        assert!(!rest.is_reached(at(40), 0), "it has not begun");
        assert!(!rest.is_reached(at(41), 5));
        assert!(!rest.is_reached(at(55), 6));
        assert!(!rest.is_reached(at(69), 6));
        assert!(rest.is_reached(at(70), 6));
    }

    #[test]
    fn a_guest_that_does_not_rest_is_watched_for_so_long() {
        let mut rest = Rest::new(at(0));
        for (second, touched) in (1..300).zip(1..) {
            assert!(!rest.is_reached(at(second), touched));
        }
        assert!(rest.is_reached(at(300), 300));
    }
}
