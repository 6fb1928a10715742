//! EC2's Query dialect, as far as commands need it.

use std::fmt::Write as _;

use ::http::Method;
use percent_encoding::utf8_percent_encode;

use super::http::{CallError, Client, ENCODED, Request};

/// A snapshot, as far as commands look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SnapshotStatus {
    /// `pending`, `completed` or `error`.
    pub(crate) state: String,
    /// Why, if it is `error`.
    pub(crate) message: Option<String>,
}

/// What RegisterImage is asked for.
#[derive(Clone, Debug)]
pub(crate) struct NewImage<'a> {
    /// Name.
    pub(crate) name: &'a str,
    /// Description.
    pub(crate) description: Option<&'a str>,
    /// Architecture, as EC2 spells it.
    pub(crate) architecture: &'a str,
    /// Boot mode, as EC2 spells it.
    pub(crate) boot_mode: Option<&'a str>,
    /// Device name of the root volume.
    pub(crate) root_device_name: &'a str,
    /// Its snapshot.
    pub(crate) snapshot_id: &'a str,
}

/// The state of a snapshot, or none if there is no such snapshot.
pub(crate) async fn describe_snapshot(
    client: &Client,
    id: &str,
) -> Result<Option<SnapshotStatus>, CallError> {
    let body = match call(client, "DescribeSnapshots", &[("SnapshotId.1", id)], true).await {
        Err(CallError::Refused(refusal)) if refusal.code == "InvalidSnapshot.NotFound" => {
            return Ok(None);
        }
        outcome => outcome?,
    };
    let document = parse(&body)?;
    Ok(elements(&document, "snapshotSet")
        .next()
        .map(|item| SnapshotStatus {
            state: text(item, "status").unwrap_or_default(),
            message: text(item, "statusMessage"),
        }))
}

