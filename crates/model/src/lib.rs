//! Cairn's nouns, ids, states and pure rules. No I/O.
//!
//! - [`ids`]: resource ids as AWS spells them.
//! - [`time`]: instants, and the [`Clock`] and [`Entropy`] that every logic takes them from.
//! - [`place`]: regions and availability zones.
//! - [`tag`], [`filter`], [`page`]: what every Describe has in common.
//! - [`facet`]: what nouns are looked up by.
//! - [`permission`]: who besides the owner may use an image or a snapshot.
//! - [`spelling`]: how EC2 spells the values of every enumeration.
//! - [`modification`], [`replace_root`]: changes of volumes and of root volumes, and their states.
//! - [`volume_shape`], [`volume_limits`], [`block_device`]: what volumes may be and do, and where they stand.
//! - [`instance_type`], [`launch`]: what instances get, and the plan of a launch.
//! - [`recycle_bin`], [`snapshot_lock`], [`tier`], [`fast_restore`]: what keeps snapshots and others from
//!   being deleted, and where they lie.
//! - [`kms_policy`], [`kms_grant`]: who may do what with a key.
//! - [`security_group`], [`network_interface`], [`vpc_part`]: what belongs to networks.
//! - [`launch_template`]: launches kept under a name.
//! - [`attestation`]: what a server states about a snapshot, as bytes to be signed.
//! - [`volume`], [`snapshot`], [`image`], [`instance`], [`network`], [`key_pair`], [`kms_key`]: the
//!   nouns.

#![forbid(unsafe_code)]

pub mod attestation;
pub mod block_device;
pub mod facet;
pub mod fast_restore;
pub mod filter;
pub mod ids;
pub mod image;
pub mod instance;
pub mod instance_type;
pub mod key_pair;
pub mod kms_grant;
pub mod kms_key;
pub mod kms_policy;
pub mod launch;
pub mod launch_template;
pub mod modification;
pub mod network;
pub mod network_interface;
pub mod page;
pub mod permission;
pub mod place;
pub mod recycle_bin;
pub mod replace_root;
pub mod security_group;
pub mod snapshot;
pub mod snapshot_lock;
pub mod spelling;
pub mod state;
pub mod tag;
pub mod tier;
pub mod time;
pub mod volume;
pub mod volume_limits;
pub mod volume_shape;
pub mod vpc_part;

pub use attestation::Statement;
pub use block_device::{BlockDeviceMapping, EbsBlockDevice};
pub use facet::{Facet, Faceted};
pub use fast_restore::{FastRestore, FastRestoreState};
pub use filter::{Filter, FilterError, Filterable, Filters};
pub use ids::{
    AccountId, DhcpOptionsId, ImageId, ImageUsageReportId, InstanceId, InterfaceAttachmentId,
    InternetGatewayId, KeyPairId, LaunchTemplateId, MalformedId, NetworkAclId, NetworkInterfaceId,
    ProfileAssociationId, ReplaceRootTaskId, ReservationId, RouteTableId, SecurityGroupId,
    SecurityGroupRuleId, SnapshotId, SubnetId, VolumeId, VpcId,
};
pub use image::{
    Architecture, BootMode, DeregistrationProtection, Image, ImageState, ImageType, RootDeviceType,
    SeenImage, SourceImage, VirtualizationType,
};
pub use instance::{Instance, InstanceState};
pub use instance_type::InstanceType;
pub use key_pair::KeyPair;
pub use kms_grant::KmsGrant;
pub use kms_key::{EncryptionContext, KeyOperation, KmsAlias, KmsKey, KmsKeyId, KmsKeyState};
pub use launch_template::LaunchTemplate;
pub use modification::{Modification, ModificationState, VolumeModification};
pub use network::{SecurityGroup, Subnet, Vpc};
pub use network_interface::NetworkInterface;
pub use page::{Page, PageError, Paged, Pager};
pub use permission::{Permissions, Viewer};
pub use place::Region;
pub use recycle_bin::{Recycled, RecycledType, RetentionRule};
pub use replace_root::{ReplaceRootState, ReplaceRootTask};
pub use security_group::SecurityGroupRule;
pub use snapshot::{Snapshot, SnapshotBlock, SnapshotCopy, SnapshotSignature, SnapshotState};
pub use snapshot_lock::{LockedSnapshot, SnapshotLock};
pub use tag::{ResourceType, Tag, TagError, TagSpecification, Tags, TagsByType};
pub use tier::{StorageTier, TierStatus, Tiering};
pub use time::{Clock, Entropy, Timestamp};
pub use volume::{Attachment, AttachmentState, Volume, VolumeState, VolumeType};
pub use volume_shape::{ShapeError, VolumeShape};
