//! Who may launch images, and what else of them can be changed.

use cairn_control::request as verbs;

use super::{Answered, Call, answer, common::Done};
use crate::generated::{request, response};

pub(super) async fn modify_attribute(call: &Call<'_>) -> Answered {
    let asked: request::ModifyImageAttributeRequest = call.request()?;
    let request = verbs::ModifyImageAttribute {
        image_id: asked.image_id,
        attribute: asked.attribute,
        value: asked.value,
        operation_type: asked.operation_type,
        grantees: verbs::Grantees {
            user_ids: asked.user_ids,
            user_groups: asked.user_groups,
            organization_arns: asked.organization_arns,
            organizational_unit_arns: asked.organizational_unit_arns,
        },
        launch_permission: asked
            .launch_permission
            .map(|change| (grantees(change.add), grantees(change.remove))),
        description: asked.description.and_then(|text| text.value),
        imds_support: asked.imds_support.and_then(|text| text.value),
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control
        .modify_image_attribute(call.caller, request)
        .await?;
    answer(Done)
}

fn grantees(permissions: Vec<request::LaunchPermission>) -> verbs::Grantees {
    let mut named = verbs::Grantees::default();
    for permission in permissions {
        named.user_ids.extend(permission.user_id);
        named.user_groups.extend(permission.group);
        named.organization_arns.extend(permission.organization_arn);
        let unit = permission.organizational_unit_arn;
        named.organizational_unit_arns.extend(unit);
    }
    named
}

pub(super) async fn reset_attribute(call: &Call<'_>) -> Answered {
    let asked: request::ResetImageAttributeRequest = call.request()?;
    let request = verbs::ResetImageAttribute {
        image_id: asked.image_id,
        attribute: asked.attribute,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control
        .reset_image_attribute(call.caller, request)
        .await?;
    answer(Done)
}

pub(super) async fn cancel_launch_permission(call: &Call<'_>) -> Answered {
    let asked: request::CancelImageLaunchPermissionRequest = call.request()?;
    let request = verbs::ById {
        id: asked.image_id,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control
        .cancel_image_launch_permission(call.caller, request)
        .await?;
    answer(response::CancelImageLaunchPermissionResult {
        r#return: Some(true),
    })
}
