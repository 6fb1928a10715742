//! Who may launch an image, and what else of it can be changed.

use cairn_model::{
    AccountId, Image, Permissions,
    image::life::ImageEvent,
    permission::{EVERYBODY, is_organization, is_organizational_unit},
};
use cairn_store::{Connection, image as images, setting, snapshot as snapshots};

use crate::{
    Caller, Control, Error, ErrorKind, Result, describe,
    image::{check_takes, find, find_usable, invalid},
    image_settings::{ImageBlockPublicAccess, PublicAccess},
    keys::verbs::is_under_ebs_key,
    request::{ById, Grantees, ModifyImageAttribute, ResetImageAttribute},
    snapshot,
};

/// The attribute of those that may launch an image.
const LAUNCH_PERMISSION: &str = "launchPermission";

impl Control {
    /// Changes one attribute of an image: whom it lets in, its description, or its IMDS support.
    pub async fn modify_image_attribute(
        &self,
        caller: &Caller,
        request: ModifyImageAttribute,
    ) -> Result<()> {
        let change = Change::read(&request)?;
        let mut tx = self.store().write().await?;
        let image = find(&mut tx, caller, &request.image_id, self.now()).await?;
        change.check(&mut tx, caller, &image).await?;
        describe::refuse_dry_run(request.dry_run)?;
        images::update(&mut tx, &image.id, |image| change.apply(image)).await?;
        Ok(tx.commit().await?)
    }

    /// Lets nobody but its owner launch an image.
    pub async fn reset_image_attribute(
        &self,
        caller: &Caller,
        request: ResetImageAttribute,
    ) -> Result<()> {
        if request.attribute != LAUNCH_PERMISSION {
            return Err(invalid("attribute", &request.attribute));
        }
        let mut tx = self.store().write().await?;
        let image = find(&mut tx, caller, &request.image_id, self.now()).await?;
        describe::refuse_dry_run(request.dry_run)?;
        images::update(&mut tx, &image.id, |image| {
            image.launch_permissions = Permissions::default();
        })
        .await?;
        Ok(tx.commit().await?)
    }

    /// Takes the caller's account from those that may launch another's image.
    pub async fn cancel_image_launch_permission(
        &self,
        caller: &Caller,
        request: ById,
    ) -> Result<()> {
        let mut tx = self.store().write().await?;
        let image = find_usable(&mut tx, caller, &request.id, self.now()).await?;
        if !image.launch_permissions.accounts.contains(&caller.account) {
            let message = format!(
                "The image '{}' is not shared with account {} by its number.",
                image.id, caller.account
            );
            return Err(Error::new(ErrorKind::OperationNotPermitted, message));
        }
        describe::refuse_dry_run(request.dry_run)?;
        images::update(&mut tx, &image.id, |image| {
            image.launch_permissions.accounts.remove(&caller.account);
        })
        .await?;
        Ok(tx.commit().await?)
    }
}

/// What a ModifyImageAttribute is about.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    Description(String),
    ImdsSupport,
    Permissions {
        add: Permissions,
        remove: Permissions,
    },
}

impl Change {
    fn read(request: &ModifyImageAttribute) -> Result<Self> {
        let attribute = request.attribute.as_deref().filter(|name| !name.is_empty());
        let mut changes = Vec::new();
        changes.extend(description(request, attribute)?);
        changes.extend(imds_support(request, attribute)?);
        changes.extend(permissions(request)?);
        if changes.len() > 1 {
            let message = "The parameters of a request may change one attribute of an image only.";
            return Err(Error::new(ErrorKind::InvalidParameterCombination, message));
        }
        let change = changes.pop().ok_or_else(|| nothing(attribute))?;
        match attribute {
            Some(name) if name != change.attribute() => Err(mismatch(name)),
            _ => Ok(change),
        }
    }

    const fn attribute(&self) -> &'static str {
        match self {
            Self::Description(_) => "description",
            Self::ImdsSupport => "imdsSupport",
            Self::Permissions { .. } => LAUNCH_PERMISSION,
        }
    }

    async fn check(&self, conn: &mut Connection, caller: &Caller, image: &Image) -> Result<()> {
        let Self::Permissions { add, .. } = self else {
            return Ok(());
        };
        if add.is_private() {
            return Ok(());
        }
        check_takes(image, ImageEvent::Share, "shared")?;
        refuse_default_key(conn, image).await?;
        match add.public && !image.launch_permissions.public {
            true => check_can_be_public(conn, caller, image).await,
            false => Ok(()),
        }
    }

    fn apply(&self, image: &mut Image) {
        match self {
            Self::Description(text) => {
                image.description = Some(text.clone()).filter(|t| !t.is_empty());
            }
            Self::ImdsSupport => image.imds_support = Some("v2.0".to_owned()),
            Self::Permissions { add, remove } => {
                image.launch_permissions.add(add);
                image.launch_permissions.remove(remove);
            }
        }
    }
}

