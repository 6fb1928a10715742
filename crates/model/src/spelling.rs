//! How EC2 spells the values of every enumeration, in one table.

use crate::{
    fast_restore::FastRestoreState,
    image::{
        Architecture, BootMode, ImageState, ImageType, RootDeviceType, VirtualizationType,
        allowed::AllowedImagesState, usage::ReportState,
    },
    instance::{InstanceState, ShutdownBehavior},
    key_pair::KeyType,
    modification::ModificationState,
    recycle_bin::{RecycledType, RuleLockState},
    replace_root::ReplaceRootState,
    snapshot::{SnapshotBlock, SnapshotState},
    snapshot_lock::{LockMode, LockState},
    tag::ResourceType,
    tier::{StorageTier, TieringStatus},
    volume::{AttachmentState, VolumeState, VolumeType},
};

/// A word that is not a value of the enumeration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not one of the values of this enumeration")]
pub struct Misspelt(pub String);

macro_rules! spelling {
    ($($type:ident { $($variant:ident $text:literal,)* })*) => {$(
        impl $type {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The value as EC2 spells it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl std::str::FromStr for $type {
            type Err = Misspelt;

            /// Parses EC2's spelling; letters have to be of the right case, as on EC2.
            fn from_str(text: &str) -> Result<Self, Misspelt> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(Misspelt(text.to_owned())),
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}

spelling! {
    Architecture {
        I386 "i386",
        X86_64 "x86_64",
        Arm64 "arm64",
    }
    VirtualizationType {
        Hvm "hvm",
        Paravirtual "paravirtual",
    }
    BootMode {
        LegacyBios "legacy-bios",
        Uefi "uefi",
        UefiPreferred "uefi-preferred",
    }
    ImageState {
        Pending "pending",
        Available "available",
        Invalid "invalid",
        Deregistered "deregistered",
        Transient "transient",
        Failed "failed",
        Error "error",
        Disabled "disabled",
    }
    ImageType {
        Machine "machine",
        Kernel "kernel",
        Ramdisk "ramdisk",
    }
    RootDeviceType {
        Ebs "ebs",
        InstanceStore "instance-store",
    }
    AllowedImagesState {
        Disabled "disabled",
        AuditMode "audit-mode",
        Enabled "enabled",
    }
    ReportState {
        Pending "pending",
        Available "available",
        Error "error",
    }
    SnapshotState {
        Pending "pending",
        Completed "completed",
        Error "error",
    }
    SnapshotBlock {
        Unblocked "unblocked",
        BlockNewSharing "block-new-sharing",
        BlockAllSharing "block-all-sharing",
    }
    FastRestoreState {
        Enabling "enabling",
        Optimizing "optimizing",
        Enabled "enabled",
        Disabling "disabling",
        Disabled "disabled",
    }
    LockMode {
        Governance "governance",
        Compliance "compliance",
    }
    LockState {
        Governance "governance",
        ComplianceCooloff "compliance-cooloff",
        Compliance "compliance",
        Expired "expired",
    }
    StorageTier {
        Standard "standard",
        Archive "archive",
    }
    TieringStatus {
        ArchivalInProgress "archival-in-progress",
        ArchivalCompleted "archival-completed",
        ArchivalFailed "archival-failed",
        TemporaryRestoreInProgress "temporary-restore-in-progress",
        TemporaryRestoreCompleted "temporary-restore-completed",
        TemporaryRestoreFailed "temporary-restore-failed",
        PermanentRestoreInProgress "permanent-restore-in-progress",
        PermanentRestoreCompleted "permanent-restore-completed",
        PermanentRestoreFailed "permanent-restore-failed",
    }
    RecycledType {
        EbsSnapshot "EBS_SNAPSHOT",
        Ec2Image "EC2_IMAGE",
        EbsVolume "EBS_VOLUME",
    }
    RuleLockState {
        Locked "locked",
        PendingUnlock "pending_unlock",
        Unlocked "unlocked",
    }
    VolumeState {
        Creating "creating",
        Available "available",
        InUse "in-use",
        Deleting "deleting",
        Deleted "deleted",
        Error "error",
    }
    VolumeType {
        Gp2 "gp2",
        Gp3 "gp3",
        Io1 "io1",
        Io2 "io2",
        St1 "st1",
        Sc1 "sc1",
        Standard "standard",
    }
    AttachmentState {
        Attaching "attaching",
        Attached "attached",
        Detaching "detaching",
        Detached "detached",
        Busy "busy",
    }
    ModificationState {
        Modifying "modifying",
        Optimizing "optimizing",
        Completed "completed",
        Failed "failed",
    }
    ReplaceRootState {
        Pending "pending",
        InProgress "in-progress",
        Failing "failing",
        Succeeded "succeeded",
        Failed "failed",
        FailedDetached "failed-detached",
    }
    InstanceState {
        Pending "pending",
        Running "running",
        ShuttingDown "shutting-down",
        Terminated "terminated",
        Stopping "stopping",
        Stopped "stopped",
    }
    ShutdownBehavior {
        Stop "stop",
        Terminate "terminate",
    }
    KeyType {
        Rsa "rsa",
        Ed25519 "ed25519",
    }
    ResourceType {
        DhcpOptions "dhcp-options",
        Image "image",
        ImageUsageReport "image-usage-report",
        Instance "instance",
        InternetGateway "internet-gateway",
        KeyPair "key-pair",
        LaunchTemplate "launch-template",
        NetworkAcl "network-acl",
        NetworkInterface "network-interface",
        ReplaceRootVolumeTask "replace-root-volume-task",
        RouteTable "route-table",
        SecurityGroup "security-group",
        SecurityGroupRule "security-group-rule",
        Snapshot "snapshot",
        Subnet "subnet",
        Volume "volume",
        Vpc "vpc",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_parses_back() {
        for value in VolumeType::ALL {
            assert_eq!(value.as_str().parse(), Ok(*value));
        }
        for value in ResourceType::ALL {
            assert_eq!(value.to_string().parse(), Ok(*value));
        }
        assert_eq!("GP3".parse::<VolumeType>(), Err(Misspelt("GP3".to_owned())));
    }
}
