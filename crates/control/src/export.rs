//! Volumes that are open, and how they are offered to machines: by NBD on a socket each.

use std::{
    io,
    ops::ControlFlow,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use cairn_model::{InstanceId, Snapshot, SnapshotId, SnapshotState, VolumeId};
use cairn_nbd::{Address, BlockDevice, Extent, Limited, Outcome, Server, Wait};
use cairn_store::{snapshot, volume};
use cairn_volume::{EpochTag, Volume};

use crate::{
    Control, Error, Result,
    engine::{EngineError, blocking},
    snapshot::content,
    volume_copy,
};

impl Control {
    /// The bytes of a volume. It stays open until [`release_volume`](Self::release_volume).
    ///
    /// Opening recovers the volume, and settles what a crash left: freezes that the metadata does
    /// not know of never happened, and those it has as completed are committed.
    pub async fn open_volume(&self, id: &VolumeId) -> Result<Arc<Volume>> {
        let noun = volume::get(&mut *self.store().read().await?, id)
            .await?
            .ok_or_else(|| Error::internal(format!("open volume {id}, which does not exist")))?;
        let slot = self.engine().slot(id);
        let mut open = slot.open.lock().await;
        if let Some(volume) = &open.volume {
            return Ok(Arc::clone(volume));
        }
        let key = self.volume_key(&noun).await?;
        let boot_set = self.boot_set(&noun).await;
        let volume = self.engine().open_volume(&noun, key, boot_set).await?;
        for epoch in volume.pending_epochs() {
            self.settle(&volume, epoch).await?;
        }
        open.volume = Some(Arc::clone(&volume));
        Ok(volume)
    }

    /// Offers a volume to a machine and returns the socket. Offered already, it stays as it is.
    pub async fn export_volume(&self, id: &VolumeId) -> Result<PathBuf> {
        let volume = self.open_volume(id).await?;
        let socket = self.engine().socket(id);
        let slot = self.engine().slot(id);
        if slot.open.lock().await.server.is_none() {
            // Whether a guest may have it is known before it has it.
            self.settle_io_of(id).await?;
            self.settle_limits(id).await?;
        }
        let mut open = slot.open.lock().await;
        if open.server.is_none() {
            let address = Address::unix(socket.clone());
            let device = Device {
                volume,
                gate: Arc::clone(&slot.gate),
            };
            let device = Limited::new(device, Arc::clone(&slot.limiter));
            open.server = Some(blocking(move || serve(address, device)).await?);
        }
        Ok(socket)
    }

    /// Ends the offer of a volume, once the requests under way are answered, and closes the volume
    /// when nobody else needs it.
    pub async fn unexport_volume(&self, id: &VolumeId) -> Result<()> {
        self.record_boot(id).await;
        let slot = self.engine().slot(id);
        let server = slot.open.lock().await.server.take();
        blocking(move || {
            drop(server);
            Ok::<_, EngineError>(())
        })
        .await?;
        self.release_volume(id).await
    }

    /// As [`export_volume`](Self::export_volume), on behalf of an instance.
    pub(crate) async fn export_to(&self, id: &VolumeId, instance: &InstanceId) -> Result<PathBuf> {
        let slot = self.engine().slot(id);
        slot.open.lock().await.users.insert(instance.clone());
        self.export_volume(id).await
    }

    /// The machine of an instance needs a volume no more. With the last one its offer ends.
    pub(crate) async fn unexport_from(&self, id: &VolumeId, instance: &InstanceId) -> Result<()> {
        let slot = self.engine().slot(id);
        let is_used = {
            let mut open = slot.open.lock().await;
            open.users.remove(instance);
            !open.users.is_empty()
        };
        if is_used {
            return Ok(());
        }
        self.unexport_volume(id).await?;
        self.seen_by_guests(id).await
    }

    /// Closes a volume that no machine and no capture needs any more; others stay open.
    pub async fn release_volume(&self, id: &VolumeId) -> Result<()> {
        let slot = self.engine().slot(id);
        let mut open = slot.open.lock().await;
        let idle = open.server.is_none()
            && open.volume.as_ref().is_some_and(|volume| {
                Arc::strong_count(volume) == 1 && volume.pending_epochs().is_empty()
            });
        if idle {
            open.close().await?;
        }
        Ok(())
    }

    /// Closes a volume for good and removes its files. Machines lose it.
    pub(crate) async fn destroy_volume(
        &self,
        noun: &cairn_model::Volume,
    ) -> Result<(), EngineError> {
        let slot = self.engine().slot(&noun.id);
        let _turn = slot.capture.lock().await;
        let mut open = slot.open.lock().await;
        open.close().await?;
        self.engine().remove_volume(noun.region, &noun.id).await?;
        self.engine().forget_slot(&noun.id);
        Ok(())
    }

    /// Brings a freeze that was pending when the server ended in line with the metadata.
    async fn settle(&self, volume: &Arc<Volume>, epoch: EpochTag) -> Result<()> {
        if volume_copy::is_under_way(self, &epoch).await? {
            return Ok(());
        }
        match self.named_by(&epoch).await? {
            Some(snapshot) if snapshot.state == SnapshotState::Pending => Ok(()),
            Some(snapshot) if snapshot.state == SnapshotState::Completed => {
                let _session = self.session(snapshot.region).await?;
                let content = content(self, &snapshot).await?;
                let root = content.root()?;
                let _committing = self.engine().commit_of(&epoch, content);
                // Deleted from now on, its content is kept until it is the volume's.
                if self.named_by(&epoch).await?.is_none() {
                    return give_up(volume, epoch).await;
                }
                let volume = Arc::clone(volume);
                blocking(move || recommit(&volume, &epoch, &root))
                    .await
                    .map_err(Error::from)
            }
            _ => give_up(volume, epoch).await,
        }
    }

    /// The snapshot that a freeze was made for.
    async fn named_by(&self, epoch: &EpochTag) -> Result<Option<Snapshot>> {
        match epoch.as_str().parse::<SnapshotId>() {
            Ok(id) => Ok(snapshot::get(&mut *self.store().read().await?, &id).await?),
            Err(_) => Ok(None),
        }
    }
}

async fn give_up(volume: &Arc<Volume>, epoch: EpochTag) -> Result<()> {
    let volume = Arc::clone(volume);
    blocking(move || volume.abandon(&epoch))
        .await
        .map_err(Error::from)
}

/// A power loss can take back a commit, but never a completed snapshot: its capture has nothing
/// left to store and yields the root that the metadata names.
fn recommit(
    volume: &Volume,
    epoch: &EpochTag,
    root: &cairn_blocks::Root,
) -> Result<(), EngineError> {
    let captured = volume.capture(epoch, &mut |_| ControlFlow::Continue(()))?;
    if captured != *root {
        let text =
            format!("snapshot {epoch} was completed with another root than its volume holds");
        return Err(cairn_volume::Error::Damaged(text).into());
    }
    Ok(volume.commit(epoch, root)?)
}

fn serve(address: Address, device: Limited<Device>) -> Result<Server, EngineError> {
    let server = Server::bind(address)?;
    server.exports().insert("", Arc::new(device))?;
    Ok(server)
}

/// Whether guests may read and write a volume.
#[derive(Debug, Default)]
pub(crate) struct IoGate(AtomicBool);

impl IoGate {
    /// Lets guests in, or keeps them out.
    pub(crate) fn set(&self, is_closed: bool) {
        self.0.store(is_closed, Ordering::Release);
    }

    /// Whether guests are kept out.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn check(&self) -> io::Result<()> {
        if self.is_closed() {
            return Err(io::Error::other(
                "some of the volume is lost, and nobody has enabled its I/O",
            ));
        }
        Ok(())
    }
}

