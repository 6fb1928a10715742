//! Where images come from, and what comes from them.

use cairn_model::{
    Image, ImageId, Instance, InstanceId, InstanceState, LaunchTemplate, Paged, SourceImage,
    image::usage::ResourceTypeWish, page::Bounds,
};
use cairn_store::{Connection, image as images, launch_template};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    answer::{ImageAncestor, ImageReference, InstanceImage},
    describe::{self, Question},
    image::{find_seen, invalid},
    image_settings::allowed_images,
    instance,
    request::{ById, Describe, DescribeImageReferences},
};

/// The kind of resource of instances.
pub(crate) const INSTANCE: &str = "ec2:Instance";
/// The kind of resource of launch templates.
pub(crate) const LAUNCH_TEMPLATE: &str = "ec2:LaunchTemplate";
/// Kinds that refer to images on AWS. Nothing here is of the last three.
const KINDS: &[&str] = &[
    INSTANCE,
    LAUNCH_TEMPLATE,
    "ssm:Parameter",
    "imagebuilder:ImageRecipe",
    "imagebuilder:ContainerRecipe",
];

/// How many of a launch template's latest versions are looked at, unless a question says.
const REFERENCE_DEPTH: u32 = 10;

/// The most images of one question for references.
const IMAGES_MAX: usize = 10;

impl Control {
    /// An image, the image that it comes from, and so on to the first one, or to the last that is known.
    pub async fn image_ancestry(
        &self,
        caller: &Caller,
        request: ById,
    ) -> Result<Vec<ImageAncestor>> {
        let conn = &mut *self.store().read().await?;
        let image = find_seen(conn, caller, &request.id, self.now()).await?;
        describe::refuse_dry_run(request.dry_run)?;
        let mut lineage = vec![ancestor(&image)];
        let mut source = image.source_image;
        while let Some(SourceImage { id, .. }) = source {
            let Some(image) = images::get(conn, &id).await? else {
                break;
            };
            lineage.push(ancestor(&image));
            source = image.source_image;
        }
        Ok(lineage)
    }

    /// What of the caller's refers to images.
    pub async fn describe_image_references(
        &self,
        caller: &Caller,
        request: DescribeImageReferences,
    ) -> Result<Paged<ImageReference>> {
        let ids = &request.common.ids;
        check_image_ids(ids)?;
        let states = wished_states(&request)?;
        let depth = wished_depth(&request)?;
        let all = self.visible_instances(caller).await?;
        let conn = &mut *self.store().read().await?;
        for id in ids {
            if !all.iter().any(|instance| instance.image_id.as_str() == *id) {
                self.check_known(conn, caller, id).await?;
            }
        }
        let instances = all.iter().filter(|instance| {
            ids.iter().any(|id| instance.image_id.as_str() == *id)
                && states.contains(&instance.state)
        });
        let mut found: Vec<_> = instances.map(reference).collect();
        if let Some(depth) = depth {
            for id in ids {
                found.extend(template_references(conn, caller, id, depth).await?);
            }
        }
        Question {
            control: self,
            caller,
            operation: "DescribeImageReferences",
            bounds: Bounds::USUAL,
            request: &request.common,
        }
        .answer(found, |reference| {
            format!("{} {}", reference.image_id, reference.arn)
        })
    }

    /// The caller's instances, with what is still known of their images.
    pub async fn describe_instance_image_metadata(
        &self,
        caller: &Caller,
        request: Describe,
    ) -> Result<Paged<InstanceImage>> {
        for id in &request.ids {
            describe::parse_id::<InstanceId>(id, ErrorKind::InstanceIdMalformed)?;
        }
        let all = self.visible_instances(caller).await?;
        let conn = &mut *self.store().read().await?;
        let found = describe::select(all, &request.ids, |i| i.id.as_str(), instance::not_found)?;
        let settings = allowed_images(conn, caller).await?;
        let mut shown = Vec::with_capacity(found.len());
        for instance in found {
            let image = images::get(conn, &instance.image_id).await?;
            let judge = |image: &Image| settings.judge(image, &caller.account, self.now());
            shown.push(InstanceImage {
                zone_id: instance.availability_zone_id(),
                image_allowed: image.as_ref().and_then(judge),
                image,
                instance,
            });
        }
        Question {
            control: self,
            caller,
            operation: "DescribeInstanceImageMetadata",
            bounds: Bounds { min: 1, max: 1000 },
            request: &request,
        }
        .answer(shown, |shown| shown.instance.id.to_string())
    }

    /// Refuses the id of an image that the caller never heard of.
    async fn check_known(&self, conn: &mut Connection, caller: &Caller, id: &str) -> Result<()> {
        match find_seen(conn, caller, id, self.now()).await {
            Err(error) if error.kind == ErrorKind::ImageUnavailable => Ok(()),
            other => other.map(drop),
        }
    }
}

