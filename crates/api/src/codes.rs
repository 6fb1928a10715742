//! The codes and statuses that the dialects give to what is wrong: one row for each condition.

use cairn_control::{ErrorKind, keys::KmsFault};
use http::StatusCode;

use crate::{problem::Problem, query::QueryError, sigv4::AuthError};

/// A code of a query protocol, with its status.
pub(crate) type QueryCode = (&'static str, StatusCode);

/// An exception of EBS direct, with its status and reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exception {
    pub(crate) name: &'static str,
    pub(crate) status: StatusCode,
    pub(crate) reason: Option<&'static str>,
}

impl Exception {
    /// One without a reason.
    pub(crate) const fn plain(name: &'static str, status: StatusCode) -> Self {
        exception(name, status, None)
    }
}

const fn bad(code: &'static str) -> QueryCode {
    (code, StatusCode::BAD_REQUEST)
}

const fn exception(
    name: &'static str,
    status: StatusCode,
    reason: Option<&'static str>,
) -> Exception {
    Exception {
        name,
        status,
        reason,
    }
}

/// What JSON services call a request that cannot be accepted.
pub(crate) const VALIDATION: &str = "ValidationException";

/// The reason of account management where nobody opts into a region, or out of it.
pub(crate) const REGION_OPT_TARGET: &str = "invalidRegionOptTarget";

const fn validation(reason: &'static str) -> Exception {
    exception(VALIDATION, StatusCode::BAD_REQUEST, Some(reason))
}

const fn not_found(reason: &'static str) -> Exception {
    exception(
        "ResourceNotFoundException",
        StatusCode::NOT_FOUND,
        Some(reason),
    )
}

const fn customer_key() -> Exception {
    validation("INVALID_CUSTOMER_KEY")
}

const fn denied() -> Exception {
    exception(
        "AccessDeniedException",
        StatusCode::FORBIDDEN,
        Some("UNAUTHORIZED_ACCOUNT"),
    )
}

const fn conflict() -> Exception {
    exception("ConflictException", StatusCode::CONFLICT, None)
}

const fn rule_state() -> Exception {
    exception(
        "ConflictException",
        StatusCode::CONFLICT,
        Some("INVALID_RULE_STATE"),
    )
}

const fn rule_quota() -> Exception {
    exception(
        "ServiceQuotaExceededException",
        StatusCode::PAYMENT_REQUIRED,
        Some("SERVICE_QUOTA_EXCEEDED"),
    )
}

const fn quota() -> Exception {
    exception(
        "ConcurrentLimitExceededException",
        StatusCode::BAD_REQUEST,
        None,
    )
}

const fn broken() -> Exception {
    exception(
        "InternalServerException",
        StatusCode::INTERNAL_SERVER_ERROR,
        None,
    )
}

