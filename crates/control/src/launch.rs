//! Launching instances.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::Ipv4Addr,
};

use cairn_model::{
    Attachment, AttachmentState, BlockDeviceMapping, Image, Instance, InstanceId, InstanceState,
    InstanceType, KeyPair, KmsKey, NetworkInterfaceId, ReservationId, ResourceType, SecurityGroup,
    SecurityGroupId, Snapshot, SnapshotId, Subnet, Tags, TagsByType, Timestamp, Volume, VolumeId,
    VolumeState,
    instance::{InstanceBlockDevice, ShutdownBehavior},
    launch::{LaunchError, LaunchPlan, MetadataRequest, PlannedVolume, plan_launch},
    network::{Cidr, new_mac_address},
    tag,
    volume::IoPolicy,
};
use cairn_store::{
    Connection, WriteTx, image as images, instance, network as networks,
    security_group as security_groups, snapshot as snapshots, volume,
};
use cairn_vmm as vmm;
use serde::{Deserialize, Serialize};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    answer::Reservation,
    describe,
    engine::Content,
    image,
    instance::{
        decoded_user_data, in_state,
        metadata::{check_enforced, with_defaults},
        profile,
    },
    jobs::{self, Failure, Job, Next},
    key_pair,
    keys::verbs::Wish as KeyWish,
    launch_template, mapping, network, place,
    request::{MetadataOptionsRequest, RunInstances},
    snapshot,
    token::Idempotency,
    volume as volumes,
};

/// The greatest number of instances in one launch: the `max-instances` of an account.
const INSTANCES_MAX: i32 = 20;

/// Stands for the image of a launch that was made before.
const ALREADY_LAUNCHED: &str = "ami-00000000";

/// What a launch makes that can carry tags.
pub(crate) const TAGGABLE: &[ResourceType] = &[
    ResourceType::Instance,
    ResourceType::NetworkInterface,
    ResourceType::Volume,
];

/// The greatest size of user data, decoded, in bytes.
const USER_DATA_MAX: usize = 16 << 10;

impl Control {
    /// Launches instances of an image. They are `pending` when this returns, with their volumes and
    /// addresses, and running once their machines have started.
    pub async fn run_instances(
        &self,
        caller: &Caller,
        request: RunInstances,
    ) -> Result<Reservation> {
        let asked = &request;
        let token = asked.client_token.as_deref();
        let idempotency = Idempotency::of(caller, "RunInstances", token, asked)?;
        let (request, template_tags) = self.with_template(caller, asked, &idempotency).await?;
        let wish = Wish::read(&request)?;
        let has_room = self.engine().has_room(caller.region).await?;
        let keys = self
            .launch_keys(caller, &request, &wish, &idempotency)
            .await?;

        let mut tx = self.store().write().await?;
        if let Some(id) = idempotency.known(&mut tx).await? {
            describe::refuse_dry_run(request.dry_run)?;
            return self.reservation(&mut tx, caller, &id).await;
        }
        let launch = Launch {
            keys,
            template_tags,
            ..Launch::prepare(&mut tx, caller, &request, wish, self.now()).await?
        };
        self.check_can_run(&launch)?;
        let addresses = launch.addresses(&mut tx, &request).await?;
        check_machines_can_have(&addresses, &launch.subnet)?;
        for planned in &launch.plan.volumes {
            self.check_fits(caller.region, planned.shape.size_gib)
                .await?;
        }
        if !has_room {
            return Err(volumes::no_room());
        }
        describe::refuse_dry_run(request.dry_run)?;
        let reservation_id = ReservationId::generate(self.entropy());
        let mut instances = Vec::new();
        for (index, address) in (0..).zip(addresses) {
            let new = launch.instance(self, caller, &request, &reservation_id, index, address);
            instances.push(self.record_launch(&mut tx, &launch, new).await?);
        }
        let now = self.stamp();
        images::update(&mut tx, &launch.image.id, |image| {
            image.last_launched_time = Some(now);
        })
        .await?;
        idempotency
            .record(&mut tx, reservation_id.as_str(), self.now())
            .await?;
        tx.commit().await?;
        self.wake_jobs();
        Ok(Reservation {
            id: reservation_id,
            account: caller.account.clone(),
            instances,
        })
    }

