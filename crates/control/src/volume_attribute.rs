//! Attributes of volumes: what becomes of their I/O once some of their blocks are lost.
//!
//! Guests are kept out of a volume some of which is lost until its owner says that they may go on, or
//! has said so before: what they would make of the rest is worse than an error. It is looked at when a
//! volume is offered to a machine, at the end of a scrub, and whenever somebody asks how a volume is, so
//! that what is shown is what is.

use std::collections::HashSet;

use cairn_model::{Region, Volume, VolumeId};
use cairn_store::volume;

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    answer::{VolumeAttribute, VolumeAttributeValue},
    describe::refuse_dry_run,
    request::{ById, DescribeAttribute, ModifyVolumeAttribute},
    volume as volumes,
};

impl Control {
    /// One attribute of a volume.
    pub async fn describe_volume_attribute(
        &self,
        caller: &Caller,
        request: DescribeAttribute,
    ) -> Result<VolumeAttribute> {
        let found = volumes::find(&mut *self.store().read().await?, caller, &request.id).await?;
        let value = match request.attribute.as_str() {
            "autoEnableIO" => VolumeAttributeValue::AutoEnableIo(found.io.auto_enable),
            "productCodes" => VolumeAttributeValue::ProductCodes,
            unknown => return Err(unknown_attribute(unknown)),
        };
        refuse_dry_run(request.dry_run)?;
        Ok(VolumeAttribute {
            volume_id: found.id,
            value,
        })
    }

    /// Sets whether a volume's I/O goes on by itself, should some of its blocks be lost.
    pub async fn modify_volume_attribute(
        &self,
        caller: &Caller,
        request: ModifyVolumeAttribute,
    ) -> Result<()> {
        let mut tx = self.store().write().await?;
        let found = volumes::find(&mut tx, caller, &request.volume_id).await?;
        let auto_enable = request
            .auto_enable_io
            .ok_or_else(|| Error::missing_parameter("AutoEnableIO"))?;
        refuse_dry_run(request.dry_run)?;
        volume::update(&mut tx, &found.id, |volume| {
            volume.io.auto_enable = auto_enable;
        })
        .await?;
        tx.commit().await?;
        self.settle_io_of(&found.id).await
    }

    /// Has the I/O of an impaired volume go on: its owner knows that some of it is lost. Of one that is
    /// not impaired it changes nothing, also not for the day on which it is.
    pub async fn enable_volume_io(&self, caller: &Caller, request: ById) -> Result<()> {
        let found = volumes::find(&mut *self.store().read().await?, caller, &request.id).await?;
        refuse_dry_run(request.dry_run)?;
        let (id, region) = (found.id.clone(), found.region);
        if !self.damaged_among(region, vec![found]).await?.contains(&id) {
            return Ok(());
        }
        let mut tx = self.store().write().await?;
        volume::update(&mut tx, &id, |volume| {
            volume.io.enabled_by_owner = true;
        })
        .await?;
        tx.commit().await?;
        self.settle_io_of(&id).await
    }

    /// Lets guests into those of some volumes of a region that are whole, or whose owners want it, keeps
    /// them out of the others, and returns those that are not whole.
    pub(crate) async fn settle_io(
        &self,
        region: Region,
        volumes: Vec<Volume>,
    ) -> Result<HashSet<VolumeId>> {
        let damaged = self.damaged_among(region, volumes.clone()).await?;
        for volume in volumes {
            let is_closed = damaged.contains(&volume.id) && !volume.io.allows();
            self.engine().slot(&volume.id).gate.set(is_closed);
        }
        Ok(damaged)
    }

    /// As [`settle_io`](Self::settle_io), of one volume.
    pub(crate) async fn settle_io_of(&self, id: &VolumeId) -> Result<()> {
        let found = volume::get(&mut *self.store().read().await?, id).await?;
        if let Some(found) = found {
            self.settle_io(found.region, vec![found]).await?;
        }
        Ok(())
    }

    /// As [`settle_io`](Self::settle_io), of all volumes of a region.
    pub(crate) async fn settle_io_in(&self, region: Region) -> Result<()> {
        let all = volume::list_in(&mut *self.store().read().await?, region).await?;
        self.settle_io(region, all).await.map(drop)
    }
}

fn unknown_attribute(name: &str) -> Error {
    let message = format!("Value ({name}) for parameter attribute is invalid. Unknown attribute.");
    Error::new(ErrorKind::InvalidParameterValue, message)
}
