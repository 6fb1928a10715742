//! Answers about networks.

use cairn_model::{
    InterfaceAttachmentId, NetworkInterface, SecurityGroupRule, security_group::RuleSpec,
};

/// What a revocation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// The rules that are gone.
    pub rules: Vec<SecurityGroupRule>,
    /// What was to go and was not there.
    pub unknown: Vec<RuleSpec>,
}

/// What DescribeVpcAttribute answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the attributes of EC2, by their names")]
pub enum VpcAttribute {
    EnableDnsHostnames(bool),
    EnableDnsSupport(bool),
    EnableNetworkAddressUsageMetrics(bool),
}

/// What CreateNetworkInterface answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedInterface {
    /// The interface.
    pub interface: NetworkInterface,
    /// The token of the request.
    pub client_token: Option<String>,
}

/// What AttachNetworkInterface answers: the id of the attachment.
pub type AttachedInterface = InterfaceAttachmentId;