    /// The request with what its template says. One that was made before is what it was: its template may
    /// be gone.
    async fn with_template(
        &self,
        caller: &Caller,
        request: &RunInstances,
        idempotency: &Idempotency<'_>,
    ) -> Result<(RunInstances, Tags)> {
        let conn = &mut *self.store().read().await?;
        let resolved = launch_template::resolved(conn, caller, request).await;
        match resolved {
            Err(_) if idempotency.known(conn).await?.is_some() => Ok((
                RunInstances {
                    image_id: Some(ALREADY_LAUNCHED.to_owned()),
                    ..request.clone()
                },
                Tags::new(),
            )),
            other => other,
        }
    }

    /// The keys that the volumes of a launch are kept under, by device name. A launch that cannot be, or
    /// that was made before, is left to those who find that out in the transaction.
    async fn launch_keys(
        &self,
        caller: &Caller,
        request: &RunInstances,
        wish: &Wish,
        idempotency: &Idempotency<'_>,
    ) -> Result<HashMap<String, KmsKey>> {
        let mut keys = HashMap::new();
        let mut sources = Vec::new();
        {
            let mut read = self.store().read().await?;
            if idempotency.known(&mut read).await?.is_some() {
                return Ok(keys);
            }
            let launch =
                Launch::prepare(&mut read, caller, request, wish.clone(), self.now()).await;
            let Ok(launch) = launch else {
                return Ok(keys);
            };
            for planned in &launch.plan.volumes {
                let source = match &planned.snapshot_id {
                    Some(id) => Some(source(&mut read, caller, &launch.image, id).await?),
                    None => None,
                };
                sources.push((planned.clone(), source));
            }
        }
        for (planned, source) in &sources {
            let wish = KeyWish {
                encrypted: planned.encrypted,
                key: planned.kms_key_id.as_deref(),
                source: source.as_ref(),
                dry_run: request.dry_run,
            };
            if let Some(key) = self.key_for(caller, wish).await? {
                keys.insert(planned.device_name.clone(), key);
            }
        }
        Ok(keys)
    }

    /// Refuses machines that this host has no programs for, by the name of what is missing.
    fn check_can_run(&self, launch: &Launch) -> Result<()> {
        let (architecture, boot_mode) = (launch.image.architecture, launch.plan.boot_mode);
        let can_run = self.room().check_can_run(architecture, boot_mode);
        can_run.map_err(|missing| {
            let message = format!(
                "This server cannot run instances of architecture {architecture} that boot by {boot_mode}: {missing}."
            );
            Error::new(ErrorKind::Unsupported, message)
        })
    }

    /// An earlier launch, as it is now. There is nothing to give of one that has been terminated:
    /// its client would wait for it to run.
    async fn reservation(
        &self,
        conn: &mut Connection,
        caller: &Caller,
        id: &str,
    ) -> Result<Reservation> {
        let id: ReservationId = id.parse().map_err(Error::internal)?;
        let instances = instance::list_reservation(conn, &id).await?;
        let is_over = |instance: &Instance| instance.state == InstanceState::Terminated;
        if instances.iter().all(is_over) {
            return Err(Error::new(
                ErrorKind::IdempotentInstanceTerminated,
                "The client token is that of an earlier launch, whose instances have been terminated. Use another token to launch new ones.",
            ));
        }
        Ok(Reservation {
            id,
            account: caller.account.clone(),
            instances,
        })
    }

    /// Records an instance with its volumes, and the job that starts it.
    async fn record_launch(
        &self,
        tx: &mut WriteTx,
        launch: &Launch,
        mut new: Instance,
    ) -> Result<Instance> {
        let taken = instance::ssh_ports(tx).await?;
        new.ssh_port = Some(
            self.room()
                .free_port(&taken, self.entropy())
                .ok_or_else(no_port)?,
        );
        let mut makes = Vec::new();
        for (planned, base) in launch.plan.volumes.iter().zip(&launch.bases) {
            let made = launch.volume(self, &new, planned);
            volume::insert(tx, &made).await?;
            self.seal_volume(tx, &made).await?;
            new.block_devices.push(InstanceBlockDevice {
                device_name: planned.device_name.clone(),
                volume_id: made.id.clone(),
                state: AttachmentState::Attaching,
                attach_time: made.create_time,
                delete_on_termination: planned.delete_on_termination,
            });
            makes.push(Make {
                volume: made.id,
                base: base.clone(),
            });
        }
        instance::insert(tx, &new).await?;
        jobs::enqueue(
            tx,
            &LaunchJob {
                instance: new.id.clone(),
                makes,
            },
            self.now(),
        )
        .await?;
        Ok(new)
    }
}

