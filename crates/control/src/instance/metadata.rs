//! How the metadata service of instances answers: for one instance, and for those that an account launches.
//!
//! The service asks for the options with each request, so that a change holds at once.

use cairn_model::{Instance, instance::MetadataOptions, launch::MetadataRequest};
use cairn_store::{Connection, instance, setting};
use serde::{Deserialize, Serialize};

use super::attribute::check_alive;
use crate::{
    Caller, Control, Error, ErrorKind, Result, describe,
    launch::{metadata, one_of},
    request::{ModifyMetadataDefaults, ModifyMetadataOptions},
};

/// The word that takes a default back.
const NO_PREFERENCE: &str = "no-preference";

/// What an account wants of the metadata service of its new instances.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MetadataDefaults {
    /// Whether it answers.
    pub http_endpoint: Option<bool>,
    /// Whether only IMDSv2 is answered.
    pub http_tokens_required: Option<bool>,
    /// Hops, 1–64.
    pub http_put_response_hop_limit: Option<i32>,
    /// Whether it shows tags.
    pub instance_metadata_tags: Option<bool>,
    /// Whether launches are refused that would answer IMDSv1.
    pub http_tokens_enforced: Option<bool>,
}

impl setting::Setting for MetadataDefaults {
    const NAME: &'static str = "instance-metadata-defaults";
}

impl MetadataDefaults {
    /// What a launch says, and of the rest what the account wants.
    fn under(&self, request: MetadataRequest) -> MetadataRequest {
        MetadataRequest {
            http_endpoint: request.http_endpoint.or(self.http_endpoint),
            http_tokens_required: request.http_tokens_required.or(self.http_tokens_required),
            http_put_response_hop_limit: request
                .http_put_response_hop_limit
                .or(self.http_put_response_hop_limit),
            instance_metadata_tags: request
                .instance_metadata_tags
                .or(self.instance_metadata_tags),
        }
    }
}

impl Control {
    /// Changes how the metadata service of an instance answers.
    pub async fn modify_instance_metadata_options(
        &self,
        caller: &Caller,
        request: ModifyMetadataOptions,
    ) -> Result<Instance> {
        let asked = metadata(&request.options)?;
        if asked == MetadataRequest::default() {
            return Err(Error::missing_parameter(
                "HttpTokens, HttpEndpoint or another option",
            ));
        }
        let hop_limit = asked.http_put_response_hop_limit;
        if let Some(limit) = hop_limit.filter(|limit| !(1..=64).contains(limit)) {
            return Err(hop_limit_invalid(limit));
        }
        let mut tx = self.store().write().await?;
        let found = self
            .find_instance(&mut tx, caller, &request.instance_id)
            .await?;
        check_alive(&found)?;
        let options = changed(found.metadata_options, asked);
        if options.instance_metadata_tags {
            cairn_model::tag::check_for_metadata(&found.tags)?;
        }
        let defaults: MetadataDefaults =
            setting::get(&mut tx, &caller.account, caller.region).await?;
        check_enforced(&defaults, options)?;
        describe::refuse_dry_run(request.dry_run)?;
        let now = instance::update(&mut tx, &found.id, |i| i.metadata_options = options).await?;
        tx.commit().await?;
        now.ok_or_else(|| Error::internal("an instance is gone"))
    }

    /// What the account wants of the metadata service of its new instances.
    pub async fn get_instance_metadata_defaults(
        &self,
        caller: &Caller,
        dry_run: bool,
    ) -> Result<MetadataDefaults> {
        let conn = &mut *self.store().read().await?;
        describe::refuse_dry_run(dry_run)?;
        Ok(setting::get(conn, &caller.account, caller.region).await?)
    }

    /// Changes it; `no-preference`, or -1 hops, takes a part of it back.
    pub async fn modify_instance_metadata_defaults(
        &self,
        caller: &Caller,
        request: ModifyMetadataDefaults,
    ) -> Result<()> {
        let mut tx = self.store().write().await?;
        let mut defaults: MetadataDefaults =
            setting::get(&mut tx, &caller.account, caller.region).await?;
        change(&mut defaults, &request)?;
        describe::refuse_dry_run(request.dry_run)?;
        setting::put(&mut tx, &caller.account, caller.region, &defaults).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// What a launch asks of the metadata service, with the defaults of its account.
pub(crate) async fn with_defaults(
    conn: &mut Connection,
    caller: &Caller,
    request: MetadataRequest,
) -> Result<(MetadataRequest, MetadataDefaults)> {
    let defaults: MetadataDefaults = setting::get(conn, &caller.account, caller.region).await?;
    Ok((defaults.under(request), defaults))
}

/// Refuses IMDSv1 where an account does not want it.
pub(crate) fn check_enforced(defaults: &MetadataDefaults, options: MetadataOptions) -> Result<()> {
    let answers_v1 = options.http_endpoint && !options.http_tokens_required;
    if defaults.http_tokens_enforced == Some(true) && answers_v1 {
        return Err(Error::new(
            ErrorKind::UnsupportedOperation,
            "Your account enforces IMDSv2: set HttpTokens to required, or disable the enforcement by ModifyInstanceMetadataDefaults.",
        ));
    }
    Ok(())
}

fn changed(old: MetadataOptions, asked: MetadataRequest) -> MetadataOptions {
    MetadataOptions {
        http_endpoint: asked.http_endpoint.unwrap_or(old.http_endpoint),
        http_tokens_required: asked
            .http_tokens_required
            .unwrap_or(old.http_tokens_required),
        http_put_response_hop_limit: asked
            .http_put_response_hop_limit
            .unwrap_or(old.http_put_response_hop_limit),
        instance_metadata_tags: asked
            .instance_metadata_tags
            .unwrap_or(old.instance_metadata_tags),
    }
}

fn change(defaults: &mut MetadataDefaults, request: &ModifyMetadataDefaults) -> Result<()> {
    let options = &request.options;
    for (name, text, yes, no, kept) in [
        (
            "HttpEndpoint",
            &options.http_endpoint,
            "enabled",
            "disabled",
            &mut defaults.http_endpoint,
        ),
        (
            "HttpTokens",
            &options.http_tokens,
            "required",
            "optional",
            &mut defaults.http_tokens_required,
        ),
        (
            "InstanceMetadataTags",
            &options.instance_metadata_tags,
            "enabled",
            "disabled",
            &mut defaults.instance_metadata_tags,
        ),
        (
            "HttpTokensEnforced",
            &request.http_tokens_enforced,
            "enabled",
            "disabled",
            &mut defaults.http_tokens_enforced,
        ),
    ] {
        if text.as_deref() == Some(NO_PREFERENCE) {
            *kept = None;
        } else if let Some(value) = one_of(name, text, yes, no)? {
            *kept = Some(value);
        }
    }
    match options.http_put_response_hop_limit {
        None => {}
        Some(-1) => defaults.http_put_response_hop_limit = None,
        Some(limit) if (1..=64).contains(&limit) => {
            defaults.http_put_response_hop_limit = Some(limit);
        }
        Some(limit) => return Err(hop_limit_invalid(limit)),
    }
    Ok(())
}

fn hop_limit_invalid(limit: i32) -> Error {
    let message = format!(
        "Value ({limit}) for parameter HttpPutResponseHopLimit is invalid. It is from 1 to 64."
    );
    Error::new(ErrorKind::InvalidParameterValue, message)
}
