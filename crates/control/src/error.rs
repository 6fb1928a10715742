//! What can go wrong, by kind.

use std::fmt;

use cairn_model::{filter::FilterError, page::PageError, tag::TagError};

use crate::keys::KmsFault;

/// The result of a verb.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A verb's refusal: a kind for programs and a sentence for people.
#[expect(
    clippy::error_impl_error,
    reason = "it is the error of this crate, and named with it"
)]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What it is.
    pub kind: ErrorKind,
    /// A sentence that helps.
    pub message: String,
}

impl Error {
    /// Makes an error.
    pub fn new(kind: ErrorKind, message: impl fmt::Display) -> Self {
        Self {
            kind,
            message: message.to_string(),
        }
    }

    /// A parameter that the request has to have, and has not.
    pub(crate) fn missing_parameter(name: &str) -> Self {
        Self::new(
            ErrorKind::MissingParameter,
            format!("The request must contain the parameter {name}"),
        )
    }

    /// A disk of the server is full.
    pub(crate) fn storage_full() -> Self {
        Self::new(
            ErrorKind::StorageFull,
            "The server has no storage left. Delete what is not needed, or give it more room.",
        )
    }

    /// Something broke here; the cause is for the log, not for the client.
    pub fn internal(cause: impl fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed for a reason of our own");
        Self::new(
            ErrorKind::Internal,
            "An internal error has occurred. The server's log tells more.",
        )
    }
}