/// What a verb's refusal is called: by EC2, and by EBS direct.
pub(crate) fn of_kind(kind: ErrorKind) -> (QueryCode, Exception) {
    use ErrorKind as K;
    let value = validation("INVALID_PARAMETER_VALUE");
    match kind {
        // About the request.
        K::DryRun => (("DryRunOperation", StatusCode::PRECONDITION_FAILED), value),
        K::MissingParameter => (bad("MissingParameter"), value),
        K::InvalidParameterValue => (bad("InvalidParameterValue"), value),
        K::InvalidParameterCombination => (bad("InvalidParameterCombination"), value),
        K::InvalidParameterDependency => (bad("InvalidParameterDependency"), value),
        K::InvalidNextToken => (bad("InvalidNextToken"), validation("INVALID_PAGE_TOKEN")),
        K::IdempotentParameterMismatch => (bad("IdempotentParameterMismatch"), conflict()),
        K::FilterLimitExceeded => (bad("FilterLimitExceeded"), value),
        K::TagLimitExceeded => (bad("TagLimitExceeded"), validation("INVALID_TAG")),
        K::InvalidId => (bad("InvalidID"), value),
        K::UserIdMalformed => (bad("InvalidUserID.Malformed"), value),
        K::Unauthorized => (("UnauthorizedOperation", StatusCode::FORBIDDEN), denied()),
        K::OperationNotPermitted => (bad("OperationNotPermitted"), denied()),
        K::UnsupportedOperation => (bad("UnsupportedOperation"), value),
        K::Unsupported => (bad("Unsupported"), value),
        K::RegionOptTarget => (bad("InvalidParameterValue"), validation(REGION_OPT_TARGET)),
        // Volumes.
        K::VolumeIdMalformed => (bad("InvalidVolumeID.Malformed"), value),
        K::VolumeNotFound => (
            bad("InvalidVolume.NotFound"),
            not_found("DEPENDENCY_RESOURCE_NOT_FOUND"),
        ),
        K::VolumeInUse => (bad("VolumeInUse"), conflict()),
        K::VolumeZoneMismatch => (bad("InvalidVolume.ZoneMismatch"), value),
        K::VolumeTypeUnknown => (bad("UnknownVolumeType"), value),
        K::VolumeSizeInvalid => (
            bad("InvalidParameterValue"),
            validation("INVALID_VOLUME_SIZE"),
        ),
        K::ZoneNotFound => (bad("InvalidZone.NotFound"), value),
        K::AttachmentNotFound => (bad("InvalidAttachment.NotFound"), value),
        K::AttachmentLimitExceeded => (bad("AttachmentLimitExceeded"), quota()),
        K::IncorrectState => (bad("IncorrectState"), conflict()),
        K::InsufficientVolumeCapacity => (unavailable("InsufficientVolumeCapacity"), broken()),
        K::IncorrectModificationState => (bad("IncorrectModificationState"), conflict()),
        K::VolumeModificationRateExceeded => (bad("VolumeModificationRateExceeded"), quota()),
        K::VolumeModificationNotFound => (
            bad("InvalidVolumeModification.NotFound"),
            not_found("DEPENDENCY_RESOURCE_NOT_FOUND"),
        ),
        K::ReplaceRootTaskIdMalformed => (bad("InvalidReplaceRootVolumeTaskID.Malformed"), value),
        K::ReplaceRootTaskNotFound => (
            bad("InvalidReplaceRootVolumeTaskID.NotFound"),
            not_found("DEPENDENCY_RESOURCE_NOT_FOUND"),
        ),
        // Snapshots.
        K::SnapshotIdMalformed => (
            bad("InvalidSnapshotID.Malformed"),
            validation("INVALID_SNAPSHOT_ID"),
        ),
        K::SnapshotNotFound => (
            bad("InvalidSnapshot.NotFound"),
            not_found("SNAPSHOT_NOT_FOUND"),
        ),
        K::SnapshotInUse => (bad("InvalidSnapshot.InUse"), conflict()),
        K::ConcurrentSnapshotLimitExceeded => (bad("ConcurrentSnapshotLimitExceeded"), quota()),
        // The rules of the Recycle Bin.
        K::RuleInvalid => (bad("InvalidParameterValue"), value),
        K::RuleNotFound => (bad("InvalidParameterValue"), not_found("RULE_NOT_FOUND")),
        K::RuleLockState => (bad("IncorrectState"), rule_state()),
        K::RuleQuotaExceeded => (bad("ResourceLimitExceeded"), rule_quota()),
        // Images.
        K::ImageIdMalformed => (
            bad("InvalidAMIID.Malformed"),
            validation("INVALID_IMAGE_ID"),
        ),
        K::ImageNotFound => (bad("InvalidAMIID.NotFound"), not_found("IMAGE_NOT_FOUND")),
        K::ImageUnavailable => (
            bad("InvalidAMIID.Unavailable"),
            not_found("IMAGE_NOT_FOUND"),
        ),
        K::ImageNameDuplicate => (bad("InvalidAMIName.Duplicate"), conflict()),
        K::ImageNameMalformed => (bad("InvalidAMIName.Malformed"), value),
        K::ImageAttributeItemInvalid => (bad("InvalidAMIAttributeItemValue"), value),
        K::ImageManifestInvalid => (bad("InvalidManifest"), value),
        K::ImageUsageReportIdMalformed => (bad("InvalidImageUsageReportId.Malformed"), value),
        K::ImageUsageReportNotFound => (
            bad("InvalidImageUsageReportId.NotFound"),
            not_found("IMAGE_NOT_FOUND"),
        ),
        K::ImageAttributeNotAuthorized | K::ImageNotAuthorized => {
            (("AuthFailure", StatusCode::UNAUTHORIZED), denied())
        }
        K::BlockDeviceMappingInvalid => (bad("InvalidBlockDeviceMapping"), value),
        // Instances.
        K::InstanceIdMalformed => (bad("InvalidInstanceID.Malformed"), value),
        K::InstanceNotFound => (
            bad("InvalidInstanceID.NotFound"),
            not_found("DEPENDENCY_RESOURCE_NOT_FOUND"),
        ),
        K::InstanceTypeInvalid => (bad("InvalidInstanceType"), value),
        K::InstanceAttributeValueInvalid => (bad("InvalidInstanceAttributeValue"), value),
        K::IncorrectInstanceState => (bad("IncorrectInstanceState"), conflict()),
        K::InsufficientInstanceCapacity => (unavailable("InsufficientInstanceCapacity"), broken()),
        K::InstanceLimitExceeded => (bad("InstanceLimitExceeded"), quota()),
        K::IdempotentInstanceTerminated => (bad("IdempotentInstanceTerminated"), conflict()),
        // Keys and network.
        K::KeyPairNotFound => (bad("InvalidKeyPair.NotFound"), value),
        K::KeyPairDuplicate => (bad("InvalidKeyPair.Duplicate"), conflict()),
        K::KeyFormatInvalid => (bad("InvalidKey.Format"), value),
        K::VpcNotFound => (bad("InvalidVpcID.NotFound"), value),
        K::VpcIdMalformed => (bad("InvalidVpcId.Malformed"), value),
        K::SubnetNotFound => (bad("InvalidSubnetID.NotFound"), value),
        K::SubnetIdMalformed => (bad("InvalidSubnetID.Malformed"), value),
        K::PrivateAddressInUse => (bad("InvalidIPAddress.InUse"), conflict()),
        K::PrivateAddressesExhausted => (bad("InsufficientFreeAddressesInSubnet"), quota()),
        K::NetworkInterfaceNotFound => (bad("InvalidNetworkInterfaceID.NotFound"), value),
        K::SecurityGroupNotFound => (bad("InvalidGroup.NotFound"), value),
        K::SecurityGroupIdMalformed => (bad("InvalidGroupId.Malformed"), value),
        K::RegionNotFound => (bad("InvalidParameterValue"), value),
        K::MissingInput => (bad("MissingInput"), value),
        K::VpcIdNotSpecified => (bad("VPCIdNotSpecified"), value),
        K::VpcRange => (bad("InvalidVpc.Range"), value),
        K::VpcLimitExceeded => (bad("VpcLimitExceeded"), quota()),
        K::SubnetRange => (bad("InvalidSubnet.Range"), value),
        K::SubnetConflict => (bad("InvalidSubnet.Conflict"), conflict()),
        K::SubnetLimitExceeded => (bad("SubnetLimitExceeded"), quota()),
        K::DefaultVpcAlreadyExists => (bad("DefaultVpcAlreadyExists"), conflict()),
        K::DefaultVpcDoesNotExist => (bad("DefaultVpcDoesNotExist"), value),
        K::DefaultSubnetAlreadyExists => (
            bad("DefaultSubnetAlreadyExistsInAvailabilityZone"),
            conflict(),
        ),
        K::DependencyViolation => (bad("DependencyViolation"), conflict()),
        K::SecurityGroupDuplicate => (bad("InvalidGroup.Duplicate"), conflict()),
        K::SecurityGroupLimitExceeded => (bad("SecurityGroupLimitExceeded"), quota()),
        K::SecurityGroupsPerInterfaceLimitExceeded => {
            (bad("SecurityGroupsPerInterfaceLimitExceeded"), quota())
        }
        K::RulesPerSecurityGroupLimitExceeded => {
            (bad("RulesPerSecurityGroupLimitExceeded"), quota())
        }
        K::CannotDelete => (bad("CannotDelete"), value),
        K::PermissionDuplicate => (bad("InvalidPermission.Duplicate"), conflict()),
        K::PermissionNotFound => (bad("InvalidPermission.NotFound"), value),
        K::PermissionMalformed => (bad("InvalidPermission.Malformed"), value),
        K::SecurityGroupRuleIdMalformed => (bad("InvalidSecurityGroupRuleId.Malformed"), value),
        K::SecurityGroupRuleNotFound => (bad("InvalidSecurityGroupRuleId.NotFound"), value),
        K::NetworkInterfaceIdMalformed => (bad("InvalidNetworkInterfaceId.Malformed"), value),
        K::NetworkInterfaceInUse => (bad("InvalidNetworkInterface.InUse"), conflict()),
        K::InterfaceAttachmentNotFound => (bad("InvalidAttachmentID.NotFound"), value),
        K::RouteTableIdMalformed => (bad("InvalidRouteTableId.Malformed"), value),
        K::RouteTableNotFound => (bad("InvalidRouteTableID.NotFound"), value),
        K::InternetGatewayIdMalformed => (bad("InvalidInternetGatewayId.Malformed"), value),
        K::InternetGatewayNotFound => (bad("InvalidInternetGatewayID.NotFound"), value),
        K::NetworkAclIdMalformed => (bad("InvalidNetworkAclId.Malformed"), value),
        K::NetworkAclNotFound => (bad("InvalidNetworkAclID.NotFound"), value),
        K::DhcpOptionsIdMalformed => (bad("InvalidDhcpOptionsId.Malformed"), value),
        K::DhcpOptionsNotFound => (bad("InvalidDhcpOptionID.NotFound"), value),
        K::AllocationNotFound => (bad("InvalidAllocationID.NotFound"), value),
        K::AddressMalformed => (bad("InvalidAddress.Malformed"), value),
        K::AddressNotFound => (bad("InvalidAddress.NotFound"), value),
        // Launch templates and instance profiles.
        K::LaunchTemplateIdMalformed => (bad("InvalidLaunchTemplateId.Malformed"), value),
        K::LaunchTemplateIdNotFound => (bad("InvalidLaunchTemplateId.NotFound"), value),
        K::LaunchTemplateNameNotFound => {
            (bad("InvalidLaunchTemplateName.NotFoundException"), value)
        }
        K::LaunchTemplateNameDuplicate => (
            bad("InvalidLaunchTemplateName.AlreadyExistsException"),
            conflict(),
        ),
        K::LaunchTemplateNameMalformed => {
            (bad("InvalidLaunchTemplateName.MalformedException"), value)
        }
        K::LaunchTemplateVersionNotFound => (bad("InvalidLaunchTemplateId.VersionNotFound"), value),
        K::LaunchTemplateVersionLimitExceeded => (bad("VersionLimitExceeded"), quota()),
        K::ProfileAssociationNotFound => (bad("InvalidAssociationID.NotFound"), value),
        // Keys of encrypted things.
        K::KmsKeyNotFound => (bad("InvalidKMSKey.NotFound"), customer_key()),
        K::KmsKeyInvalidState | K::KmsKeyUnavailable => {
            (bad("InvalidKMSKey.InvalidState"), customer_key())
        }
        K::KmsKeyInUse => (bad("InvalidKMSKey.InUse"), conflict()),
        K::KmsKeyAccessDenied => (
            bad("CustomerKeyHasBeenRevoked"),
            exception(
                "AccessDeniedException",
                StatusCode::FORBIDDEN,
                Some("DEPENDENCY_ACCESS_DENIED"),
            ),
        ),
        // What only KMS asks comes to others as a key that is not as it has to be.
        K::Kms(_) => (bad("InvalidKMSKey.InvalidState"), customer_key()),
        // EBS direct.
        K::EbsInvalidSnapshotId => (
            bad("InvalidSnapshotID.Malformed"),
            validation("INVALID_SNAPSHOT_ID"),
        ),
        K::EbsSnapshotNotFound => (
            bad("InvalidSnapshot.NotFound"),
            not_found("SNAPSHOT_NOT_FOUND"),
        ),
        K::EbsInvalidBlock => (bad("InvalidParameterValue"), validation("INVALID_BLOCK")),
        K::EbsBlockNotFound => (bad("InvalidParameterValue"), validation("INVALID_BLOCK")),
        K::EbsInvalidBlockToken => (
            bad("InvalidParameterValue"),
            validation("INVALID_BLOCK_TOKEN"),
        ),
        K::EbsInvalidPageToken => (bad("InvalidNextToken"), validation("INVALID_PAGE_TOKEN")),
        K::EbsInvalidParameterValue => (bad("InvalidParameterValue"), value),
        K::EbsInvalidVolumeSize => (
            bad("InvalidParameterValue"),
            validation("INVALID_VOLUME_SIZE"),
        ),
        K::EbsConflictingBlockUpdate => (
            bad("IncorrectState"),
            validation("CONFLICTING_BLOCK_UPDATE"),
        ),
        K::EbsChecksumMismatch | K::EbsContentMismatch => (
            bad("InvalidParameterValue"),
            validation("INVALID_CONTENT_ENCODING"),
        ),
        K::EbsInvalidParentSnapshot => (
            bad("InvalidParameterValue"),
            validation("INVALID_SNAPSHOT_ID"),
        ),
        K::EbsInvalidTag => (bad("InvalidParameterValue"), validation("INVALID_TAG")),
        K::EbsUnrelatedSnapshots => (
            bad("InvalidParameterValue"),
            validation("UNRELATED_SNAPSHOTS"),
        ),
        K::EbsClientTokenMismatch => (bad("IdempotentParameterMismatch"), conflict()),
        K::EbsSnapshotNotPending | K::EbsSnapshotNotCompleted => {
            (bad("IncorrectState"), validation("INVALID_SNAPSHOT_ID"))
        }
        // Ours.
        K::StorageFull => (unavailable("InsufficientVolumeCapacity"), broken()),
        K::ShuttingDown => (unavailable("Unavailable"), broken()),
        K::Internal => (INTERNAL, broken()),
    }
}

