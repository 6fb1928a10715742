//! Who besides its owner may use a snapshot, and an account's block of public access.

use std::collections::BTreeSet;

use cairn_model::{
    AccountId, Permissions, Region, Snapshot, SnapshotBlock, Viewer, permission::EVERYBODY,
};
use cairn_store::{
    Connection, WriteTx,
    setting::{self, Setting},
    snapshot,
};
use serde::{Deserialize, Serialize};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    answer::{SnapshotAttribute, SnapshotAttributeValue},
    describe::{parse_id, refuse_dry_run},
    keys::verbs::is_under_ebs_key,
    record,
    request::{EnableSnapshotBlock, Grantee, ModifySnapshotAttribute, SnapshotAttributeRequest},
    snapshot::find,
};

/// The attribute that can be changed.
const PERMISSION: &str = "createVolumePermission";

/// What an account has set of public access to its snapshots in a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PublicAccess {
    state: SnapshotBlock,
}

impl Default for PublicAccess {
    fn default() -> Self {
        Self {
            state: SnapshotBlock::Unblocked,
        }
    }
}

impl Setting for PublicAccess {
    const NAME: &'static str = "snapshot-block-public-access";
}

impl Control {
    /// One attribute of a snapshot.
    pub async fn describe_snapshot_attribute(
        &self,
        caller: &Caller,
        request: SnapshotAttributeRequest,
    ) -> Result<SnapshotAttribute> {
        let mut read = self.store().read().await?;
        let snapshot = find(&mut read, caller, &request.snapshot_id).await?;
        let value = match request.attribute.as_str() {
            PERMISSION => {
                SnapshotAttributeValue::CreateVolumePermission(snapshot.create_volume_permissions)
            }
            "productCodes" => SnapshotAttributeValue::ProductCodes,
            other => return Err(no_attribute(other)),
        };
        refuse_dry_run(request.dry_run)?;
        Ok(SnapshotAttribute {
            snapshot_id: snapshot.id,
            value,
        })
    }

    /// Lets others use a snapshot, or no more. All of it, or nothing; whoever is let in already, or
    /// was not, makes no difference.
    pub async fn modify_snapshot_attribute(
        &self,
        caller: &Caller,
        request: ModifySnapshotAttribute,
    ) -> Result<()> {
        let mut tx = self.store().write().await?;
        let snapshot = find(&mut tx, caller, &request.snapshot_id).await?;
        let change = Change::read(&request)?;
        let wanted = change.made_to(&snapshot.create_volume_permissions);
        if change.adds() {
            check_shareable(&mut tx, &snapshot, &change).await?;
        }
        refuse_dry_run(request.dry_run)?;
        self.put_permissions(tx, &snapshot, wanted).await
    }

    /// Makes a snapshot private again.
    pub async fn reset_snapshot_attribute(
        &self,
        caller: &Caller,
        request: SnapshotAttributeRequest,
    ) -> Result<()> {
        let mut tx = self.store().write().await?;
        let snapshot = find(&mut tx, caller, &request.snapshot_id).await?;
        if request.attribute != PERMISSION {
            return Err(no_attribute(&request.attribute));
        }
        refuse_dry_run(request.dry_run)?;
        self.put_permissions(tx, &snapshot, Permissions::default())
            .await
    }

    async fn put_permissions(
        &self,
        mut tx: WriteTx,
        snapshot: &Snapshot,
        wanted: Permissions,
    ) -> Result<()> {
        if snapshot.create_volume_permissions == wanted {
            return Ok(());
        }
        snapshot::update(&mut tx, &snapshot.id, |snapshot| {
            snapshot.create_volume_permissions = wanted;
        })
        .await?;
        record::enqueue(self, &mut tx, snapshot.region, &snapshot.id).await?;
        tx.commit().await?;
        self.wake_jobs();
        Ok(())
    }

    /// Has public access to the caller's snapshots in the region blocked: all of it, or new one.
    pub async fn enable_snapshot_block_public_access(
        &self,
        caller: &Caller,
        request: EnableSnapshotBlock,
    ) -> Result<SnapshotBlock> {
        let state = match request.state.parse() {
            Ok(state) if state != SnapshotBlock::Unblocked => state,
            _ => return Err(no_block(&request.state)),
        };
        refuse_dry_run(request.dry_run)?;
        self.block_snapshots(caller, state).await
    }

