//! Volumes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    facet::Faceted,
    filter::{self, Filterable},
    ids::{AccountId, InstanceId, SnapshotId, VolumeId},
    modification::Modification,
    page::PageKey,
    place::Region,
    recycle_bin::Recycled,
    state::{NoWay, Table as _},
    tag::Tags,
    time::Timestamp,
};

/// A volume as metadata knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Its id.
    pub id: VolumeId,
    /// Owner.
    pub account: AccountId,
    /// Where it lies.
    pub region: Region,
    /// Name of its availability zone.
    pub availability_zone: String,
    /// Size in GiB.
    pub size_gib: i32,
    /// The snapshot it was made from.
    pub snapshot_id: Option<SnapshotId>,
    /// The volume it is a copy of.
    #[serde(default)]
    pub source_volume_id: Option<VolumeId>,
    /// Type.
    pub volume_type: VolumeType,
    /// Provisioned or baseline I/O operations per second; types without one have none.
    pub iops: Option<i32>,
    /// Throughput in MiB/s (gp3).
    pub throughput: Option<i32>,
    /// Encrypted at rest.
    pub encrypted: bool,
    /// ARN of the key, if encrypted.
    pub kms_key_id: Option<String>,
    /// Whether several instances may attach it (io1, io2).
    pub multi_attach_enabled: bool,
    /// The rate in MiB/s at which it was asked to fetch its snapshot. It is usable at once whatever
    /// the rate.
    #[serde(default)]
    pub initialization_rate: Option<i32>,
    /// Whether it can be read and written, should some of it be lost.
    #[serde(default)]
    pub io: IoPolicy,
    /// Its newest modification.
    #[serde(default)]
    pub modification: Option<Modification>,
    /// Its stay in the Recycle Bin, if it is there.
    #[serde(default)]
    pub recycled: Option<Recycled>,
    /// State.
    pub state: VolumeState,
    /// When it was created.
    pub create_time: Timestamp,
    /// Where it is attached.
    pub attachments: Vec<Attachment>,
    /// Tags.
    pub tags: Tags,
}

/// What becomes of reads and writes once some of a volume's blocks are known to be lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IoPolicy {
    /// They go on without anybody being asked.
    pub auto_enable: bool,
    /// Its owner has looked at what is lost, and wants them to go on.
    pub enabled_by_owner: bool,
}

impl IoPolicy {
    /// Whether they go on.
    pub fn allows(self) -> bool {
        self.auto_enable || self.enabled_by_owner
    }
}

/// To how many instances a volume can be attached at once, if it is for several.
pub const MULTI_ATTACH_MAX: usize = 16;

impl Volume {
    /// Its attachment to an instance.
    pub fn attachment_to(&self, instance: &InstanceId) -> Option<&Attachment> {
        let mut attachments = self.attachments.iter();
        attachments.find(|attachment| attachment.instance_id == *instance)
    }

    /// Sets the state of its attachment to an instance.
    pub fn set_attachment(&mut self, instance: &InstanceId, state: AttachmentState) {
        let mut attachments = self.attachments.iter_mut();
        if let Some(found) = attachments.find(|found| found.instance_id == *instance) {
            found.state = state;
        }
    }

    /// Takes its attachment to an instance away. With the last one it is available.
    pub fn detach_from(&mut self, instance: &InstanceId) {
        self.attachments
            .retain(|attachment| attachment.instance_id != *instance);
        if self.attachments.is_empty() && self.state == VolumeState::InUse {
            self.state = VolumeState::Available;
        }
    }

    /// Whether it may become another one: by the tables of its state and of its attachments.
    ///
    /// # Errors
    /// [`NoWay`] if one of them does not have the change.
    pub fn check_change(&self, next: &Self) -> Result<(), NoWay> {
        self.state.check(next.state)?;
        self.attachments
            .iter()
            .try_for_each(|old| match next.attachment_to(&old.instance_id) {
                Some(new) if new.attach_time == old.attach_time => old.state.check(new.state),
                _ => Ok(()),
            })
    }

