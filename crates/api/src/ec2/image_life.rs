//! Taking images out of use and back, marking them as deprecated, protecting them.

use cairn_control::request as verbs;

use super::{Answered, Call, answer, common::some};
use crate::generated::{request, response};

pub(super) async fn enable(call: &Call<'_>) -> Answered {
    let asked: request::EnableImageRequest = call.request()?;
    let request = by_id(asked.image_id, asked.dry_run);
    call.control.enable_image(call.caller, request).await?;
    answer(response::EnableImageResult {
        r#return: Some(true),
    })
}

pub(super) async fn disable(call: &Call<'_>) -> Answered {
    let asked: request::DisableImageRequest = call.request()?;
    let request = by_id(asked.image_id, asked.dry_run);
    call.control.disable_image(call.caller, request).await?;
    answer(response::DisableImageResult {
        r#return: Some(true),
    })
}

pub(super) async fn enable_deprecation(call: &Call<'_>) -> Answered {
    let asked: request::EnableImageDeprecationRequest = call.request()?;
    let request = verbs::EnableImageDeprecation {
        image_id: asked.image_id,
        deprecate_at: asked.deprecate_at,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control
        .enable_image_deprecation(call.caller, request)
        .await?;
    answer(response::EnableImageDeprecationResult {
        r#return: Some(true),
    })
}

pub(super) async fn disable_deprecation(call: &Call<'_>) -> Answered {
    let asked: request::DisableImageDeprecationRequest = call.request()?;
    let request = by_id(asked.image_id, asked.dry_run);
    call.control
        .disable_image_deprecation(call.caller, request)
        .await?;
    answer(response::DisableImageDeprecationResult {
        r#return: Some(true),
    })
}

pub(super) async fn enable_protection(call: &Call<'_>) -> Answered {
    let asked: request::EnableImageDeregistrationProtectionRequest = call.request()?;
    let request = verbs::EnableDeregistrationProtection {
        image_id: asked.image_id,
        with_cooldown: asked.with_cooldown.unwrap_or_default(),
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control
        .enable_image_deregistration_protection(call.caller, request)
        .await?;
    answer(response::EnableImageDeregistrationProtectionResult {
        r#return: some("true"),
    })
}

pub(super) async fn disable_protection(call: &Call<'_>) -> Answered {
    let asked: request::DisableImageDeregistrationProtectionRequest = call.request()?;
    let request = by_id(asked.image_id, asked.dry_run);
    call.control
        .disable_image_deregistration_protection(call.caller, request)
        .await?;
    answer(response::DisableImageDeregistrationProtectionResult {
        r#return: some("true"),
    })
}

fn by_id(id: String, dry_run: Option<bool>) -> verbs::ById {
    verbs::ById {
        id,
        dry_run: dry_run.unwrap_or_default(),
    }
}