/// What a request wants, as far as it can be told without looking anything up.
#[derive(Clone, Debug)]
struct Wish {
    image_id: String,
    count: usize,
    mappings: Vec<BlockDeviceMapping>,
    metadata: MetadataRequest,
    shutdown: ShutdownBehavior,
    tags: TagsByType,
    address: Option<Ipv4Addr>,
}

impl Wish {
    fn read(request: &RunInstances) -> Result<Self> {
        let image_id = request.image_id.clone().filter(|id| !id.is_empty());
        let count = count(request)?;
        let user_data = decoded_user_data(request.user_data.as_deref())?;
        check_user_data(&user_data.unwrap_or_default())?;
        check_interface(request)?;
        check_credits(request.cpu_credits.as_deref())?;
        Ok(Self {
            image_id: image_id.ok_or_else(|| Error::missing_parameter("ImageId"))?,
            count,
            mappings: mapping::read(&request.block_device_mappings)?,
            metadata: metadata(&request.metadata_options)?,
            shutdown: shutdown_behavior(request)?,
            tags: TagsByType::of(&request.tag_specifications, TAGGABLE)?,
            address: address(request, count)?,
        })
    }
}

/// Everything that a launch needs, looked up and checked.
#[derive(Debug)]
struct Launch {
    wish: Wish,
    image: Image,
    instance_type: &'static InstanceType,
    plan: LaunchPlan,
    /// What the planned volumes start with, in their order.
    bases: Vec<Option<Content>>,
    /// What the planned volumes are encrypted with, by device name.
    keys: HashMap<String, KmsKey>,
    subnet: Subnet,
    groups: Vec<(SecurityGroupId, String)>,
    key_pair: Option<KeyPair>,
    /// The ARN of the instance profile.
    profile: Option<String>,
    /// What tells of the template.
    template_tags: Tags,
}

impl Launch {
    async fn prepare(
        conn: &mut Connection,
        caller: &Caller,
        request: &RunInstances,
        wish: Wish,
        now: Timestamp,
    ) -> Result<Self> {
        let image = image::launchable(conn, caller, &wish.image_id, now).await?;
        let instance_type = instance_type(request, &image)?;
        check_ebs_optimized(request, instance_type)?;
        let key_pair = match named(&request.key_name) {
            Some(name) => Some(key_pair::find(conn, caller, name).await?),
            None => None,
        };
        let subnet = subnet(conn, caller, request).await?;
        let groups = groups(conn, caller, request, &subnet).await?;
        let asked = wish
            .mappings
            .iter()
            .filter_map(|m| m.ebs.as_ref()?.snapshot_id.as_ref());
        // Collected here: a closure that lives across an await keeps the future from being `Send`.
        let snapshots: Vec<_> = image.snapshot_ids().chain(asked).collect();
        let sizes = snapshot_sizes(conn, caller, &image, &snapshots).await?;
        let (metadata, defaults) = with_defaults(conn, caller, wish.metadata).await?;
        let plan = plan_launch(&image, instance_type, &wish.mappings, metadata, &sizes);
        let plan = plan.map_err(launch_error)?;
        check_enforced(&defaults, plan.metadata_options)?;
        let profile = request.iam_instance_profile.clone().unwrap_or_default();
        let profile = profile::arn(&caller.account, &profile)?;
        for planned in &plan.volumes {
            let from_snapshot = planned.snapshot_id.is_some();
            volumes::check_initialization_rate(planned.initialization_rate, from_snapshot)?;
        }
        if plan.metadata_options.instance_metadata_tags {
            tag::check_for_metadata(&wish.tags.tags(ResourceType::Instance))?;
        }
        let bases = bases(conn, caller, &image, &plan).await?;
        Ok(Self {
            wish,
            image,
            instance_type,
            plan,
            bases,
            keys: HashMap::new(),
            subnet,
            groups,
            key_pair,
            profile,
            template_tags: Tags::new(),
        })
    }

    /// The private addresses of the instances: the lowest ones that are free, or the one asked for.
    /// As many as there are, if that is enough.
    async fn addresses(
        &self,
        conn: &mut Connection,
        request: &RunInstances,
    ) -> Result<Vec<Ipv4Addr>> {
        let cidr: Cidr = self.subnet.cidr_block.parse().map_err(Error::internal)?;
        let mut taken = networks::taken_addresses(conn, &self.subnet.id).await?;
        if let Some(address) = self.wish.address {
            check_address(cidr, address, &taken)?;
            return Ok(vec![address]);
        }
        let mut addresses = Vec::new();
        while addresses.len() < self.wish.count {
            let Some(address) = cidr.first_free(&taken) else {
                break;
            };
            taken.insert(address);
            addresses.push(address);
        }
        let enough = usize::try_from(request.min_count).is_ok_and(|min| addresses.len() >= min);
        if enough {
            Ok(addresses)
        } else {
            Err(no_address())
        }
    }

