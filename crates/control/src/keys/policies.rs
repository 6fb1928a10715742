//! Key policies: the one that a key has, and changing it.

use cairn_model::{
    KeyOperation, KmsKey, Paged,
    kms_policy::{KeyRequest, Policy, Verdict},
};
use cairn_store::kms_key;
use serde_json::json;

use super::{
    access::{Ask, List, admit, locate_by_id},
    fault::{KmsFault, check_length},
};
use crate::{
    Caller, Control, Error, Result,
    request::kms::{GetKeyPolicy, ListOfKey, PutKeyPolicy},
};

/// The name of the one policy that a key has.
pub const POLICY_NAME: &str = "default";
/// The longest policy that a key can have, in bytes.
const POLICY_MAX: usize = 32 << 10;

impl Control {
    /// The policy of a key, as it was put.
    pub async fn get_key_policy(&self, caller: &Caller, request: GetKeyPolicy) -> Result<String> {
        let conn = &mut *self.store().read().await?;
        let key = locate_by_id(conn, caller, &request.key_id).await?;
        check_name(request.policy_name.as_deref())?;
        admit(conn, caller, &key, Ask::of(KeyOperation::GetKeyPolicy)).await?;
        Ok(text_of(&key))
    }

    /// Gives a key another policy.
    pub async fn put_key_policy(&self, caller: &Caller, request: PutKeyPolicy) -> Result<()> {
        let mut tx = self.store().write().await?;
        let key = locate_by_id(&mut tx, caller, &request.key_id).await?;
        check_name(request.policy_name.as_deref())?;
        admit(&mut tx, caller, &key, Ask::of(KeyOperation::PutKeyPolicy)).await?;
        let bypass = request.bypass_policy_lockout_safety_check.unwrap_or(false);
        check_policy(caller, &key.arn(), &request.policy, bypass)?;
        kms_key::update(&mut tx, &key.id, |key| key.policy = Some(request.policy)).await?;
        Ok(tx.commit().await?)
    }

    /// The names of the policies of a key: there is one.
    pub async fn list_key_policies(
        &self,
        caller: &Caller,
        request: ListOfKey,
    ) -> Result<Paged<String>> {
        let name = request.key_id.unwrap_or_default();
        let conn = &mut *self.store().read().await?;
        let key = locate_by_id(conn, caller, &name).await?;
        admit(conn, caller, &key, Ask::of(KeyOperation::ListKeyPolicies)).await?;
        let list = List {
            operation: "ListKeyPolicies",
            about: key.id.as_str(),
            limit: request.limit,
            marker: request.marker.as_deref(),
            usual: 100,
            max: 1000,
        };
        self.kms_page(caller, list, vec![POLICY_NAME.to_owned()], Clone::clone)
    }
}

/// The policy of a key, to be asked.
pub(crate) fn of(key: &KmsKey) -> Result<Policy> {
    serde_json::from_str(&text_of(key)).map_err(Error::internal)
}

/// Refuses a policy that is not understood, or that locks its owner out.
pub(crate) fn check_policy(caller: &Caller, arn: &str, text: &str, bypass: bool) -> Result<()> {
    check_length("policy", text, POLICY_MAX)?;
    let policy: Policy = serde_json::from_str(text).map_err(malformed)?;
    policy.check().map_err(malformed)?;
    let next = KeyRequest {
        account: &caller.account,
        operation: KeyOperation::PutKeyPolicy,
        key_arn: arn,
        via: None,
        context: Ask::of(KeyOperation::PutKeyPolicy).context,
    };
    match bypass || policy.verdict(&next) == Verdict::Allowed {
        true => Ok(()),
        false => Err(malformed(
            "The new key policy will not allow you to update the key policy in the future.",
        )),
    }
}

fn malformed(why: impl std::fmt::Display) -> Error {
    KmsFault::MalformedPolicy.of(why)
}

fn check_name(name: Option<&str>) -> Result<()> {
    match name {
        None | Some(POLICY_NAME) => Ok(()),
        Some(other) => Err(KmsFault::NotFound.of(format!(
            "No policy named '{other}': a key has one, which is named {POLICY_NAME}."
        ))),
    }
}

fn text_of(key: &KmsKey) -> String {
    match &key.policy {
        Some(policy) => policy.clone(),
        None if key.aws_managed => ebs_policy(key),
        None => default_policy(key),
    }
}

/// What AWS gives a key whose maker says nothing: its owner may do everything.
fn default_policy(key: &KmsKey) -> String {
    let policy = json!({
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [{
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{}:root", key.account)},
            "Action": "kms:*",
            "Resource": "*",
        }],
    });
    format!("{policy:#}")
}

/// What the key behind `alias/aws/ebs` has: EBS uses it, and its owner looks at it.
fn ebs_policy(key: &KmsKey) -> String {
    let policy = json!({
        "Version": "2012-10-17",
        "Id": "auto-ebs-2",
        "Statement": [
            {
                "Sid": "Allow access through EBS for all principals in the account that are authorized to use EBS",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": [
                    "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant",
                    "kms:DescribeKey",
                ],
                "Resource": "*",
                "Condition": {"StringEquals": {
                    "kms:CallerAccount": key.account.as_str(),
                    "kms:ViaService": format!("ec2.{}.amazonaws.com", key.region.name()),
                }},
            },
            {
                "Sid": "Allow direct access to key metadata to the account",
                "Effect": "Allow",
                "Principal": {"AWS": format!("arn:aws:iam::{}:root", key.account)},
                "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
                "Resource": "*",
            },
        ],
    });
    format!("{policy:#}")
}