    /// Ends the block: what was public before is so again.
    pub async fn disable_snapshot_block_public_access(
        &self,
        caller: &Caller,
        dry_run: bool,
    ) -> Result<SnapshotBlock> {
        refuse_dry_run(dry_run)?;
        self.block_snapshots(caller, SnapshotBlock::Unblocked).await
    }

    /// What public access to the caller's snapshots in the region is blocked.
    pub async fn snapshot_block_public_access(
        &self,
        caller: &Caller,
        dry_run: bool,
    ) -> Result<SnapshotBlock> {
        refuse_dry_run(dry_run)?;
        let mut read = self.store().read().await?;
        block_of(&mut read, &caller.account, caller.region).await
    }

    async fn block_snapshots(
        &self,
        caller: &Caller,
        state: SnapshotBlock,
    ) -> Result<SnapshotBlock> {
        let mut tx = self.store().write().await?;
        let wanted = PublicAccess { state };
        setting::put(&mut tx, &caller.account, caller.region, &wanted).await?;
        tx.commit().await?;
        Ok(state)
    }
}

async fn block_of(
    conn: &mut Connection,
    account: &AccountId,
    region: Region,
) -> Result<SnapshotBlock> {
    let set: PublicAccess = setting::get(conn, account, region).await?;
    Ok(set.state)
}

/// The accounts that hide their public snapshots in a region.
#[derive(Debug, Default)]
pub(crate) struct Blocks(BTreeSet<AccountId>);

impl Blocks {
    pub(crate) async fn read(conn: &mut Connection, region: Region) -> Result<Self> {
        let set: Vec<(AccountId, PublicAccess)> = setting::list(conn, region).await?;
        let hide = |set: &(_, PublicAccess)| set.1.state == SnapshotBlock::BlockAllSharing;
        let accounts = set.into_iter().filter(hide).map(|(account, _)| account);
        Ok(Self(accounts.collect()))
    }

    /// Those that matter to some snapshots of the region: of none, if none of them is public.
    pub(crate) async fn about<'a>(
        conn: &mut Connection,
        region: Region,
        mut snapshots: impl Iterator<Item = &'a Snapshot>,
    ) -> Result<Self> {
        match snapshots.any(|snapshot| snapshot.create_volume_permissions.public) {
            true => Self::read(conn, region).await,
            false => Ok(Self::default()),
        }
    }

    /// Whom a snapshot in the region lets in now: nobody just for being anybody, if its owner blocks that.
    pub(crate) fn effective(&self, snapshot: &Snapshot) -> Permissions {
        let mut permissions = snapshot.create_volume_permissions.clone();
        permissions.public &= !self.0.contains(&snapshot.account);
        permissions
    }
}

/// Whether an account may make volumes of a snapshot: its owner, and whoever was let in.
pub(crate) fn is_usable(viewer: &Viewer, snapshot: &Snapshot, blocks: &Blocks) -> bool {
    snapshot.account == viewer.account || blocks.effective(snapshot).let_in(viewer)
}

/// Whom to let in, or no more.
#[derive(Debug, Default)]
struct Change {
    add: Permissions,
    remove: Permissions,
}

impl Change {
    fn read(request: &ModifySnapshotAttribute) -> Result<Self> {
        if let Some(other) = request
            .attribute
            .as_deref()
            .filter(|name| *name != PERMISSION)
        {
            return Err(no_attribute(other));
        }
        let lists = of_lists(&request.user_ids, &request.group_names)?;
        let change = Self {
            add: of_items(&request.add)?,
            remove: of_items(&request.remove)?,
        };
        match (request.operation_type.as_deref(), lists.is_private()) {
            (None, true) => change.checked(),
            (Some(operation), false) if change.is_empty() => Self::by_name(operation, lists),
            (None, false) => Err(Error::missing_parameter("operationType")),
            (Some(_), true) if change.is_empty() => {
                Err(Error::missing_parameter("userId or userGroup"))
            }
            (Some(_), _) => Err(combination(
                "OperationType, UserIds and GroupNames cannot be used together with CreateVolumePermission.",
            )),
        }
    }