    fn instance(
        &self,
        control: &Control,
        caller: &Caller,
        request: &RunInstances,
        reservation_id: &ReservationId,
        launch_index: i32,
        private_ip: Ipv4Addr,
    ) -> Instance {
        let entropy = control.entropy();
        Instance {
            id: InstanceId::generate(entropy),
            account: caller.account.clone(),
            region: caller.region,
            availability_zone: self.subnet.availability_zone.clone(),
            reservation_id: reservation_id.clone(),
            launch_index,
            image_id: self.image.id.clone(),
            instance_type: self.instance_type.name.to_owned(),
            architecture: self.image.architecture,
            boot_mode: self.plan.boot_mode,
            image_boot_mode: self.image.boot_mode,
            key_name: self.key_pair.as_ref().map(|key| key.name.clone()),
            public_key: self.key_pair.as_ref().map(|key| key.public_key.clone()),
            state: InstanceState::Pending,
            state_reason: None,
            state_transition_reason: String::new(),
            launch_time: control.stamp(),
            terminated_at: None,
            vpc_id: self.subnet.vpc_id.clone(),
            subnet_id: self.subnet.id.clone(),
            security_groups: self.groups.clone(),
            network_interface_id: NetworkInterfaceId::generate(entropy),
            network_interface_description: interface_description(request),
            network_interface_tags: self.wish.tags.tags(ResourceType::NetworkInterface),
            mac_address: new_mac_address(entropy),
            private_ip,
            root_device_name: Some(self.plan.root_device_name.clone()),
            block_devices: Vec::new(),
            user_data: request.user_data.clone().filter(|data| !data.is_empty()),
            metadata_options: self.plan.metadata_options,
            instance_initiated_shutdown_behavior: self.wish.shutdown,
            disable_api_termination: request.disable_api_termination.unwrap_or_default(),
            disable_api_stop: request.disable_api_stop.unwrap_or_default(),
            ebs_optimized: request.ebs_optimized.unwrap_or_default(),
            ena_support: self.image.ena_support,
            monitoring: request.monitoring.unwrap_or_default(),
            source_dest_check: true,
            ssh_port: None,
            client_token: request
                .client_token
                .clone()
                .filter(|token| !token.is_empty()),
            iam_instance_profile: self
                .profile
                .clone()
                .map(|arn| profile::of_arn(arn, control.stamp(), entropy)),
            cpu_credits: request.cpu_credits.clone().filter(|text| !text.is_empty()),
            sriov_net_support: None,
            attached_interfaces: Vec::new(),
            tags: self.instance_tags(),
        }
    }

    fn volume(&self, control: &Control, instance: &Instance, planned: &PlannedVolume) -> Volume {
        let now = control.stamp();
        Volume {
            id: VolumeId::generate(control.entropy()),
            account: instance.account.clone(),
            region: instance.region,
            availability_zone: instance.availability_zone.clone(),
            size_gib: planned.shape.size_gib,
            snapshot_id: planned.snapshot_id.clone(),
            volume_type: planned.shape.volume_type,
            iops: planned.shape.iops,
            throughput: planned.shape.throughput,
            encrypted: self.keys.contains_key(&planned.device_name),
            kms_key_id: self.keys.get(&planned.device_name).map(KmsKey::arn),
            multi_attach_enabled: false,
            initialization_rate: planned.initialization_rate,
            source_volume_id: None,
            io: IoPolicy::default(),
            modification: None,
            recycled: None,
            state: VolumeState::Creating,
            create_time: now,
            attachments: vec![attaching(instance, planned, now)],
            tags: self.volume_tags(),
        }
    }

    fn instance_tags(&self) -> Tags {
        let mut tags = self.wish.tags.tags(ResourceType::Instance);
        tags.extend(self.template_tags.clone());
        tags
    }

    fn volume_tags(&self) -> Tags {
        self.wish.tags.tags(ResourceType::Volume)
    }
}

fn attaching(instance: &Instance, planned: &PlannedVolume, now: Timestamp) -> Attachment {
    Attachment {
        instance_id: instance.id.clone(),
        device: planned.device_name.clone(),
        state: AttachmentState::Attaching,
        attach_time: now,
        delete_on_termination: planned.delete_on_termination,
    }
}