fn description(request: &ModifyImageAttribute, attribute: Option<&str>) -> Result<Option<Change>> {
    let of_value = request
        .value
        .as_ref()
        .filter(|_| attribute == Some("description"));
    let Some(text) = request.description.as_ref().or(of_value) else {
        return Ok(None);
    };
    snapshot::check_description(text)?;
    Ok(Some(Change::Description(text.clone())))
}

/// It can be switched on and never off, as on EC2.
fn imds_support(request: &ModifyImageAttribute, attribute: Option<&str>) -> Result<Option<Change>> {
    let of_value = request
        .value
        .as_ref()
        .filter(|_| attribute == Some("imdsSupport"));
    match request
        .imds_support
        .as_ref()
        .or(of_value)
        .map(String::as_str)
    {
        None => Ok(None),
        Some("v2.0") => Ok(Some(Change::ImdsSupport)),
        Some(other) => Err(invalid("imdsSupport", other)),
    }
}

/// Both forms, which some clients send together.
fn permissions(request: &ModifyImageAttribute) -> Result<Option<Change>> {
    let named = &request.grantees;
    let operation = request
        .operation_type
        .as_deref()
        .filter(|text| !text.is_empty());
    let listed = request.launch_permission.as_ref();
    if operation.is_none() && listed.is_none() && *named == Grantees::default() {
        return Ok(None);
    }
    let (mut add, mut remove) = match listed {
        Some((add, remove)) => (granted(add)?, granted(remove)?),
        None => <(Permissions, Permissions)>::default(),
    };
    match operation {
        Some("remove") => remove.add(&granted(named)?),
        Some("add") => add.add(&granted(named)?),
        Some(other) => return Err(invalid("operationType", other)),
        None if listed.is_none() => return Err(Error::missing_parameter("operationType")),
        None => add.add(&granted(named)?),
    }
    if add.is_private() && remove.is_private() {
        return Err(Error::missing_parameter("userId"));
    }
    Ok(Some(Change::Permissions { add, remove }))
}

/// Those that a request names, each of them checked.
fn granted(named: &Grantees) -> Result<Permissions> {
    let mut permissions = Permissions::default();
    for id in &named.user_ids {
        let account: AccountId = id.parse().map_err(|_| no_item(id, "userId"))?;
        permissions.accounts.insert(account);
    }
    for group in &named.user_groups {
        match group == EVERYBODY {
            true => permissions.public = true,
            false => return Err(no_item(group, "group")),
        }
    }
    for arn in &named.organization_arns {
        match is_organization(arn) {
            true => permissions.organizations.insert(arn.clone()),
            false => return Err(no_item(arn, "organizationArn")),
        };
    }
    for arn in &named.organizational_unit_arns {
        match is_organizational_unit(arn) {
            true => permissions.organizational_units.insert(arn.clone()),
            false => return Err(no_item(arn, "organizationalUnitArn")),
        };
    }
    Ok(permissions)
}

async fn check_can_be_public(conn: &mut Connection, caller: &Caller, image: &Image) -> Result<()> {
    let set: ImageBlockPublicAccess = setting::get(conn, &caller.account, caller.region).await?;
    if set.state == PublicAccess::BlockNewSharing {
        let message = "You can't publicly share this image because block public access for AMIs is enabled in this Region. Disable it with DisableImageBlockPublicAccess first.";
        return Err(Error::new(ErrorKind::OperationNotPermitted, message));
    }
    if image
        .ebs_devices()
        .any(|(_, ebs)| ebs.encrypted == Some(true))
    {
        let message = format!(
            "The image '{}' has encrypted snapshots, and cannot be made public.",
            image.id
        );
        return Err(Error::new(ErrorKind::OperationNotPermitted, message));
    }
    Ok(())
}

/// Nobody else can use the key behind `alias/aws/ebs`, so nobody else could launch the image.
async fn refuse_default_key(conn: &mut Connection, image: &Image) -> Result<()> {
    for id in image.snapshot_ids() {
        let found = snapshots::get(conn, id).await?;
        let arn = found.and_then(|snapshot| snapshot.kms_key_id);
        if is_under_ebs_key(conn, arn.as_deref()).await? {
            let message = format!(
                "The snapshot '{id}' of image '{}' is encrypted with the AWS managed key of the account, and cannot be shared.",
                image.id
            );
            return Err(Error::new(ErrorKind::OperationNotPermitted, message));
        }
    }
    Ok(())
}

fn no_item(value: &str, item: &str) -> Error {
    let message = format!("Invalid attribute item value \"{value}\" for {item} item type.");
    Error::new(ErrorKind::ImageAttributeItemInvalid, message)
}

fn nothing(attribute: Option<&str>) -> Error {
    match attribute {
        None | Some("description" | "imdsSupport" | LAUNCH_PERMISSION) => {
            Error::missing_parameter("launchPermission, description or imdsSupport")
        }
        Some(name) => invalid("attribute", name),
    }
}

fn mismatch(attribute: &str) -> Error {
    let message =
        format!("The parameter attribute is {attribute}, and the values are of another one.");
    Error::new(ErrorKind::InvalidParameterCombination, message)
}