const INTERNAL: QueryCode = ("InternalError", StatusCode::INTERNAL_SERVER_ERROR);

const fn unavailable(code: &'static str) -> QueryCode {
    (code, StatusCode::SERVICE_UNAVAILABLE)
}

/// EC2's code for a problem.
pub(crate) fn ec2(problem: &Problem) -> QueryCode {
    match problem {
        Problem::Auth(AuthError::UnknownKey | AuthError::SessionToken) => {
            ("AuthFailure", StatusCode::UNAUTHORIZED)
        }
        Problem::Auth(error) => signature(error),
        Problem::Query(QueryError::Missing(_)) | Problem::FieldMissing(_) => {
            bad("MissingParameter")
        }
        Problem::Query(QueryError::Unknown(_)) | Problem::FieldUnknown(_) => {
            bad("UnknownParameter")
        }
        Problem::Query(QueryError::Duplicate(_))
        | Problem::FieldRepeated(_)
        | Problem::Form(_)
        | Problem::Json(_) => bad("MalformedQueryString"),
        Problem::Query(QueryError::Refused(_) | QueryError::RefusedValue { .. }) => {
            bad("UnsupportedOperation")
        }
        Problem::Query(QueryError::Wrong { .. }) | Problem::FieldInvalid { .. } => {
            bad("InvalidParameterValue")
        }
        Problem::Query(QueryError::Character { .. }) => bad("InvalidCharacter"),
        Problem::ContentType(_) => bad("InvalidQueryParameter"),
        Problem::Verb(error) => of_kind(error.kind).0,
        Problem::ActionMissing => bad("MissingAction"),
        Problem::ActionUnknown(_) | Problem::OperationUnknown => bad("InvalidAction"),
        Problem::VersionUnknown { .. } => bad("NoSuchVersion"),
        Problem::ServiceUnknown(_) => ("SignatureDoesNotMatch", StatusCode::FORBIDDEN),
        Problem::BodyTooLong { .. } => ("RequestEntityTooLarge", StatusCode::PAYLOAD_TOO_LARGE),
        Problem::BodyBroken => ("RequestTimeout", StatusCode::REQUEST_TIMEOUT),
        Problem::Internal => INTERNAL,
    }
}

