//! Changing attributes of instances.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cairn_model::{
    Instance, InstanceState, InstanceType, SecurityGroupId, instance::ShutdownBehavior,
    instance_type::Hypervisor,
};
use cairn_store::{WriteTx, instance, network_interface, security_group, volume};

use super::decoded_user_data;
use crate::{
    Caller, Control, Error, ErrorKind, Result, describe,
    launch::check_user_data,
    network::interface::chosen_groups,
    request::{DescribeAttribute, DeviceChange, InstanceIds, ModifyInstanceAttribute},
};

/// A change of an attribute.
enum Change {
    InstanceType(String),
    UserData(Option<String>),
    DisableApiTermination(bool),
    DisableApiStop(bool),
    ShutdownBehavior(ShutdownBehavior),
    SourceDestCheck(bool),
    EbsOptimized(bool),
    EnaSupport(bool),
    SriovNetSupport(String),
    Groups(Vec<String>),
    Devices(Vec<DeviceChange>),
}

impl Change {
    /// Whether the machine would have to be another for it.
    fn needs_stop(&self) -> bool {
        matches!(
            self,
            Self::InstanceType(_)
                | Self::UserData(_)
                | Self::EbsOptimized(_)
                | Self::EnaSupport(_)
                | Self::SriovNetSupport(_)
        )
    }
}

