//! Copies of images.

use cairn_control::request as verbs;

use super::{
    Answered, Call, answer,
    common::{self, some},
};
use crate::generated::{request, response};

pub(super) async fn copy(call: &Call<'_>) -> Answered {
    let asked: request::CopyImageRequest = call.request()?;
    // What does not fit is out of bounds like any other number that is too great.
    let minutes = |minutes: i64| i32::try_from(minutes).unwrap_or(i32::MAX);
    let request = verbs::CopyImage {
        source_image_id: asked.source_image_id,
        source_region: asked.source_region,
        name: asked.name,
        description: asked.description,
        encrypted: asked.encrypted,
        kms_key_id: asked.kms_key_id,
        copy_image_tags: asked.copy_image_tags.unwrap_or_default(),
        completion_duration_minutes: asked.snapshot_copy_completion_duration_minutes.map(minutes),
        tag_specifications: common::tag_specifications(asked.tag_specifications)?,
        client_token: asked.client_token,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let id = call.control.copy_image(call.caller, request).await?;
    answer(response::CopyImageResult { image_id: some(id) })
}