fn signature(error: &AuthError) -> QueryCode {
    match error {
        AuthError::MissingToken => ("MissingAuthenticationToken", StatusCode::FORBIDDEN),
        AuthError::Incomplete(_) => bad("IncompleteSignature"),
        AuthError::UnknownKey | AuthError::SessionToken => {
            ("InvalidClientTokenId", StatusCode::FORBIDDEN)
        }
        AuthError::Expired(_) => bad("RequestExpired"),
        AuthError::Scope(_) | AuthError::Mismatch => {
            ("SignatureDoesNotMatch", StatusCode::FORBIDDEN)
        }
    }
}

/// STS's code for a problem, where it speaks another language than EC2.
pub(crate) fn sts(problem: &Problem) -> QueryCode {
    match problem {
        Problem::Auth(AuthError::Expired(_)) => ("SignatureDoesNotMatch", StatusCode::FORBIDDEN),
        Problem::Auth(error) => signature(error),
        Problem::Query(_) | Problem::Form(_) => bad("ValidationError"),
        other => ec2(other),
    }
}

/// The exception of KMS for a problem.
pub(crate) fn kms(problem: &Problem) -> QueryCode {
    let server = StatusCode::INTERNAL_SERVER_ERROR;
    match problem {
        Problem::Auth(_) | Problem::ServiceUnknown(_) => {
            let exception = json(problem);
            (exception.name, StatusCode::BAD_REQUEST)
        }
        Problem::Verb(error) => kms_kind(error.kind),
        Problem::Json(_) => bad("SerializationException"),
        Problem::ActionMissing | Problem::ActionUnknown(_) | Problem::OperationUnknown => {
            bad("UnknownOperationException")
        }
        Problem::Internal => ("KMSInternalException", server),
        _ => bad("ValidationException"),
    }
}