/// Refuses user data that is too long.
pub(crate) fn check_user_data(bytes: &[u8]) -> Result<()> {
    if bytes.len() <= USER_DATA_MAX {
        return Ok(());
    }
    let message = format!("User data is limited to {USER_DATA_MAX} bytes");
    Err(Error::new(ErrorKind::InvalidParameterValue, message))
}

/// Refuses what is no way of paying for bursts.
pub(crate) fn check_credits(text: Option<&str>) -> Result<()> {
    match text {
        None | Some("" | "standard" | "unlimited") => Ok(()),
        Some(other) => Err(Error::new(
            ErrorKind::InvalidParameterValue,
            format!(
                "Value ({other}) for parameter cpuCredits is invalid. It is standard or unlimited."
            ),
        )),
    }
}

fn count(request: &RunInstances) -> Result<usize> {
    let (min, max) = (request.min_count, request.max_count);
    if min < 1 || max < min {
        let message = format!(
            "Values ( {min}, {max} ) for parameters minCount and maxCount are invalid. Expecting 1 <= minCount <= maxCount."
        );
        return Err(Error::new(ErrorKind::InvalidParameterValue, message));
    }
    if min > INSTANCES_MAX {
        let message = format!(
            "You have requested more instances ({min}) than one launch may have ({INSTANCES_MAX}). Launch them in several calls."
        );
        return Err(Error::new(ErrorKind::InstanceLimitExceeded, message));
    }
    usize::try_from(max.min(INSTANCES_MAX)).map_err(Error::internal)
}

/// One interface can be described, the first, and then not in two places.
fn check_interface(request: &RunInstances) -> Result<()> {
    let Some(interface) = &request.network_interface else {
        return Ok(());
    };
    let refuse = |kind, message: &str| Err(Error::new(kind, message));
    if interface.device_index.is_some_and(|index| index != 0) {
        return refuse(
            ErrorKind::UnsupportedOperation,
            "This server gives each instance one network interface, at device index 0.",
        );
    }
    if named(&request.subnet_id).is_some() {
        return refuse(
            ErrorKind::InvalidParameterCombination,
            "Network interfaces and an instance-level subnet ID may not be specified on the same request",
        );
    }
    if !(request.security_group_ids.is_empty() && request.security_groups.is_empty()) {
        return refuse(
            ErrorKind::InvalidParameterCombination,
            "Network interfaces and an instance-level security groups may not be specified on the same request",
        );
    }
    if named(&request.private_ip_address).is_some() {
        return refuse(
            ErrorKind::InvalidParameterCombination,
            "Network interfaces and an instance-level private IP address may not be specified on the same request",
        );
    }
    if interface.associate_public_ip_address == Some(true) {
        return refuse(
            ErrorKind::UnsupportedOperation,
            "This server gives no public addresses: leave out AssociatePublicIpAddress, or set it to false. The tag aws:cairn:ssh of the instance says where SSH to it leads.",
        );
    }
    if interface.delete_on_termination == Some(false) {
        return refuse(
            ErrorKind::UnsupportedOperation,
            "The network interface goes with its instance: leave out DeleteOnTermination, or set it to true.",
        );
    }
    if interface.device_index.is_none() {
        return refuse(
            ErrorKind::MissingParameter,
            "Each network interface requires a device index.",
        );
    }
    Ok(())
}

fn interface_description(request: &RunInstances) -> String {
    let interface = request.network_interface.as_ref();
    interface
        .and_then(|interface| interface.description.clone())
        .unwrap_or_default()
}