    /// How many instances it can be attached to at once.
    pub fn attachments_max(&self) -> usize {
        if self.multi_attach_enabled {
            MULTI_ATTACH_MAX
        } else {
            1
        }
    }
}

/// States of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the states of EC2, by their names")]
pub enum VolumeState {
    Creating,
    Available,
    InUse,
    Deleting,
    Deleted,
    Error,
}

/// Types of volumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the types of EBS, by their names")]
pub enum VolumeType {
    Gp2,
    Gp3,
    Io1,
    Io2,
    St1,
    Sc1,
    Standard,
}

/// An attachment to an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The instance.
    pub instance_id: InstanceId,
    /// The device name.
    pub device: String,
    /// State.
    pub state: AttachmentState,
    /// When it was attached.
    pub attach_time: Timestamp,
    /// Whether the volume goes with the instance.
    pub delete_on_termination: bool,
}

/// States of an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the states of EC2, by their names")]
pub enum AttachmentState {
    Attaching,
    Attached,
    Detaching,
    Detached,
    Busy,
}

impl Filterable for Volume {
    const FILTERS: &'static [&'static str] = &[
        "attachment.attach-time",
        "attachment.delete-on-termination",
        "attachment.device",
        "attachment.instance-id",
        "attachment.status",
        "availability-zone",
        "availability-zone-id",
        "create-time",
        "encrypted",
        "fast-restored",
        "multi-attach-enabled",
        "operator.managed",
        "operator.principal",
        "size",
        "snapshot-id",
        "source-volume-id",
        "status",
        "volume-id",
        "volume-type",
    ];

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        let attachments = self.attachments.iter();
        match name {
            "attachment.attach-time" => Some(
                attachments
                    .filter_map(|a| filter::time(a.attach_time))
                    .flatten()
                    .collect(),
            ),
            "attachment.delete-on-termination" => {
                filter::many(attachments.map(|a| a.delete_on_termination))
            }
            "attachment.device" => filter::many(attachments.map(|a| &a.device)),
            "attachment.instance-id" => filter::many(attachments.map(|a| &a.instance_id)),
            "attachment.status" => filter::many(attachments.map(|a| a.state)),
            "availability-zone" => filter::one(&self.availability_zone),
            "availability-zone-id" => filter::maybe(
                self.region
                    .zone(&self.availability_zone)
                    .map(|zone| zone.id()),
            ),
            "create-time" => filter::time(self.create_time),
            "encrypted" => filter::one(self.encrypted),
            // Every volume here is lazily restored: none is made by fast snapshot restore.
            "fast-restored" => filter::one(false),
            "multi-attach-enabled" => filter::one(self.multi_attach_enabled),
            // Every volume is its user's own.
            "operator.managed" => filter::one(false),
            "operator.principal" => filter::maybe(None::<&str>),
            "source-volume-id" => filter::maybe(self.source_volume_id.as_ref()),
            "size" => filter::one(self.size_gib),
            "snapshot-id" => filter::maybe(self.snapshot_id.as_ref()),
            "status" => filter::one(self.state),
            "volume-id" => filter::one(&self.id),
            "volume-type" => filter::one(self.volume_type),
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }
}