fn kms_kind(kind: ErrorKind) -> QueryCode {
    use ErrorKind as K;
    let server = StatusCode::INTERNAL_SERVER_ERROR;
    match kind {
        K::Kms(KmsFault::DryRun) => ("DryRunOperationException", StatusCode::PRECONDITION_FAILED),
        K::Kms(fault) => bad(kms_fault(fault)),
        K::KmsKeyNotFound => bad("NotFoundException"),
        K::KmsKeyInvalidState | K::KmsKeyInUse => bad("KMSInvalidStateException"),
        K::KmsKeyAccessDenied | K::Unauthorized => bad("AccessDeniedException"),
        K::KmsKeyUnavailable => ("KeyUnavailableException", server),
        K::StorageFull | K::ShuttingDown | K::Internal => ("KMSInternalException", server),
        _ => bad("ValidationException"),
    }
}

fn kms_fault(fault: KmsFault) -> &'static str {
    use KmsFault as F;
    match fault {
        F::AccessDenied => "AccessDeniedException",
        F::AlreadyExists => "AlreadyExistsException",
        F::Disabled => "DisabledException",
        F::DryRun => "DryRunOperationException",
        F::IncorrectKey => "IncorrectKeyException",
        F::InvalidAliasName => "InvalidAliasNameException",
        F::InvalidArn => "InvalidArnException",
        F::InvalidCiphertext => "InvalidCiphertextException",
        F::InvalidGrantId => "InvalidGrantIdException",
        F::InvalidGrantToken => "InvalidGrantTokenException",
        F::InvalidMarker => "InvalidMarkerException",
        F::InvalidState => "KMSInvalidStateException",
        F::LimitExceeded => "LimitExceededException",
        F::MalformedPolicy => "MalformedPolicyDocumentException",
        F::NotFound => "NotFoundException",
        F::Tag => "TagException",
        F::Unsupported => "UnsupportedOperationException",
        F::Validation => "ValidationException",
    }
}

