//! Where images come from, and what comes from them.

use cairn_control::{
    answer::{ImageAncestor, ImageReference, InstanceImage},
    request as verbs,
};
use cairn_model::{Image, image::usage::ResourceTypeWish};

use super::{
    Answered, Call, answer,
    common::{self, some},
    instance,
};
use crate::generated::{request, response};

pub(super) async fn ancestry(call: &Call<'_>) -> Answered {
    let asked: request::GetImageAncestryRequest = call.request()?;
    let request = verbs::ById {
        id: asked.image_id,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let lineage = call.control.image_ancestry(call.caller, request).await?;
    answer(response::GetImageAncestryResult {
        image_ancestry_entries: lineage.into_iter().map(ancestor).collect(),
    })
}

fn ancestor(ancestor: ImageAncestor) -> response::ImageAncestryEntry {
    let source = ancestor.source.as_ref();
    response::ImageAncestryEntry {
        creation_date: Some(ancestor.creation_date),
        image_id: some(&ancestor.image_id),
        source_image_id: source.map(|source| source.id.to_string()),
        source_image_region: source.map(|source| source.region.to_string()),
    }
}

pub(super) async fn references(call: &Call<'_>) -> Answered {
    let asked: request::DescribeImageReferencesRequest = call.request()?;
    let common = common::describe(
        Vec::new(),
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let request = verbs::DescribeImageReferences {
        common: verbs::Describe {
            ids: asked.image_ids,
            ..common
        },
        resource_types: asked.resource_types.into_iter().map(wish).collect(),
        include_all_resource_types: asked.include_all_resource_types.unwrap_or_default(),
    };
    let found = call
        .control
        .describe_image_references(call.caller, request)
        .await?;
    answer(response::DescribeImageReferencesResult {
        image_references: found.items.into_iter().map(reference).collect(),
        next_token: found.next_token,
    })
}

fn wish(asked: request::ResourceTypeRequest) -> ResourceTypeWish {
    let options = asked.resource_type_options.into_iter();
    ResourceTypeWish {
        resource_type: asked.resource_type.unwrap_or_default(),
        options: options
            .map(|option| (option.option_name.unwrap_or_default(), option.option_values))
            .collect(),
    }
}

fn reference(reference: ImageReference) -> response::ImageReference {
    response::ImageReference {
        image_id: some(&reference.image_id),
        resource_type: some(reference.resource_type),
        arn: Some(reference.arn),
    }
}

pub(super) async fn instance_metadata(call: &Call<'_>) -> Answered {
    let asked: request::DescribeInstanceImageMetadataRequest = call.request()?;
    let common = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let request = verbs::Describe {
        ids: asked.instance_ids,
        ..common
    };
    let found = call
        .control
        .describe_instance_image_metadata(call.caller, request)
        .await?;
    answer(response::DescribeInstanceImageMetadataResult {
        instance_image_metadata: found.items.iter().map(metadata).collect(),
        next_token: found.next_token,
    })
}

fn metadata(shown: &InstanceImage) -> response::InstanceImageMetadata {
    let instance = &shown.instance;
    response::InstanceImageMetadata {
        instance_id: some(&instance.id),
        instance_type: some(&instance.instance_type),
        launch_time: Some(instance.launch_time),
        availability_zone: some(&instance.availability_zone),
        zone_id: shown.zone_id.clone(),
        state: Some(instance::show_state(instance.state)),
        owner_id: some(&instance.account),
        tags: common::tags(&instance.tags),
        image_metadata: Some(match &shown.image {
            Some(image) => image_metadata(image, shown.image_allowed),
            // It was deregistered before images were kept for their instances.
            None => response::ImageMetadata {
                image_id: some(&instance.image_id),
                ..Default::default()
            },
        }),
        operator: Some(response::OperatorResponse {
            managed: Some(false),
        }),
    }
}

fn image_metadata(image: &Image, allowed: Option<bool>) -> response::ImageMetadata {
    response::ImageMetadata {
        image_id: some(&image.id),
        name: some(&image.name),
        owner_id: some(&image.account),
        state: some(image.state),
        creation_date: some(image.creation_date),
        deprecation_time: image.deprecated_from().map(|time| time.to_string()),
        image_allowed: allowed,
        is_public: Some(image.launch_permissions.public),
    }
}
