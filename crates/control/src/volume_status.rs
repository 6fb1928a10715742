//! The status of volumes: whether they can be used, and how far they are filled from their snapshots.

use cairn_model::{
    Filterable, Paged, Tags, Volume, VolumeState, VolumeType,
    filter::{many, one},
};
use cairn_volume::Hydration;

use crate::{
    Caller, Control, Result,
    answer::{Initialization, VolumeStatus},
    describe::Question,
    engine::EngineError,
    request::Describe,
    volume::PAGE,
};

/// Bytes of a block.
const BLOCK_BYTES: u64 = cairn_blocks::BLOCK_SIZE as u64;

impl Control {
    /// How the volumes of these ids are, or all, that pass the filters; oldest first.
    pub async fn describe_volume_status(
        &self,
        caller: &Caller,
        mut request: Describe,
    ) -> Result<Paged<VolumeStatus>> {
        let volumes = self.named_volumes(caller, &mut request).await?;
        let mut statuses = Vec::new();
        for volume in volumes {
            statuses.push(self.volume_status(volume).await?);
        }
        Question {
            control: self,
            caller,
            operation: "DescribeVolumeStatus",
            bounds: PAGE,
            request: &request,
        }
        .answer(statuses, |status| {
            format!("{:020} {}", status.volume.create_time.0, status.volume.id)
        })
    }

    async fn volume_status(&self, volume: Volume) -> Result<VolumeStatus> {
        let has_files = matches!(volume.state, VolumeState::Available | VolumeState::InUse);
        let initialization = match &volume.snapshot_id {
            Some(_) if has_files => {
                let hydration = self.hydration(&volume).await?;
                hydration.map(|hydration| initialization(&volume, hydration))
            }
            _ => None,
        };
        Ok(VolumeStatus {
            is_usable: has_files,
            initialization,
            volume,
        })
    }

    /// How far a volume is filled; `None` if it was deleted meanwhile, or its key cannot be had.
    async fn hydration(&self, volume: &Volume) -> Result<Option<Hydration>> {
        let slot = self.engine().slot(&volume.id);
        // Held, so that nobody opens the volume while its files are read.
        let open = slot.open.lock().await;
        if let Some(open) = &open.volume {
            return Ok(Some(open.hydration()));
        }
        let key = match self.volume_key(volume).await {
            Ok(key) => key,
            // Its owner is told where it would be used.
            Err(error @ EngineError::Key(_)) => {
                tracing::warn!(volume = %volume.id, %error, "look how far a volume is filled");
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let engine = self.engine();
        Ok(engine.hydration(volume.region, &volume.id, key).await?)
    }
}

fn initialization(volume: &Volume, hydration: Hydration) -> Initialization {
    let left = hydration.total_blocks - hydration.present_blocks.min(hydration.total_blocks);
    let rate = volume
        .initialization_rate
        .and_then(|mib| u64::try_from(mib).ok());
    Initialization {
        percent: hydration.percent(),
        seconds_left: rate.map(|mib| (left * BLOCK_BYTES).div_ceil(mib.max(1) << 20)),
    }
}

impl VolumeStatus {
    /// Whether all is well: `ok`, or `insufficient-data` while that cannot be told.
    pub fn status(&self) -> &'static str {
        if self.is_usable {
            "ok"
        } else {
            "insufficient-data"
        }
    }

    /// The names of the checks, and what came of them.
    pub fn details(&self) -> Vec<(&'static str, &'static str)> {
        let io = |passed| match self.is_usable {
            true => passed,
            false => "insufficient-data",
        };
        // Only provisioned performance is watched, on EC2 too.
        let performance = match self.volume.volume_type {
            VolumeType::Io1 | VolumeType::Io2 => io("normal"),
            _ => "not-applicable",
        };
        let mut details = vec![
            ("io-enabled", io("passed")),
            ("io-performance", performance),
        ];
        if let Some(initialization) = &self.initialization {
            details.push(("initialization-state", initialization.state()));
        }
        details
    }
}

impl Initialization {
    /// `initializing` or `completed`.
    pub fn state(&self) -> &'static str {
        if self.percent == 100 {
            "completed"
        } else {
            "initializing"
        }
    }
}

impl Filterable for VolumeStatus {
    const FILTERS: &'static [&'static str] = &[
        "action.code",
        "action.description",
        "action.event-id",
        "availability-zone",
        "availability-zone-id",
        "event.description",
        "event.event-id",
        "event.event-type",
        "event.not-after",
        "event.not-before",
        "volume-status.details-name",
        "volume-status.details-status",
        "volume-status.status",
    ];
    const HAS_TAGS: bool = false;

    fn filter_tags(&self) -> Option<&Tags> {
        None
    }

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "availability-zone" => one(&self.volume.availability_zone),
            "volume-status.details-name" => many(self.details().iter().map(|(name, _)| name)),
            "volume-status.details-status" => many(self.details().iter().map(|(_, found)| found)),
            "volume-status.status" => one(self.status()),
            // There are no events, and so nothing to do about them.
            _ => None,
        }
    }
}