fn check_ebs_optimized(request: &RunInstances, of_type: &InstanceType) -> Result<()> {
    if request.ebs_optimized == Some(true) && of_type.ebs_optimized_support() == "unsupported" {
        let message = format!(
            "EBS-optimized instances are not supported for your requested configuration: an instance of type {} cannot be one.",
            of_type.name
        );
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    Ok(())
}

fn address(request: &RunInstances, count: usize) -> Result<Option<Ipv4Addr>> {
    let of_interface = request
        .network_interface
        .as_ref()
        .and_then(|i| named(&i.private_ip_address));
    let Some(text) = named(&request.private_ip_address).or(of_interface) else {
        return Ok(None);
    };
    if count > 1 {
        let message = "A private IP address can be given to one instance only: set MaxCount to 1.";
        return Err(Error::new(ErrorKind::InvalidParameterCombination, message));
    }
    text.parse().map(Some).map_err(|_| {
        Error::new(
            ErrorKind::InvalidParameterValue,
            format!("Invalid value '{text}' for privateIpAddress."),
        )
    })
}

pub(crate) fn check_address(
    cidr: Cidr,
    address: Ipv4Addr,
    taken: &BTreeSet<Ipv4Addr>,
) -> Result<()> {
    let refuse = |message| Err(Error::new(ErrorKind::InvalidParameterValue, message));
    if !cidr.is_usable(address) {
        return refuse(format!(
            "Address {address} does not fall within the subnet's address range"
        ));
    }
    if taken.contains(&address) {
        let message = format!("Address {address} is in use.");
        return Err(Error::new(ErrorKind::PrivateAddressInUse, message));
    }
    Ok(())
}

/// The network of a machine reaches from its address to that of the metadata service, and cannot be
/// of every size.
fn check_machines_can_have(addresses: &[Ipv4Addr], subnet: &Subnet) -> Result<()> {
    if addresses
        .iter()
        .all(|address| vmm::can_have_address(*address))
    {
        return Ok(());
    }
    let message = format!(
        "This server runs no instances in the subnet '{}' yet: their addresses have to be in 160.0.0.0/4, such as 172.16.0.0/12.",
        subnet.id
    );
    Err(Error::new(ErrorKind::Unsupported, message))
}

fn shutdown_behavior(request: &RunInstances) -> Result<ShutdownBehavior> {
    let Some(text) = named(&request.instance_initiated_shutdown_behavior) else {
        return Ok(ShutdownBehavior::Stop);
    };
    text.parse().map_err(|_| {
        let message =
            format!("Value ({text}) for parameter instanceInitiatedShutdownBehavior is invalid.");
        Error::new(ErrorKind::InvalidParameterValue, message)
    })
}

/// What a request asks of the metadata service.
pub(crate) fn metadata(request: &MetadataOptionsRequest) -> Result<MetadataRequest> {
    Ok(MetadataRequest {
        http_endpoint: one_of(
            "HttpEndpoint",
            &request.http_endpoint,
            "enabled",
            "disabled",
        )?,
        http_tokens_required: one_of("HttpTokens", &request.http_tokens, "required", "optional")?,
        http_put_response_hop_limit: request.http_put_response_hop_limit,
        instance_metadata_tags: one_of(
            "InstanceMetadataTags",
            &request.instance_metadata_tags,
            "enabled",
            "disabled",
        )?,
    })
}

/// A word that is one of two, or absent.
pub(crate) fn one_of(
    name: &str,
    text: &Option<String>,
    yes: &str,
    no: &str,
) -> Result<Option<bool>> {
    match text.as_deref() {
        None | Some("") => Ok(None),
        Some(text) if text == yes => Ok(Some(true)),
        Some(text) if text == no => Ok(Some(false)),
        Some(text) => {
            let message = format!(
                "Value ({text}) for parameter {name} is invalid. Valid values are: {yes}, {no}"
            );
            Err(Error::new(ErrorKind::InvalidParameterValue, message))
        }
    }
}

fn instance_type(request: &RunInstances, image: &Image) -> Result<&'static InstanceType> {
    let Some(name) = named(&request.instance_type) else {
        return Ok(InstanceType::default_for(image.architecture));
    };
    InstanceType::named(name).ok_or_else(|| {
        let message = format!("Invalid value '{name}' for InstanceType.");
        Error::new(ErrorKind::InvalidParameterValue, message)
    })
}

/// The subnet asked for, or the default one of the zone asked for, or of the first zone with a free
/// address.
async fn subnet(conn: &mut Connection, caller: &Caller, request: &RunInstances) -> Result<Subnet> {
    let of_interface = request
        .network_interface
        .as_ref()
        .and_then(|i| named(&i.subnet_id));
    let zone = zone(caller, request)?;
    if let Some(id) = named(&request.subnet_id).or(of_interface) {
        let subnet = network::find_subnet(conn, caller, id).await?;
        return match zone {
            Some(zone) if zone != subnet.availability_zone => Err(zone_mismatch(&zone, &subnet)),
            _ => Ok(subnet),
        };
    }
    network::default_vpc(conn, caller).await?;
    let mut subnets = networks::list_subnets(conn, &caller.account, caller.region).await?;
    if !subnets.iter().any(|subnet| subnet.default_for_az) {
        let message = "No subnets found for the default VPC. Name a subnet, or make a default one.";
        return Err(Error::new(ErrorKind::MissingInput, message));
    }
    subnets.retain(|s| {
        s.default_for_az
            && zone
                .as_ref()
                .is_none_or(|zone| *zone == s.availability_zone)
    });
    subnets.sort_by(|a, b| a.availability_zone.cmp(&b.availability_zone));
    let with_room = subnets
        .into_iter()
        .find(|subnet| subnet.available_ip_address_count >= request.min_count);
    with_room.ok_or_else(no_address)
}