    fn by_name(operation: &str, grantees: Permissions) -> Result<Self> {
        match operation {
            "add" => Ok(Self {
                add: grantees,
                ..Self::default()
            }),
            "remove" => Ok(Self {
                remove: grantees,
                ..Self::default()
            }),
            other => Err(invalid(format!(
                "Value ({other}) for parameter operationType is invalid. It is add or remove."
            ))),
        }
    }

    fn checked(self) -> Result<Self> {
        match (self.add.is_private(), self.remove.is_private()) {
            (true, true) => Err(Error::missing_parameter("createVolumePermission")),
            (false, false) => Err(combination(
                "A request can either add or remove permissions, not both.",
            )),
            _ => Ok(self),
        }
    }

    fn is_empty(&self) -> bool {
        self.add.is_private() && self.remove.is_private()
    }

    fn adds(&self) -> bool {
        !self.add.is_private()
    }

    fn made_to(&self, old: &Permissions) -> Permissions {
        let mut new = old.clone();
        new.add(&self.add);
        new.remove(&self.remove);
        new
    }
}

fn of_lists(user_ids: &[String], groups: &[String]) -> Result<Permissions> {
    let mut permissions = Permissions::default();
    for id in user_ids {
        add_user(&mut permissions, id)?;
    }
    for name in groups {
        add_group(&mut permissions, name)?;
    }
    Ok(permissions)
}

fn of_items(items: &[Grantee]) -> Result<Permissions> {
    let mut permissions = Permissions::default();
    for item in items {
        match (&item.user_id, &item.group) {
            (Some(id), None) => add_user(&mut permissions, id)?,
            (None, Some(name)) => add_group(&mut permissions, name)?,
            _ => {
                return Err(combination(
                    "Each permission names either a UserId or a Group.",
                ));
            }
        }
    }
    Ok(permissions)
}

fn add_user(permissions: &mut Permissions, id: &str) -> Result<()> {
    let account = parse_id(id, ErrorKind::UserIdMalformed)?;
    permissions.accounts.insert(account);
    Ok(())
}

fn add_group(permissions: &mut Permissions, name: &str) -> Result<()> {
    if name != EVERYBODY {
        let text = format!(
            "Value ({name}) for parameter userGroup is invalid. The only group is '{EVERYBODY}'."
        );
        return Err(invalid(text));
    }
    permissions.public = true;
    Ok(())
}

/// Refuses to let in whom nobody may be let in to.
async fn check_shareable(tx: &mut WriteTx, snapshot: &Snapshot, change: &Change) -> Result<()> {
    if change.add.public && snapshot.encrypted {
        return Err(not_permitted(
            "Encrypted snapshots cannot be shared publicly.",
        ));
    }
    if is_under_ebs_key(tx, snapshot.kms_key_id.as_deref()).await? {
        return Err(not_permitted(
            "Encrypted snapshots with EBS default key cannot be shared.",
        ));
    }
    let block = block_of(tx, &snapshot.account, snapshot.region).await?;
    if change.add.public && block != SnapshotBlock::Unblocked {
        let text = format!(
            "Public sharing of snapshots is blocked in this region ({block}): see DisableSnapshotBlockPublicAccess."
        );
        return Err(Error::new(ErrorKind::OperationNotPermitted, text));
    }
    Ok(())
}

fn no_attribute(name: &str) -> Error {
    invalid(format!(
        "Value ({name}) for parameter attribute is invalid. Unknown attribute, or one that cannot be changed."
    ))
}

fn no_block(state: &str) -> Error {
    invalid(format!(
        "Value ({state}) for parameter state is invalid. It is block-all-sharing or block-new-sharing."
    ))
}

fn invalid(text: String) -> Error {
    Error::new(ErrorKind::InvalidParameterValue, text)
}

fn combination(text: &str) -> Error {
    Error::new(ErrorKind::InvalidParameterCombination, text)
}

fn not_permitted(text: &str) -> Error {
    Error::new(ErrorKind::OperationNotPermitted, text)
}
