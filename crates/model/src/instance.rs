//! Instances.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::{
    ids::{
        AccountId, ImageId, InstanceId, NetworkInterfaceId, ReservationId, SecurityGroupId,
        SubnetId, VolumeId, VpcId,
    },
    image::{Architecture, BootMode},
    place::Region,
    tag::Tags,
    time::Timestamp,
};

/// An instance as metadata knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// Owner.
    pub account: AccountId,
    /// Where it lies.
    pub region: Region,
    /// Name of its availability zone.
    pub availability_zone: String,
    /// The RunInstances call that it came from.
    pub reservation_id: ReservationId,
    /// Position in that call, from 0.
    pub launch_index: i32,
    /// The image it was launched from.
    pub image_id: ImageId,
    /// Instance type, such as `t3.small`.
    pub instance_type: String,
    /// Architecture of the image.
    pub architecture: Architecture,
    /// Firmware in use.
    pub boot_mode: BootMode,
    /// Name of the key pair.
    pub key_name: Option<String>,
    /// State.
    pub state: InstanceState,
    /// Why it is in this state: code and sentence.
    pub state_reason: Option<(String, String)>,
    /// `User initiated (2026-01-02 03:04:05 GMT)` and the like; empty while running.
    pub state_transition_reason: String,
    /// When it was (last) started.
    pub launch_time: Timestamp,
    /// When it was terminated.
    pub terminated_at: Option<Timestamp>,
    /// VPC.
    pub vpc_id: VpcId,
    /// Subnet.
    pub subnet_id: SubnetId,
    /// Security groups, id and name.
    pub security_groups: Vec<(SecurityGroupId, String)>,
    /// Network interface.
    pub network_interface_id: NetworkInterfaceId,
    /// Hardware address of the network interface.
    pub mac_address: String,
    /// Private address.
    pub private_ip: Ipv4Addr,
    /// Device name of the root volume.
    pub root_device_name: Option<String>,
    /// Its volumes: device name to what is attached there.
    pub block_devices: Vec<InstanceBlockDevice>,
    /// User data, base64 as given.
    pub user_data: Option<String>,
    /// How the metadata service answers.
    pub metadata_options: MetadataOptions,
    /// Whether the guest's own shutdown stops or terminates the instance.
    pub instance_initiated_shutdown_behavior: ShutdownBehavior,
    /// Termination protection.
    pub disable_api_termination: bool,
    /// Stop protection.
    pub disable_api_stop: bool,
    /// Dedicated EBS throughput, as asked.
    pub ebs_optimized: bool,
    /// ENA, from the image.
    pub ena_support: bool,
    /// Detailed monitoring, as asked.
    pub monitoring: bool,
    /// Source/destination check.
    pub source_dest_check: bool,
    /// TCP port on the host's loopback that leads to port 22 of the guest.
    pub ssh_port: Option<u16>,
    /// The client token of its launch.
    pub client_token: Option<String>,
    /// Tags.
    pub tags: Tags,
}

/// States of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the states of EC2, by their names")]
pub enum InstanceState {
    Pending,
    Running,
    ShuttingDown,
    Terminated,
    Stopping,
    Stopped,
}

impl InstanceState {
    /// The number that EC2 gives it.
    pub fn code(self) -> i32 {
        match self {
            Self::Pending => 0,
            Self::Running => 16,
            Self::ShuttingDown => 32,
            Self::Terminated => 48,
            Self::Stopping => 64,
            Self::Stopped => 80,
        }
    }
}

/// A volume at a device name of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceBlockDevice {
    /// The device name.
    pub device_name: String,
    /// The volume.
    pub volume_id: VolumeId,
    /// When it was attached.
    pub attach_time: Timestamp,
    /// Whether it goes with the instance.
    pub delete_on_termination: bool,
}

/// What the guest's own shutdown does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum ShutdownBehavior {
    Stop,
    Terminate,
}

/// How the metadata service answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataOptions {
    /// Whether it answers at all.
    pub http_endpoint: bool,
    /// Whether only IMDSv2 is answered.
    pub http_tokens_required: bool,
    /// Hops that an answer to a token request may take, 1–64.
    pub http_put_response_hop_limit: i32,
    /// Whether it shows the instance's tags.
    pub instance_metadata_tags: bool,
}
