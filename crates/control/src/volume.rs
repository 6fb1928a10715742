//! Volumes.

use cairn_model::{Paged, Volume, VolumeId, page::Bounds};
use cairn_store::{Connection, volume};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    describe::{self, Question},
    request::Describe,
};

/// What MaxResults of DescribeVolumes may be.
const PAGE: Bounds = Bounds { min: 5, max: 1000 };

impl Control {
    /// The volumes of these ids, or all, that pass the filters; oldest first.
    pub async fn describe_volumes(
        &self,
        caller: &Caller,
        request: Describe,
    ) -> Result<Paged<Volume>> {
        for id in &request.ids {
            describe::parse_id::<VolumeId>(id, ErrorKind::VolumeIdMalformed)?;
        }
        let all = volume::list(
            &mut *self.store().read().await?,
            &caller.account,
            caller.region,
        )
        .await?;
        let volumes = describe::select(all, &request.ids, |volume| volume.id.as_str(), not_found)?;
        Question {
            control: self,
            caller,
            operation: "DescribeVolumes",
            bounds: PAGE,
            request: &request,
        }
        .answer(volumes, |volume| {
            format!("{:020} {}", volume.create_time.0, volume.id)
        })
    }
}

/// The caller's volume of an id.
pub(crate) async fn find(conn: &mut Connection, caller: &Caller, id: &str) -> Result<Volume> {
    let parsed = describe::parse_id(id, ErrorKind::VolumeIdMalformed)?;
    let found = volume::get(conn, &parsed).await?;
    found
        .filter(|volume| volume.account == caller.account && volume.region == caller.region)
        .ok_or_else(|| not_found(id))
}

fn not_found(id: &str) -> Error {
    Error::new(
        ErrorKind::VolumeNotFound,
        format!("The volume '{id}' does not exist."),
    )
}