impl Faceted for Volume {
    const FACETS: &'static [&'static str] = &[
        "attachment.instance-id",
        "attachment.status",
        "availability-zone",
        "encrypted",
        "size",
        "snapshot-id",
        "source-volume-id",
        "status",
        "volume-id",
        "volume-type",
    ];
    const BEGINNINGS: &'static [&'static str] = &["tag:Name"];

    fn page_key(&self) -> PageKey {
        PageKey {
            time: self.create_time.0,
            id: self.id.to_string(),
        }
    }

    fn region(&self) -> Region {
        self.region
    }

    fn viewers(&self) -> BTreeSet<&str> {
        match self.recycled {
            Some(_) => BTreeSet::new(),
            None => BTreeSet::from([self.account.as_str()]),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A volume that is available.
    pub(crate) fn volume() -> Volume {
        Volume {
            id: "vol-0123456789abcdef0".parse().expect("an id"),
            account: "123456789012".parse().expect("an account"),
            region: Region::named("us-east-1").expect("a region"),
            availability_zone: "us-east-1a".to_owned(),
            size_gib: 8,
            snapshot_id: None,
            source_volume_id: None,
            volume_type: VolumeType::Gp2,
            iops: Some(100),
            throughput: None,
            encrypted: false,
            kms_key_id: None,
            multi_attach_enabled: false,
            initialization_rate: None,
            io: IoPolicy::default(),
            modification: None,
            recycled: None,
            state: VolumeState::Available,
            create_time: Timestamp(1_795_392_000_000_000),
            attachments: Vec::new(),
            tags: Tags::new(),
        }
    }

    /// An attachment to an instance.
    pub(crate) fn attachment() -> Attachment {
        Attachment {
            instance_id: "i-0123456789abcdef0".parse().expect("an id"),
            device: "/dev/sdf".to_owned(),
            state: AttachmentState::Attached,
            attach_time: Timestamp(1_795_392_000_000_000),
            delete_on_termination: true,
        }
    }

    #[test]
    fn every_filter_finds_what_it_is_about() {
        let noun = Volume {
            snapshot_id: Some("snap-0123456789abcdef0".parse().expect("an id")),
            source_volume_id: Some("vol-0fedcba9876543210".parse().expect("an id")),
            attachments: vec![attachment()],
            state: VolumeState::InUse,
            ..volume()
        };
        let expected = [
            ("attachment.attach-time", "2026-11-23T00:00:00.000Z"),
            ("attachment.delete-on-termination", "true"),
            ("attachment.device", "/dev/sdf"),
            ("attachment.instance-id", "i-0123456789abcdef0"),
            ("attachment.status", "attached"),
            ("availability-zone", "us-east-1a"),
            ("availability-zone-id", "use1-az1"),
            ("create-time", "2026-11-23T00:00:00.000Z"),
            ("encrypted", "false"),
            ("fast-restored", "false"),
            ("multi-attach-enabled", "false"),
            ("operator.managed", "false"),
            ("size", "8"),
            ("snapshot-id", "snap-0123456789abcdef0"),
            ("source-volume-id", "vol-0fedcba9876543210"),
            ("status", "in-use"),
            ("volume-id", "vol-0123456789abcdef0"),
            ("volume-type", "gp2"),
        ];
        for (name, value) in expected {
            let found = noun.filter_field(name).unwrap_or_default();
            assert!(
                found.iter().any(|found| found == value),
                "{name}: {found:?}"
            );
        }
        let unknown = Volume::FILTERS.iter().filter(|name| {
            **name != "operator.principal" && expected.iter().all(|(known, _)| known != *name)
        });
        assert_eq!(unknown.count(), 0, "a filter that is not looked at here");
    }

    #[test]
    fn a_volume_of_several_instances_is_in_use_until_the_last_lets_go() {
        let other: InstanceId = "i-0fedcba9876543210".parse().expect("an id");
        let mut noun = Volume {
            state: VolumeState::InUse,
            attachments: vec![
                attachment(),
                Attachment {
                    instance_id: other.clone(),
                    ..attachment()
                },
            ],
            ..volume()
        };
        noun.set_attachment(&other, AttachmentState::Detaching);
        assert_eq!(noun.attachments[0].state, AttachmentState::Attached);
        noun.detach_from(&other);
        assert_eq!(
            (noun.state, noun.attachments.len()),
            (VolumeState::InUse, 1)
        );
        noun.detach_from(&attachment().instance_id);
        assert_eq!(
            (noun.state, noun.attachments.len()),
            (VolumeState::Available, 0)
        );
    }
}