/// The exception of a JSON service for a problem.
pub(crate) fn json(problem: &Problem) -> Exception {
    let forbidden = |name| exception(name, StatusCode::FORBIDDEN, None);
    let value = validation("INVALID_PARAMETER_VALUE");
    match problem {
        Problem::Auth(AuthError::MissingToken) => forbidden("MissingAuthenticationTokenException"),
        Problem::Auth(AuthError::Incomplete(_)) => forbidden("IncompleteSignatureException"),
        Problem::Auth(AuthError::UnknownKey | AuthError::SessionToken) => {
            forbidden("UnrecognizedClientException")
        }
        Problem::Auth(_) | Problem::ServiceUnknown(_) => forbidden("InvalidSignatureException"),
        Problem::Verb(error) => of_kind(error.kind).1,
        Problem::Form(_)
        | Problem::Query(_)
        | Problem::FieldMissing(_)
        | Problem::FieldInvalid { .. }
        | Problem::FieldUnknown(_)
        | Problem::FieldRepeated(_)
        | Problem::ContentType(_) => value,
        Problem::Json(_) => exception("SerializationException", StatusCode::BAD_REQUEST, None),
        Problem::ActionMissing | Problem::ActionUnknown(_) | Problem::OperationUnknown => {
            exception("UnknownOperationException", StatusCode::NOT_FOUND, None)
        }
        Problem::VersionUnknown { .. } => value,
        Problem::BodyTooLong { .. } => value,
        Problem::BodyBroken => validation("WRITE_REQUEST_TIMEOUT"),
        Problem::Internal => broken(),
    }
}