/// The name of the zone asked for, by its name or its id.
fn zone(caller: &Caller, request: &RunInstances) -> Result<Option<String>> {
    let zones = [&request.availability_zone, &request.availability_zone_id];
    let mut names = Vec::new();
    for asked in zones.into_iter().filter_map(named) {
        let zone = place::zone(caller.region, asked);
        // Of launches it is a wrong value; of volumes a zone that is not found.
        let zone = zone.map_err(|error| Error::new(ErrorKind::InvalidParameterValue, error))?;
        names.push(zone.name());
    }
    if names.len() == 2 && names[0] != names[1] {
        return Err(Error::new(
            ErrorKind::InvalidParameterCombination,
            "The parameters availabilityZone and availabilityZoneId name different Availability Zones.",
        ));
    }
    Ok(names.pop())
}

fn zone_mismatch(zone: &str, subnet: &Subnet) -> Error {
    let message = format!(
        "Availability Zone '{zone}' is not that of the subnet '{}', which is in '{}'.",
        subnet.id, subnet.availability_zone
    );
    Error::new(ErrorKind::InvalidParameterValue, message)
}

/// The security groups asked for by id and by name, or the default one.
async fn groups(
    conn: &mut Connection,
    caller: &Caller,
    request: &RunInstances,
    subnet: &Subnet,
) -> Result<Vec<(SecurityGroupId, String)>> {
    if !request.security_groups.is_empty() && named(&request.subnet_id).is_some() {
        return Err(Error::new(
            ErrorKind::InvalidParameterCombination,
            "The parameter groupName cannot be used with the parameter subnet",
        ));
    }
    let mut all = security_groups::list(conn, &caller.account, caller.region).await?;
    all.retain(|group| group.vpc_id == subnet.vpc_id);
    let of_interface = request
        .network_interface
        .iter()
        .flat_map(|interface| &interface.groups);
    let ids: Vec<&String> = request
        .security_group_ids
        .iter()
        .chain(of_interface)
        .collect();
    for id in &ids {
        describe::parse_id::<SecurityGroupId>(id, ErrorKind::SecurityGroupIdMalformed)?;
    }
    let mut chosen = Vec::new();
    for asked in ids.into_iter().chain(&request.security_groups) {
        let group = all
            .iter()
            .find(|group| group.id.as_str() == asked || group.name == *asked);
        chosen.push(group.ok_or_else(|| network::group_not_found(asked))?);
    }
    if chosen.is_empty() {
        chosen.extend(all.iter().filter(|group| group.name == "default"));
    }
    Ok(without_repeats(chosen))
}

fn without_repeats(groups: Vec<&SecurityGroup>) -> Vec<(SecurityGroupId, String)> {
    let mut seen = BTreeSet::new();
    let unique = groups
        .into_iter()
        .filter(|group| seen.insert(group.id.clone()));
    unique
        .map(|group| (group.id.clone(), group.name.clone()))
        .collect()
}

async fn bases(
    conn: &mut Connection,
    caller: &Caller,
    image: &Image,
    plan: &LaunchPlan,
) -> Result<Vec<Option<Content>>> {
    let mut bases = Vec::new();
    for planned in &plan.volumes {
        bases.push(match &planned.snapshot_id {
            Some(id) => Some(base(conn, caller, image, id).await?),
            None => None,
        });
    }
    Ok(bases)
}

