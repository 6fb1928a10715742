//! How fast guests may read and write their volumes, if the configuration holds them to it.

use std::{sync::Arc, time::Duration};

use cairn_model::{
    Clock, Volume, VolumeId,
    volume_limits::{LimitOf, VolumeLimit, limits},
};
use cairn_nbd::{Limit, Now, Unit};
use cairn_store::volume;

use crate::{Control, Result};

impl Control {
    /// Holds a volume to what its type and its settings give it now.
    pub(crate) async fn settle_limits(&self, id: &VolumeId) -> Result<()> {
        if !self.enforces_limits() {
            return Ok(());
        }
        let found = volume::get(&mut *self.store().read().await?, id).await?;
        if let Some(found) = found {
            self.engine().slot(id).limiter.set(&limits_of(&found));
        }
        Ok(())
    }
}

fn limits_of(volume: &Volume) -> Vec<Limit> {
    limits(volume).iter().map(limit_of).collect()
}

fn limit_of(limit: &VolumeLimit) -> Limit {
    Limit {
        unit: match limit.of {
            LimitOf::Operations { bytes } => Unit::Operations { bytes },
            LimitOf::Bytes => Unit::Bytes,
        },
        per_second: limit.per_second,
        burst: limit.burst,
    }
}

/// The server's clock, as limits take it.
pub(crate) fn now_of(clock: &Arc<dyn Clock>) -> Now {
    let clock = Arc::clone(clock);
    Arc::new(move || Duration::from_micros(u64::try_from(clock.now().0).unwrap_or(0)))
}
