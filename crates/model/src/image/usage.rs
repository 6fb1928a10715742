//! Reports on who uses an image.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    filter::{Filterable, one, time},
    ids::{AccountId, ImageId, ImageUsageReportId},
    place::Region,
    tag::Tags,
    time::Timestamp,
};

/// For how long a report is kept.
pub const REPORT_KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A report as metadata knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageReport {
    /// Its id.
    pub id: ImageUsageReportId,
    /// Owner, of the image too.
    pub account: AccountId,
    /// Where it lies.
    pub region: Region,
    /// The image.
    pub image_id: ImageId,
    /// What was looked for.
    pub resource_types: Vec<ResourceTypeWish>,
    /// Whose use was looked for; empty means everybody's.
    pub accounts: Vec<AccountId>,
    /// State.
    pub state: ReportState,
    /// Why there is none, if there is none.
    pub state_reason: Option<String>,
    /// When it was asked for.
    pub creation_time: Timestamp,
    /// What was found, once it is available.
    pub entries: Vec<UsageEntry>,
    /// Tags.
    pub tags: Tags,
}

/// A kind of resource, with options.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceTypeWish {
    /// The kind, as EC2 spells it.
    pub resource_type: String,
    /// Names of options, with their values.
    pub options: Vec<(String, Vec<String>)>,
}

/// How many resources of a kind an account has of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageEntry {
    /// The account.
    pub account: AccountId,
    /// The kind, as EC2 spells it.
    pub resource_type: String,
    /// How many.
    pub count: u64,
}

/// An entry with its report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedUsage {
    /// The report.
    pub report_id: ImageUsageReportId,
    /// The image.
    pub image_id: ImageId,
    /// When the report was asked for.
    pub report_creation_time: Timestamp,
    /// The entry.
    pub entry: UsageEntry,
}

/// States of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the states of EC2, by their names")]
pub enum ReportState {
    Pending,
    Available,
    Error,
}

impl UsageReport {
    /// When it goes.
    pub fn expiration_time(&self) -> Timestamp {
        self.creation_time.after(REPORT_KEPT_FOR)
    }
}

impl Filterable for UsageReport {
    const FILTERS: &'static [&'static str] = &["creation-time", "state"];

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "creation-time" => time(self.creation_time),
            "state" => one(self.state),
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }
}

impl Filterable for ReportedUsage {
    const FILTERS: &'static [&'static str] = &["account-id", "creation-time", "resource-type"];
    const HAS_TAGS: bool = false;

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "account-id" => one(&self.entry.account),
            "creation-time" => time(self.report_creation_time),
            "resource-type" => one(&self.entry.resource_type),
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        None
    }
}