/// The sizes in GiB of those snapshots that there are, and that the caller may use.
async fn snapshot_sizes(
    conn: &mut Connection,
    caller: &Caller,
    image: &Image,
    ids: &[&SnapshotId],
) -> Result<BTreeMap<SnapshotId, i32>> {
    let mut sizes = BTreeMap::new();
    for id in ids {
        match source(conn, caller, image, id).await {
            Ok(snapshot) => drop(sizes.insert(snapshot.id, snapshot.volume_size_gib)),
            Err(error) if error.kind == ErrorKind::SnapshotNotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(sizes)
}

/// A snapshot that a volume of a launch is made of. Whoever may launch an image may have what it is made of, and
/// of other snapshots those that are shared.
async fn source(
    conn: &mut Connection,
    caller: &Caller,
    image: &Image,
    id: &SnapshotId,
) -> Result<Snapshot> {
    if image.snapshot_ids().any(|own| own == id)
        && let Some(found) = snapshots::get(conn, id).await?
    {
        return Ok(found);
    }
    snapshot::find_usable(conn, caller, id.as_str()).await
}

async fn base(
    conn: &mut Connection,
    caller: &Caller,
    image: &Image,
    id: &SnapshotId,
) -> Result<Content> {
    let snapshot = source(conn, caller, image, id).await?;
    let base = volumes::base(conn, Some(&snapshot)).await?;
    base.ok_or_else(|| Error::internal(format!("snapshot {id} has no content")))
}

/// What EC2 calls launches that cannot be.
fn launch_error(error: LaunchError) -> Error {
    let kind = match error {
        LaunchError::Mapping(error) => return mapping::mapping_error(error),
        LaunchError::Shape(error) => return volumes::shape_error(error),
        LaunchError::Architecture { .. } | LaunchError::HopLimit(_) => {
            ErrorKind::InvalidParameterValue
        }
        LaunchError::Paravirtual(_)
        | LaunchError::EnaRequired(_)
        | LaunchError::BootMode { .. } => ErrorKind::InvalidParameterCombination,
        LaunchError::NoRootVolume => ErrorKind::BlockDeviceMappingInvalid,
        LaunchError::TooManyVolumes => ErrorKind::AttachmentLimitExceeded,
        LaunchError::SnapshotNotFound(_) => ErrorKind::SnapshotNotFound,
        LaunchError::Tpm | LaunchError::UefiData => ErrorKind::Unsupported,
    };
    Error::new(kind, error)
}

/// A text parameter, where an empty one is none.
fn named(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

fn no_port() -> Error {
    Error::new(
        ErrorKind::InsufficientInstanceCapacity,
        "There is not enough capacity for the instances asked for: no TCP port of the host is free for SSH to them.",
    )
}

pub(crate) fn no_address() -> Error {
    Error::new(
        ErrorKind::PrivateAddressesExhausted,
        "The specified subnet does not contain enough free private IP addresses to fulfill your request.",
    )
}

/// Makes the volumes of a new instance and starts its machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LaunchJob {
    instance: InstanceId,
    makes: Vec<Make>,
}

/// A volume to be made.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Make {
    volume: VolumeId,
    base: Option<Content>,
}

impl Job for LaunchJob {
    const KIND: &'static str = "launch-instance";

    fn subject(&self) -> &str {
        self.instance.as_str()
    }

    async fn step(&self, control: &Control, step: u32) -> Result<Next, Failure> {
        let turn = control.room().turn(&self.instance).await;
        let pending = in_state(control, &self.instance, InstanceState::Pending).await?;
        let Some(instance) = pending else {
            return Ok(Next::Done);
        };
        if step == 0 {
            self.make_volumes(control).await?;
            return Ok(Next::Step);
        }
        control.watch_boot(&instance).await;
        control.boot(&instance, &turn).await?;
        control.mark_running(&self.instance, &turn).await?;
        Ok(Next::Done)
    }

    /// The instance is terminated, says why, and leaves nothing.
    async fn undo(&self, control: &Control, step: u32, why: &str) -> Result<(), Failure> {
        let turn = control.room().turn(&self.instance).await;
        let found = instance::get(&mut *control.store().read().await?, &self.instance).await?;
        let Some(instance) = found.filter(|i| i.state != InstanceState::Terminated) else {
            return Ok(());
        };
        control.end_machine(&instance, &turn).await?;
        if step == 0 {
            control
                .mark_failed(&self.instance, InstanceState::ShuttingDown, why)
                .await?;
            control.mark_terminated(&self.instance, true, &turn).await?;
        }
        Ok(())
    }
}

impl LaunchJob {
    async fn make_volumes(&self, control: &Control) -> Result<(), Failure> {
        for make in &self.makes {
            let volume = volume::get(&mut *control.store().read().await?, &make.volume).await?;
            let volume = volume.ok_or_else(|| Failure::fatal("a volume is not recorded"))?;
            control.make_volume(&volume, make.base.as_ref()).await?;
        }
        let mut tx = control.store().write().await?;
        for make in &self.makes {
            volume::update(&mut tx, &make.volume, |volume| {
                volume.state = VolumeState::InUse;
            })
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
