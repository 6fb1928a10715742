//! The status of volumes: whether they can be used, and how far they are filled from their snapshots.

use cairn_model::{
    Filterable, Paged, Tags, Volume, VolumeState, VolumeType,
    filter::{many, maybe, one},
};
use cairn_volume::Hydration;

use crate::{
    Caller, Control, Result,
    answer::{Initialization, VolumeEvent, VolumeStatus},
    describe::Question,
    engine::EngineError,
    request::Describe,
    volume::PAGE,
};

/// Bytes of a block.
const BLOCK_BYTES: u64 = cairn_blocks::BLOCK_SIZE as u64;

/// What is to be done about lost blocks: code and description.
pub const ENABLE_IO: (&str, &str) = ("enable-volume-io", "Enable Volume I/O");

impl Control {
    /// How the volumes of these ids are, or all, that pass the filters; oldest first.
    pub async fn describe_volume_status(
        &self,
        caller: &Caller,
        mut request: Describe,
    ) -> Result<Paged<VolumeStatus>> {
        let volumes = self.named_volumes(caller, &mut request).await?;
        let damaged = self.settle_io(caller.region, volumes.clone()).await?;
        let mut statuses = Vec::new();
        for volume in volumes {
            let is_damaged = damaged.contains(&volume.id);
            statuses.push(self.volume_status(volume, is_damaged).await?);
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

    async fn volume_status(&self, volume: Volume, is_damaged: bool) -> Result<VolumeStatus> {
        let has_files = matches!(volume.state, VolumeState::Available | VolumeState::InUse);
        let has_base = volume.snapshot_id.is_some() || volume.source_volume_id.is_some();
        let initialization = match has_base && has_files {
            true => {
                let hydration = self.hydration(&volume).await?;
                hydration.map(|hydration| initialization(&volume, hydration))
            }
            false => None,
        };
        Ok(VolumeStatus {
            is_usable: has_files,
            is_damaged,
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
    /// Whether all is well: `ok`, `impaired` if some of its blocks are lost, or `insufficient-data` while
    /// that cannot be told.
    pub fn status(&self) -> &'static str {
        match (self.is_usable, self.is_damaged) {
            (true, false) => "ok",
            (true, true) => "impaired",
            (false, _) => "insufficient-data",
        }
    }

    /// Whether its owner has to say that I/O is to go on although some of its blocks are lost.
    pub fn awaits_owner(&self) -> bool {
        self.is_damaged && !self.volume.io.allows()
    }

    /// The event that tells of lost blocks, and what it says.
    pub fn event(&self) -> Option<VolumeEvent> {
        let description = match self.awaits_owner() {
            true => "Awaiting Action: Enable IO",
            false => "IO Enabled",
        };
        self.is_damaged.then(|| VolumeEvent {
            id: self.volume.id.as_str().replacen("vol-", "evol-", 1),
            event_type: "potential-data-inconsistency",
            description,
        })
    }

    /// The names of the checks, and what came of them.
    pub fn details(&self) -> Vec<(&'static str, &'static str)> {
        let io = |passed| match self.is_usable {
            true => passed,
            false => "insufficient-data",
        };
        let io_enabled = if self.awaits_owner() {
            "failed"
        } else {
            "passed"
        };
        // Only provisioned performance is watched, on EC2 too.
        let performance = match self.volume.volume_type {
            VolumeType::Io1 | VolumeType::Io2 => io("normal"),
            _ => "not-applicable",
        };
        let mut details = vec![
            ("io-enabled", io(io_enabled)),
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
        let event = self.event();
        let action = event.as_ref().filter(|_| self.awaits_owner());
        match name {
            "action.code" => maybe(action.map(|_| ENABLE_IO.0)),
            "action.description" => maybe(action.map(|_| ENABLE_IO.1)),
            "action.event-id" => maybe(action.map(|event| &event.id)),
            "event.description" => maybe(event.map(|event| event.description)),
            "event.event-id" => maybe(event.map(|event| event.id)),
            "event.event-type" => maybe(event.map(|event| event.event_type)),
            "availability-zone-id" => maybe(
                self.volume
                    .region
                    .zone(&self.volume.availability_zone)
                    .map(|zone| zone.id()),
            ),
            "availability-zone" => one(&self.volume.availability_zone),
            "volume-status.details-name" => many(self.details().iter().map(|(name, _)| name)),
            "volume-status.details-status" => many(self.details().iter().map(|(_, found)| found)),
            "volume-status.status" => one(self.status()),
            // An event has no end, and when its blocks were lost nobody knows.
            _ => None,
        }
    }
}