/// Deletes a snapshot, pending ones too. One that is gone is deleted.
pub(crate) async fn delete_snapshot(client: &Client, id: &str) -> Result<(), CallError> {
    match call(client, "DeleteSnapshot", &[("SnapshotId", id)], true).await {
        Err(CallError::Refused(refusal)) if refusal.code == "InvalidSnapshot.NotFound" => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// Deregisters an image; its snapshots stay.
pub(crate) async fn deregister_image(client: &Client, id: &str) -> Result<(), CallError> {
    call(client, "DeregisterImage", &[("ImageId", id)], true)
        .await
        .map(drop)
}

/// The caller's image of a name, if it is made of this snapshot.
pub(crate) async fn image_of(
    client: &Client,
    name: &str,
    snapshot: &str,
) -> Result<Option<String>, CallError> {
    let found = own_image(client, name).await?;
    let ours = found.filter(|(_, snapshots)| snapshots.iter().any(|id| id == snapshot));
    Ok(ours.map(|(id, _)| id))
}

/// The caller's image of a name, with the snapshots it is made of.
pub(crate) async fn own_image(
    client: &Client,
    name: &str,
) -> Result<Option<(String, Vec<String>)>, CallError> {
    let pattern = literal(name);
    let parameters = [
        ("Owner.1", "self"),
        ("Filter.1.Name", "name"),
        ("Filter.1.Value.1", &pattern),
    ];
    let body = call(client, "DescribeImages", &parameters, true).await?;
    let document = parse(&body)?;
    let image = elements(&document, "imagesSet").next();
    Ok(image.and_then(|image| {
        let snapshots = image
            .descendants()
            .filter(|node| node.tag_name().name() == "snapshotId");
        Some((
            text(image, "imageId")?,
            snapshots
                .filter_map(|node| node.text())
                .map(str::to_owned)
                .collect(),
        ))
    }))
}

/// Registers an image of one snapshot.
///
/// The call has no client token, so that it is not known whether a request that got no answer
/// registered the image: then the image is looked for by its name.
pub(crate) async fn register_image(
    client: &Client,
    image: &NewImage<'_>,
) -> Result<String, CallError> {
    let outcome = call(client, "RegisterImage", &register_parameters(image), false).await;
    let body = match outcome {
        Err(CallError::Lost(cause)) => {
            let found = image_of(client, image.name, image.snapshot_id).await?;
            return found.ok_or(CallError::Lost(cause));
        }
        outcome => outcome?,
    };
    let document = parse(&body)?;
    text(document.root_element(), "imageId").ok_or_else(|| strange("RegisterImage", &body))
}

fn register_parameters<'a>(image: &NewImage<'a>) -> Vec<(&'static str, &'a str)> {
    let mut parameters = vec![
        ("Name", image.name),
        ("Architecture", image.architecture),
        ("VirtualizationType", "hvm"),
        ("EnaSupport", "true"),
        ("RootDeviceName", image.root_device_name),
        ("BlockDeviceMapping.1.DeviceName", image.root_device_name),
        ("BlockDeviceMapping.1.Ebs.SnapshotId", image.snapshot_id),
        ("BlockDeviceMapping.1.Ebs.VolumeType", "gp3"),
        ("BlockDeviceMapping.1.Ebs.DeleteOnTermination", "true"),
    ];
    parameters.extend(
        image
            .description
            .map(|description| ("Description", description)),
    );
    parameters.extend(image.boot_mode.map(|mode| ("BootMode", mode)));
    parameters
}

/// The address and port of this machine that lead to an instance's port 22, or none if the
/// instance has none now.
pub(crate) async fn ssh_address(
    client: &Client,
    instance: &str,
) -> Result<Option<String>, CallError> {
    let body = call(
        client,
        "DescribeInstances",
        &[("InstanceId.1", instance)],
        true,
    )
    .await?;
    let document = parse(&body)?;
    let tags = document
        .descendants()
        .filter(|node| node.tag_name().name() == "tagSet");
    let tag = tags
        .flat_map(|set| set.children())
        .find(|item| text(*item, "key").as_deref() == Some("aws:cairn:ssh"));
    Ok(tag.and_then(|item| text(item, "value")))
}

/// Sends one action and gives the answer's XML.
async fn call(
    client: &Client,
    action: &str,
    parameters: &[(&str, &str)],
    repeatable: bool,
) -> Result<String, CallError> {
    let mut form = format!("Action={action}&Version=2016-11-15");
    for (name, value) in parameters {
        // Writing to a String cannot fail.
        let _ = write!(form, "&{name}={}", utf8_percent_encode(value, ENCODED));
    }
    let mut request = Request::new("ec2", Method::POST, "/")
        .body("application/x-www-form-urlencoded; charset=utf-8", form);
    request.repeatable = repeatable;
    let answer = client.send(&request).await?;
    String::from_utf8(answer.body.into()).map_err(|_| strange(action, "bytes that are no text"))
}

fn parse(body: &str) -> Result<roxmltree::Document<'_>, CallError> {
    roxmltree::Document::parse(body)
        .map_err(|cause| CallError::Lost(format!("the answer is no XML: {cause}")))
}

fn strange(action: &str, answer: &str) -> CallError {
    CallError::Lost(format!(
        "cannot make sense of the answer to {action}: {answer}"
    ))
}

/// The items of a list.
fn elements<'a>(
    document: &'a roxmltree::Document<'a>,
    list: &'a str,
) -> impl Iterator<Item = roxmltree::Node<'a, 'a>> {
    let lists = document
        .root_element()
        .children()
        .filter(move |node| node.tag_name().name() == list);
    lists
        .flat_map(|node| node.children())
        .filter(|node| node.tag_name().name() == "item")
}

/// The text of a child element, unless there is none.
fn text(node: roxmltree::Node<'_, '_>, name: &str) -> Option<String> {
    let child = node
        .children()
        .find(|child| child.tag_name().name() == name)?;
    child
        .text()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// A filter value that matches only itself.
fn literal(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            matches!(c, '*' | '?' | '\\')
                .then_some('\\')
                .into_iter()
                .chain([c])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_special_characters_matches_only_itself() {
        assert_eq!(literal("a*b?c\\d"), "a\\*b\\?c\\\\d");
        assert_eq!(literal("plain (1)"), "plain (1)");
    }

    #[test]
    fn lists_and_their_members_are_found_whatever_the_namespace() {
        let body = "<R xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><snapshotSet><item><status>error</status>\
                    <statusMessage>lost</statusMessage></item></snapshotSet></R>";
        let document = parse(body).unwrap();
        let item = elements(&document, "snapshotSet").next().unwrap();
        assert_eq!(text(item, "status").as_deref(), Some("error"));
        assert_eq!(text(item, "nothing"), None);
    }
}
