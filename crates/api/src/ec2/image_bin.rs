//! Images in the Recycle Bin.

use cairn_control::{answer::RecycledImage, request as verbs};

use super::{
    Answered, Call, answer,
    common::{self, some},
};
use crate::generated::{request, response};

pub(super) async fn list(call: &Call<'_>) -> Answered {
    let asked: request::ListImagesInRecycleBinRequest = call.request()?;
    let common = common::describe(
        Vec::new(),
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let request = verbs::Describe {
        ids: asked.image_ids,
        ..common
    };
    let found = call
        .control
        .list_images_in_recycle_bin(call.caller, request)
        .await?;
    answer(response::ListImagesInRecycleBinResult {
        images: found.items.into_iter().map(show).collect(),
        next_token: found.next_token,
    })
}

pub(super) async fn restore(call: &Call<'_>) -> Answered {
    let asked: request::RestoreImageFromRecycleBinRequest = call.request()?;
    let request = verbs::ById {
        id: asked.image_id,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control
        .restore_image_from_recycle_bin(call.caller, request)
        .await?;
    answer(response::RestoreImageFromRecycleBinResult {
        r#return: Some(true),
    })
}

fn show(image: RecycledImage) -> response::ImageRecycleBinInfo {
    response::ImageRecycleBinInfo {
        image_id: some(&image.image_id),
        name: Some(image.name),
        description: image.description,
        recycle_bin_enter_time: Some(image.stay.entered),
        recycle_bin_exit_time: Some(image.stay.exits),
    }
}
