//! What an account has set for all images of a region.

use cairn_control::request as verbs;
use cairn_model::image::allowed::ImageCriterion;

use super::{Answered, Call, answer, common::some};
use crate::generated::{request, response};

/// Who set it: nobody sets anything for others here.
const MANAGED_BY: &str = "account";

pub(super) async fn enable_block_public_access(call: &Call<'_>) -> Answered {
    let asked: request::EnableImageBlockPublicAccessRequest = call.request()?;
    let request = verbs::SetState {
        state: asked.image_block_public_access_state,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let state = call
        .control
        .enable_image_block_public_access(call.caller, request)
        .await?;
    answer(response::EnableImageBlockPublicAccessResult {
        image_block_public_access_state: some(state.as_str()),
    })
}

pub(super) async fn disable_block_public_access(call: &Call<'_>) -> Answered {
    let asked: request::DisableImageBlockPublicAccessRequest = call.request()?;
    let state = call
        .control
        .disable_image_block_public_access(call.caller, asked.dry_run.unwrap_or_default())
        .await?;
    answer(response::DisableImageBlockPublicAccessResult {
        image_block_public_access_state: some(state.as_str()),
    })
}

pub(super) async fn block_public_access(call: &Call<'_>) -> Answered {
    let asked: request::GetImageBlockPublicAccessStateRequest = call.request()?;
    let state = call
        .control
        .image_block_public_access(call.caller, asked.dry_run.unwrap_or_default())
        .await?;
    answer(response::GetImageBlockPublicAccessStateResult {
        image_block_public_access_state: some(state.as_str()),
        managed_by: some(MANAGED_BY),
    })
}

pub(super) async fn enable_allowed(call: &Call<'_>) -> Answered {
    let asked: request::EnableAllowedImagesSettingsRequest = call.request()?;
    let request = verbs::SetState {
        state: asked.allowed_images_settings_state,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let state = call
        .control
        .enable_allowed_images_settings(call.caller, request)
        .await?;
    answer(response::EnableAllowedImagesSettingsResult {
        allowed_images_settings_state: some(state),
    })
}

pub(super) async fn disable_allowed(call: &Call<'_>) -> Answered {
    let asked: request::DisableAllowedImagesSettingsRequest = call.request()?;
    let state = call
        .control
        .disable_allowed_images_settings(call.caller, asked.dry_run.unwrap_or_default())
        .await?;
    answer(response::DisableAllowedImagesSettingsResult {
        allowed_images_settings_state: some(state),
    })
}

pub(super) async fn allowed(call: &Call<'_>) -> Answered {
    let asked: request::GetAllowedImagesSettingsRequest = call.request()?;
    let set = call
        .control
        .allowed_images_settings(call.caller, asked.dry_run.unwrap_or_default())
        .await?;
    answer(response::GetAllowedImagesSettingsResult {
        state: some(set.state),
        image_criteria: set.criteria.into_iter().map(show).collect(),
        managed_by: some(MANAGED_BY),
    })
}

pub(super) async fn replace_criteria(call: &Call<'_>) -> Answered {
    let asked: request::ReplaceImageCriteriaInAllowedImagesSettingsRequest = call.request()?;
    let request = verbs::ReplaceImageCriteria {
        criteria: asked.image_criteria.into_iter().map(criterion).collect(),
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control
        .replace_image_criteria(call.caller, request)
        .await?;
    answer(
        response::ReplaceImageCriteriaInAllowedImagesSettingsResult {
            return_value: Some(true),
        },
    )
}

fn criterion(asked: request::ImageCriterionRequest) -> ImageCriterion {
    ImageCriterion {
        image_providers: asked.image_providers,
        marketplace_product_codes: asked.marketplace_product_codes,
        image_names: asked.image_names,
        maximum_days_since_deprecated: asked
            .deprecation_time_condition
            .and_then(|condition| condition.maximum_days_since_deprecated),
        maximum_days_since_created: asked
            .creation_date_condition
            .and_then(|condition| condition.maximum_days_since_created),
    }
}

fn show(criterion: ImageCriterion) -> response::ImageCriterion {
    let deprecated = |days| response::DeprecationTimeCondition {
        maximum_days_since_deprecated: Some(days),
    };
    let created = |days| response::CreationDateCondition {
        maximum_days_since_created: Some(days),
    };
    let named = |values: Vec<String>| Some(values).filter(|values| !values.is_empty());
    response::ImageCriterion {
        image_providers: named(criterion.image_providers),
        marketplace_product_codes: named(criterion.marketplace_product_codes),
        image_names: named(criterion.image_names),
        deprecation_time_condition: criterion.maximum_days_since_deprecated.map(deprecated),
        creation_date_condition: criterion.maximum_days_since_created.map(created),
    }
}