fn ancestor(image: &Image) -> ImageAncestor {
    ImageAncestor {
        image_id: image.id.clone(),
        creation_date: image.creation_date,
        source: image.source_image.clone(),
    }
}

fn reference(instance: &Instance) -> ImageReference {
    ImageReference {
        image_id: instance.image_id.clone(),
        resource_type: INSTANCE,
        arn: format!(
            "arn:aws:ec2:{}:{}:instance/{}",
            instance.region, instance.account, instance.id
        ),
    }
}

/// The caller's launch templates that name an image in one of their latest versions.
async fn template_references(
    conn: &mut Connection,
    caller: &Caller,
    id: &str,
    depth: u32,
) -> Result<Vec<ImageReference>> {
    let image: ImageId = describe::parse_id(id, ErrorKind::ImageIdMalformed)?;
    let referring = launch_template::referring(conn, &image, depth).await?;
    let own = |template: &LaunchTemplate| {
        template.account == caller.account && template.region == caller.region
    };
    let shown = |template: LaunchTemplate| ImageReference {
        image_id: image.clone(),
        resource_type: LAUNCH_TEMPLATE,
        arn: format!(
            "arn:aws:ec2:{}:{}:launch-template/{}",
            template.region, template.account, template.id
        ),
    };
    Ok(referring.into_iter().filter(own).map(shown).collect())
}

fn check_image_ids(ids: &[String]) -> Result<()> {
    for id in ids {
        describe::parse_id::<ImageId>(id, ErrorKind::ImageIdMalformed)?;
    }
    match ids.len() {
        0 => Err(Error::missing_parameter("ImageId")),
        1..=IMAGES_MAX => Ok(()),
        _ => {
            let message = format!("A request may name up to {IMAGES_MAX} images.");
            Err(Error::new(ErrorKind::InvalidParameterValue, message))
        }
    }
}

/// How many of the latest versions of launch templates are to be looked at; none if no templates are.
fn wished_depth(request: &DescribeImageReferences) -> Result<Option<u32>> {
    let mut wishes = request.resource_types.iter();
    match wishes.find(|wish| wish.resource_type == LAUNCH_TEMPLATE) {
        Some(wish) => depth_of(wish, REFERENCE_DEPTH).map(Some),
        None => Ok(request
            .include_all_resource_types
            .then_some(REFERENCE_DEPTH)),
    }
}

/// How many versions a wish for launch templates is about, if it does not say otherwise.
pub(crate) fn depth_of(wish: &ResourceTypeWish, default: u32) -> Result<u32> {
    let mut values = wish.options.iter().flat_map(|(_, values)| values);
    values.next_back().map_or(Ok(default), |text| depth(text))
}

/// The states of the instances that are wished for; none of them if no instances are.
fn wished_states(request: &DescribeImageReferences) -> Result<Vec<InstanceState>> {
    let wishes = &request.resource_types;
    if wishes.is_empty() && !request.include_all_resource_types {
        return Err(Error::missing_parameter(
            "ResourceType, or IncludeAllResourceTypes",
        ));
    }
    let mut states = None;
    for wish in wishes {
        check_wish(wish, KINDS)?;
        if wish.resource_type == INSTANCE {
            states = Some(states_of(wish)?);
        }
    }
    let all = || InstanceState::ALL.to_vec();
    let unnamed = if request.include_all_resource_types {
        all()
    } else {
        Vec::new()
    };
    Ok(states.unwrap_or(unnamed))
}

fn states_of(wish: &ResourceTypeWish) -> Result<Vec<InstanceState>> {
    let mut named = wish
        .options
        .iter()
        .flat_map(|(_, values)| values)
        .peekable();
    if named.peek().is_none() {
        return Ok(InstanceState::ALL.to_vec());
    }
    named
        .map(|text| text.parse().map_err(|_| invalid("optionValue", text)))
        .collect()
}

/// Checks a kind of resource and the names of its options.
pub(crate) fn check_wish(wish: &ResourceTypeWish, kinds: &[&str]) -> Result<()> {
    let kind = wish.resource_type.as_str();
    if !kinds.contains(&kind) {
        return Err(invalid("resourceType", kind));
    }
    for (name, values) in &wish.options {
        match (kind, name.as_str()) {
            (INSTANCE, "state-name") => {}
            (LAUNCH_TEMPLATE, "version-depth") => {
                values.iter().try_for_each(|text| depth(text).map(drop))?;
            }
            _ => return Err(invalid("optionName", name)),
        }
    }
    Ok(())
}

fn depth(text: &str) -> Result<u32> {
    let fits = |depth: &u32| (1..=10_000).contains(depth);
    let depth = text.parse().ok().filter(fits);
    depth.ok_or_else(|| invalid("optionValue", text))
}