impl Control {
    /// Changes one attribute of an instance.
    pub async fn modify_instance_attribute(
        &self,
        caller: &Caller,
        request: ModifyInstanceAttribute,
    ) -> Result<()> {
        let change = change(&request)?;
        let mut tx = self.store().write().await?;
        let found = self
            .find_instance(&mut tx, caller, &request.instance_id)
            .await?;
        check_state(&found, &change)?;
        let changed = changed(&mut tx, found, change).await?;
        describe::refuse_dry_run(request.dry_run)?;
        let id = changed.id.clone();
        instance::update(&mut tx, &id, |instance| *instance = changed).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Puts an attribute back to what it is by default.
    pub async fn reset_instance_attribute(
        &self,
        caller: &Caller,
        request: DescribeAttribute,
    ) -> Result<()> {
        let mut tx = self.store().write().await?;
        let found = self.find_instance(&mut tx, caller, &request.id).await?;
        let is_check = match request.attribute.as_str() {
            "sourceDestCheck" => true,
            // Instances here have neither, as they have none by default.
            "kernel" | "ramdisk" => false,
            other => return Err(not_resettable(other)),
        };
        check_alive(&found)?;
        describe::refuse_dry_run(request.dry_run)?;
        if is_check {
            instance::update(&mut tx, &found.id, |i| i.source_dest_check = true).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Sets whether instances are monitored in detail, and returns them.
    pub async fn set_monitoring(
        &self,
        caller: &Caller,
        request: InstanceIds,
        monitoring: bool,
    ) -> Result<Vec<Instance>> {
        if request.ids.is_empty() {
            return Err(Error::missing_parameter("InstanceId"));
        }
        let mut tx = self.store().write().await?;
        let mut changed = Vec::new();
        for id in &request.ids {
            let found = self.find_instance(&mut tx, caller, id).await?;
            check_alive(&found)?;
            let now = instance::update(&mut tx, &found.id, |i| i.monitoring = monitoring).await?;
            changed.extend(now);
        }
        describe::refuse_dry_run(request.dry_run)?;
        tx.commit().await?;
        Ok(changed)
    }
}

/// The one change that a request asks for.
fn change(request: &ModifyInstanceAttribute) -> Result<Change> {
    let mut changes = typed(request)?;
    if let Some(name) = request.attribute.as_deref().filter(|name| !name.is_empty()) {
        let value = request.value.clone().unwrap_or_default();
        // A mapping has no one value: its name may stand beside it.
        if name != "blockDeviceMapping" || changes.is_empty() {
            changes.push(by_name(name, value)?);
        }
    }
    match (changes.pop(), changes.is_empty()) {
        (None, _) => Err(Error::missing_parameter("attribute")),
        (Some(change), true) => Ok(change),
        _ => Err(Error::new(
            ErrorKind::InvalidParameterCombination,
            "Fields for multiple attribute types specified: change one attribute with each call.",
        )),
    }
}

fn typed(request: &ModifyInstanceAttribute) -> Result<Vec<Change>> {
    let shutdown = request.instance_initiated_shutdown_behavior.as_deref();
    let groups = Some(request.groups.clone()).filter(|groups| !groups.is_empty());
    let devices = Some(request.block_device_mappings.clone()).filter(|all| !all.is_empty());
    let user_data = request.user_data.clone().map(user_data).transpose()?;
    let all = [
        request.instance_type.clone().map(Change::InstanceType),
        user_data.map(Change::UserData),
        request
            .disable_api_termination
            .map(Change::DisableApiTermination),
        request.disable_api_stop.map(Change::DisableApiStop),
        shutdown
            .map(behavior)
            .transpose()?
            .map(Change::ShutdownBehavior),
        request.source_dest_check.map(Change::SourceDestCheck),
        request.ebs_optimized.map(Change::EbsOptimized),
        request.ena_support.map(Change::EnaSupport),
        request
            .sriov_net_support
            .clone()
            .map(Change::SriovNetSupport),
        groups.map(Change::Groups),
        devices.map(Change::Devices),
    ];
    Ok(all.into_iter().flatten().collect())
}

fn by_name(name: &str, value: String) -> Result<Change> {
    Ok(match name {
        "instanceType" => Change::InstanceType(value),
        "userData" => Change::UserData(user_data(value)?),
        "disableApiTermination" => Change::DisableApiTermination(yes(name, &value)?),
        "disableApiStop" => Change::DisableApiStop(yes(name, &value)?),
        "instanceInitiatedShutdownBehavior" => Change::ShutdownBehavior(behavior(&value)?),
        "sourceDestCheck" => Change::SourceDestCheck(yes(name, &value)?),
        "ebsOptimized" => Change::EbsOptimized(yes(name, &value)?),
        "enaSupport" => Change::EnaSupport(yes(name, &value)?),
        "sriovNetSupport" => Change::SriovNetSupport(value),
        "kernel" | "ramdisk" => {
            return Err(Error::new(
                ErrorKind::UnsupportedOperation,
                format!("This server boots no instance by its own {name}."),
            ));
        }
        other => {
            let message = format!(
                "Value ({other}) for parameter attribute is invalid. It cannot be modified so."
            );
            return Err(Error::new(ErrorKind::InvalidParameterValue, message));
        }
    })
}

fn yes(name: &str, value: &str) -> Result<bool> {
    match value {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        other => Err(Error::new(
            ErrorKind::InvalidParameterValue,
            format!("Value ({other}) for parameter {name} is invalid. It is true or false."),
        )),
    }
}

fn behavior(text: &str) -> Result<ShutdownBehavior> {
    text.parse().map_err(|_| {
        let message =
            format!("Value ({text}) for parameter instanceInitiatedShutdownBehavior is invalid.");
        Error::new(ErrorKind::InvalidParameterValue, message)
    })
}

/// Base64 as given; nothing takes away what there was.
fn user_data(text: String) -> Result<Option<String>> {
    let bytes = decoded_user_data(Some(&text))?.unwrap_or_default();
    check_user_data(&bytes)?;
    Ok((!bytes.is_empty()).then(|| STANDARD.encode(&bytes)))
}

fn check_state(instance: &Instance, change: &Change) -> Result<()> {
    if change.needs_stop() && instance.state != InstanceState::Stopped {
        let message = format!(
            "The instance '{}' is not in the 'stopped' state.",
            instance.id
        );
        return Err(Error::new(ErrorKind::IncorrectInstanceState, message));
    }
    check_alive(instance)
}

pub(super) fn check_alive(instance: &Instance) -> Result<()> {
    match instance.state {
        InstanceState::ShuttingDown | InstanceState::Terminated => {
            Err(super::wrong_state(&instance.id, "modified"))
        }
        _ => Ok(()),
    }
}

async fn changed(tx: &mut WriteTx, mut instance: Instance, change: Change) -> Result<Instance> {
    match change {
        Change::InstanceType(name) => set_type(tx, &mut instance, &name).await?,
        Change::UserData(data) => instance.user_data = data,
        Change::DisableApiTermination(yes) => instance.disable_api_termination = yes,
        Change::DisableApiStop(yes) => instance.disable_api_stop = yes,
        Change::ShutdownBehavior(behavior) => {
            instance.instance_initiated_shutdown_behavior = behavior;
        }
        Change::SourceDestCheck(yes) => instance.source_dest_check = yes,
        Change::EbsOptimized(yes) => set_ebs_optimized(&mut instance, yes)?,
        Change::EnaSupport(yes) => set_ena_support(&mut instance, yes)?,
        Change::SriovNetSupport(value) => set_sriov(&mut instance, value)?,
        Change::Groups(ids) => instance.security_groups = groups(tx, &instance, &ids).await?,
        Change::Devices(devices) => set_devices(tx, &mut instance, &devices).await?,
    }
    Ok(instance)
}

async fn set_type(tx: &mut WriteTx, instance: &mut Instance, name: &str) -> Result<()> {
    let refuse = |kind, message: String| Err(Error::new(kind, message));
    let Some(new) = InstanceType::named(name) else {
        return refuse(
            ErrorKind::InvalidParameterValue,
            format!("Invalid value '{name}' for InstanceType."),
        );
    };
    if !(new.runs(instance.architecture) && new.boot_modes().contains(&instance.boot_mode)) {
        return refuse(
            ErrorKind::InvalidParameterCombination,
            format!(
                "The instance type '{name}' does not run the architecture '{}' and boot by '{}'.",
                instance.architecture, instance.boot_mode
            ),
        );
    }
    if new.hypervisor == Hypervisor::Nitro && !instance.ena_support {
        return refuse(
            ErrorKind::InvalidParameterCombination,
            format!(
                "Enhanced networking with the Elastic Network Adapter (ENA) is required for the '{name}' instance type."
            ),
        );
    }
    let interfaces = 1 + network_interface::list_at(tx, &instance.id).await?.len();
    if usize::try_from(new.network_interfaces).is_ok_and(|most| interfaces > most) {
        return refuse(
            ErrorKind::AttachmentLimitExceeded,
            format!("Interface count {interfaces} exceeds the limit for {name}"),
        );
    }
    instance.ebs_optimized &= new.ebs_optimized_support() != "unsupported";
    new.name.clone_into(&mut instance.instance_type);
    Ok(())
}

fn set_ebs_optimized(instance: &mut Instance, yes: bool) -> Result<()> {
    let of_type = InstanceType::named(&instance.instance_type);
    if yes && of_type.is_some_and(|t| t.ebs_optimized_support() == "unsupported") {
        let message = format!(
            "EBS-optimized instances are not supported for your requested configuration: an instance of type {} cannot be one.",
            instance.instance_type
        );
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    instance.ebs_optimized = yes;
    Ok(())
}

fn set_ena_support(instance: &mut Instance, yes: bool) -> Result<()> {
    let of_type = InstanceType::named(&instance.instance_type);
    if !yes && of_type.is_some_and(|t| t.hypervisor == Hypervisor::Nitro) {
        let message = format!(
            "The instance type '{}' needs the Elastic Network Adapter (ENA).",
            instance.instance_type
        );
        return Err(Error::new(ErrorKind::InvalidParameterCombination, message));
    }
    instance.ena_support = yes;
    Ok(())
}

fn set_sriov(instance: &mut Instance, value: String) -> Result<()> {
    if value != "simple" {
        let message =
            format!("Value ({value}) for parameter sriovNetSupport is invalid. It is 'simple'.");
        return Err(Error::new(ErrorKind::InvalidParameterValue, message));
    }
    instance.sriov_net_support = Some(value);
    Ok(())
}

async fn groups(
    tx: &mut WriteTx,
    instance: &Instance,
    ids: &[String],
) -> Result<Vec<(SecurityGroupId, String)>> {
    let mut all = security_group::list(tx, &instance.account, instance.region).await?;
    all.retain(|group| group.vpc_id == instance.vpc_id);
    chosen_groups(&all, ids)
}

/// What becomes of volumes is known to the instance and to its volumes.
async fn set_devices(
    tx: &mut WriteTx,
    instance: &mut Instance,
    changes: &[DeviceChange],
) -> Result<()> {
    for change in changes {
        let name = change.device_name.as_deref().unwrap_or_default();
        let mut devices = instance.block_devices.iter_mut();
        let device = devices.find(|device| device.device_name == name);
        let device = device.ok_or_else(|| no_device(name))?;
        let other = change.volume_id.as_deref().filter(|id| !id.is_empty());
        if other.is_some_and(|id| id != device.volume_id.as_str()) {
            return Err(no_device(name));
        }
        let Some(delete) = change.delete_on_termination else {
            continue;
        };
        device.delete_on_termination = delete;
        let at = instance.id.clone();
        volume::update(tx, &device.volume_id, |volume| {
            for attachment in &mut volume.attachments {
                attachment.delete_on_termination = if attachment.instance_id == at {
                    delete
                } else {
                    attachment.delete_on_termination
                };
            }
        })
        .await?;
    }
    Ok(())
}

fn no_device(name: &str) -> Error {
    Error::new(
        ErrorKind::InstanceAttributeValueInvalid,
        format!("No device is currently mapped at {name}"),
    )
}

fn not_resettable(name: &str) -> Error {
    let message = format!(
        "Value ({name}) for parameter attribute is invalid. It is kernel, ramdisk or sourceDestCheck."
    );
    Error::new(ErrorKind::InvalidParameterValue, message)
}