/// Kinds of refusal, one for each condition that AWS tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the conditions of EC2, by their names")]
pub enum ErrorKind {
    // About the request.
    DryRun,
    MissingParameter,
    InvalidParameterValue,
    InvalidParameterCombination,
    InvalidParameterDependency,
    InvalidNextToken,
    IdempotentParameterMismatch,
    FilterLimitExceeded,
    TagLimitExceeded,
    InvalidId,
    UserIdMalformed,
    Unauthorized,
    OperationNotPermitted,
    UnsupportedOperation,
    Unsupported,
    /// Nobody opts into the region, or out of it.
    RegionOptTarget,
    // Volumes.
    VolumeIdMalformed,
    VolumeNotFound,
    VolumeInUse,
    VolumeZoneMismatch,
    VolumeTypeUnknown,
    VolumeSizeInvalid,
    ZoneNotFound,
    AttachmentNotFound,
    AttachmentLimitExceeded,
    IncorrectState,
    InsufficientVolumeCapacity,
    IncorrectModificationState,
    VolumeModificationRateExceeded,
    VolumeModificationNotFound,
    ReplaceRootTaskIdMalformed,
    ReplaceRootTaskNotFound,
    // Snapshots.
    SnapshotIdMalformed,
    SnapshotNotFound,
    SnapshotInUse,
    ConcurrentSnapshotLimitExceeded,
    RuleInvalid,
    RuleNotFound,
    RuleLockState,
    RuleQuotaExceeded,
    // Images.
    ImageIdMalformed,
    ImageNotFound,
    ImageUnavailable,
    ImageNameDuplicate,
    ImageNameMalformed,
    ImageAttributeNotAuthorized,
    /// It can be seen, and is another's.
    ImageNotAuthorized,
    ImageAttributeItemInvalid,
    ImageManifestInvalid,
    ImageUsageReportIdMalformed,
    ImageUsageReportNotFound,
    BlockDeviceMappingInvalid,
    // Instances.
    InstanceIdMalformed,
    InstanceNotFound,
    InstanceTypeInvalid,
    IncorrectInstanceState,
    InstanceAttributeValueInvalid,
    InsufficientInstanceCapacity,
    InstanceLimitExceeded,
    IdempotentInstanceTerminated,
    // Keys and network.
    KeyPairNotFound,
    KeyPairDuplicate,
    KeyFormatInvalid,
    VpcNotFound,
    VpcIdMalformed,
    SubnetNotFound,
    SubnetIdMalformed,
    PrivateAddressInUse,
    PrivateAddressesExhausted,
    NetworkInterfaceNotFound,
    SecurityGroupNotFound,
    SecurityGroupIdMalformed,
    RegionNotFound,
    VpcIdNotSpecified,
    MissingInput,
    VpcRange,
    VpcLimitExceeded,
    SubnetRange,
    SubnetConflict,
    SubnetLimitExceeded,
    DefaultVpcAlreadyExists,
    DefaultVpcDoesNotExist,
    DefaultSubnetAlreadyExists,
    DependencyViolation,
    SecurityGroupDuplicate,
    SecurityGroupLimitExceeded,
    SecurityGroupsPerInterfaceLimitExceeded,
    RulesPerSecurityGroupLimitExceeded,
    CannotDelete,
    PermissionDuplicate,
    PermissionNotFound,
    PermissionMalformed,
    SecurityGroupRuleIdMalformed,
    SecurityGroupRuleNotFound,
    NetworkInterfaceIdMalformed,
    NetworkInterfaceInUse,
    InterfaceAttachmentNotFound,
    RouteTableIdMalformed,
    RouteTableNotFound,
    InternetGatewayIdMalformed,
    InternetGatewayNotFound,
    NetworkAclIdMalformed,
    NetworkAclNotFound,
    DhcpOptionsIdMalformed,
    DhcpOptionsNotFound,
    AllocationNotFound,
    AddressMalformed,
    AddressNotFound,
    // Launch templates and instance profiles.
    LaunchTemplateIdMalformed,
    LaunchTemplateIdNotFound,
    LaunchTemplateNameNotFound,
    LaunchTemplateNameDuplicate,
    LaunchTemplateNameMalformed,
    LaunchTemplateVersionNotFound,
    LaunchTemplateVersionLimitExceeded,
    ProfileAssociationNotFound,
    // Keys of encrypted things.
    KmsKeyNotFound,
    /// It is disabled, is being deleted, or was.
    KmsKeyInvalidState,
    /// Its policy and its grants do not let the caller's account use it.
    KmsKeyAccessDenied,
    /// Its files, or the root key's, are not as they have to be.
    KmsKeyUnavailable,
    KmsKeyInUse,
    /// What KMS alone refuses.
    Kms(KmsFault),
    // EBS direct (`Reason`s of its ValidationException and ResourceNotFoundException).
    EbsInvalidSnapshotId,
    EbsSnapshotNotFound,
    EbsInvalidBlock,
    EbsBlockNotFound,
    EbsInvalidBlockToken,
    EbsInvalidPageToken,
    EbsInvalidParameterValue,
    EbsInvalidVolumeSize,
    EbsConflictingBlockUpdate,
    EbsChecksumMismatch,
    EbsContentMismatch,
    EbsInvalidParentSnapshot,
    EbsInvalidTag,
    EbsUnrelatedSnapshots,
    EbsClientTokenMismatch,
    EbsSnapshotNotPending,
    EbsSnapshotNotCompleted,
    // Ours.
    StorageFull,
    ShuttingDown,
    Internal,
}

impl From<cairn_store::Error> for Error {
    /// Callers turn the constraints that mean something to them into their own kinds first.
    fn from(error: cairn_store::Error) -> Self {
        if error.is_storage_full() {
            return Self::storage_full();
        }
        Self::internal(error)
    }
}

impl From<FilterError> for Error {
    fn from(error: FilterError) -> Self {
        let kind = match error {
            FilterError::Unknown(_) | FilterError::NoValues(_) => ErrorKind::InvalidParameterValue,
            FilterError::TooManyValues(_) => ErrorKind::FilterLimitExceeded,
        };
        Self::new(kind, error)
    }
}

impl From<PageError> for Error {
    fn from(error: PageError) -> Self {
        let kind = match error {
            PageError::TooFew { .. } | PageError::TooMany { .. } => {
                ErrorKind::InvalidParameterValue
            }
            PageError::InvalidToken => ErrorKind::InvalidNextToken,
        };
        Self::new(kind, error)
    }
}

impl From<TagError> for Error {
    fn from(error: TagError) -> Self {
        let kind = match error {
            TagError::LimitExceeded => ErrorKind::TagLimitExceeded,
            _ => ErrorKind::InvalidParameterValue,
        };
        Self::new(kind, error)
    }
}