/// A volume as the NBD server sees it.
#[derive(Debug)]
struct Device {
    volume: Arc<Volume>,
    gate: Arc<IoGate>,
}

impl BlockDevice for Device {
    fn size(&self) -> u64 {
        self.volume.size_bytes()
    }

    fn read(&self, offset: u64, buf: &mut [u8], wait: Wait) -> io::Result<Outcome> {
        self.gate.check()?;
        self.volume.read(offset, buf, wait_of(wait)).map(outcome_of)
    }

    fn write(&self, offset: u64, data: &[u8], fua: bool, wait: Wait) -> io::Result<Outcome> {
        self.gate.check()?;
        self.volume
            .write(offset, data, fua, wait_of(wait))
            .map(outcome_of)
    }

    fn flush(&self) -> io::Result<()> {
        self.volume.flush()
    }

    fn trim(&self, offset: u64, len: u64, fua: bool) -> io::Result<()> {
        self.gate.check()?;
        self.volume.trim(offset, len, fua)
    }

    fn write_zeroes(&self, offset: u64, len: u64, no_hole: bool, fua: bool) -> io::Result<()> {
        self.gate.check()?;
        self.volume.write_zeroes(offset, len, no_hole, fua)
    }

    fn abandon_waits(&self) {
        self.volume.abandon_waits();
    }

    fn extents(&self, offset: u64, len: u64) -> io::Result<Vec<Extent>> {
        let extents = self.volume.extents(offset, len)?;
        Ok(extents
            .into_iter()
            .map(|e| Extent {
                len: e.len,
                hole: e.hole,
                zero: e.zero,
            })
            .collect())
    }
}

fn wait_of(wait: Wait) -> cairn_volume::Wait {
    match wait {
        Wait::No => cairn_volume::Wait::No,
        Wait::Yes => cairn_volume::Wait::Yes,
    }
}

fn outcome_of(outcome: cairn_volume::Outcome) -> Outcome {
    match outcome {
        cairn_volume::Outcome::Done => Outcome::Done,
        cairn_volume::Outcome::WouldBlock => Outcome::WouldBlock,
    }
}
