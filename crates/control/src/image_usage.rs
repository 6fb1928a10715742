//! Reports on who uses an image.

use std::collections::BTreeMap;

use cairn_model::{
    AccountId, ImageId, ImageUsageReportId, Paged, ResourceType, TagsByType,
    image::usage::{ReportState, ReportedUsage, UsageEntry, UsageReport},
    page::Bounds,
};
use cairn_store::{Connection, image_usage as reports, launch_template};
use serde::{Deserialize, Serialize};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    describe::{self, Question},
    image::{find, invalid},
    image_lineage::{INSTANCE, LAUNCH_TEMPLATE, check_wish, depth_of},
    jobs::{self, Failure, Job, Next},
    request::{ById, CreateImageUsageReport, DescribeUsageReports},
    token::Idempotency,
};

/// Kinds of resource that a report counts.
const KINDS: &[&str] = &[INSTANCE, LAUNCH_TEMPLATE];

/// How many of a launch template's latest versions are looked at, unless a report says.
const REPORT_DEPTH: u32 = 20;

/// The most accounts, and the most ids, of one request.
const NAMED_MAX: usize = 200;

const PAGE: Bounds = Bounds { min: 1, max: 1000 };

impl Control {
    /// Has the use of an image counted, of all accounts or some.
    pub async fn create_image_usage_report(
        &self,
        caller: &Caller,
        request: CreateImageUsageReport,
    ) -> Result<ImageUsageReportId> {
        let tags = TagsByType::of(
            &request.tag_specifications,
            &[ResourceType::ImageUsageReport],
        )?;
        check_wishes(&request)?;
        let accounts = accounts(&request.account_ids)?;
        let token = request.client_token.as_deref();
        let idempotency = Idempotency::of(caller, "CreateImageUsageReport", token, &request)?;
        let mut tx = self.store().write().await?;
        let image = find(&mut tx, caller, &request.image_id, self.now()).await?;
        if let Some(id) = idempotency.known(&mut tx).await? {
            describe::refuse_dry_run(request.dry_run)?;
            return id.parse().map_err(Error::internal);
        }
        describe::refuse_dry_run(request.dry_run)?;
        let report = UsageReport {
            id: ImageUsageReportId::generate(self.entropy()),
            account: caller.account.clone(),
            region: caller.region,
            image_id: image.id,
            resource_types: request.resource_types,
            accounts,
            state: ReportState::Pending,
            state_reason: None,
            creation_time: self.stamp(),
            entries: Vec::new(),
            tags: tags.tags(ResourceType::ImageUsageReport),
        };
        reports::insert(&mut tx, &report).await?;
        let job = UsageReportJob {
            report: report.id.clone(),
        };
        jobs::enqueue(&mut tx, &job, self.now()).await?;
        idempotency
            .record(&mut tx, report.id.as_str(), self.now())
            .await?;
        tx.commit().await?;
        self.wake_jobs();
        Ok(report.id)
    }

    /// The caller's reports that pass the filters, oldest first.
    pub async fn describe_image_usage_reports(
        &self,
        caller: &Caller,
        request: DescribeUsageReports,
    ) -> Result<Paged<UsageReport>> {
        let found = self.reports(caller, &request).await?;
        Question {
            control: self,
            caller,
            operation: "DescribeImageUsageReports",
            bounds: PAGE,
            request: &request.common,
        }
        .answer(found, |report| {
            format!("{:020} {}", report.creation_time.0, report.id)
        })
    }

    /// What the caller's reports say.
    pub async fn describe_image_usage_report_entries(
        &self,
        caller: &Caller,
        request: DescribeUsageReports,
    ) -> Result<Paged<ReportedUsage>> {
        let found = self.reports(caller, &request).await?;
        Question {
            control: self,
            caller,
            operation: "DescribeImageUsageReportEntries",
            bounds: PAGE,
            request: &request.common,
        }
        .answer(found.into_iter().flat_map(entries).collect(), |usage| {
            let (time, entry) = (usage.report_creation_time.0, &usage.entry);
            format!(
                "{time:020} {} {} {}",
                usage.report_id, entry.account, entry.resource_type
            )
        })
    }

    /// Deletes a report.
    pub async fn delete_image_usage_report(&self, caller: &Caller, request: ById) -> Result<()> {
        let mut tx = self.store().write().await?;
        let id = parse(&request.id)?;
        let found = reports::get(&mut tx, &id).await?;
        let own = |report: &UsageReport| {
            report.account == caller.account && report.region == caller.region
        };
        found
            .filter(own)
            .filter(|report| self.is_kept(report))
            .ok_or_else(|| not_found(&request.id))?;
        describe::refuse_dry_run(request.dry_run)?;
        reports::delete(&mut tx, &id).await?;
        Ok(tx.commit().await?)
    }

    async fn reports(
        &self,
        caller: &Caller,
        request: &DescribeUsageReports,
    ) -> Result<Vec<UsageReport>> {
        let (ids, images) = (&request.common.ids, &request.image_ids);
        for id in ids {
            parse(id)?;
        }
        for id in images {
            describe::parse_id::<ImageId>(id, ErrorKind::ImageIdMalformed)?;
        }
        if ids.len().max(images.len()) > NAMED_MAX {
            return Err(too_many("ids"));
        }
        let conn = &mut *self.store().read().await?;
        let mut all = reports::list(conn, &caller.account, caller.region).await?;
        all.retain(|report| self.is_kept(report));
        let mut found = describe::select(all, ids, |report| report.id.as_str(), not_found)?;
        found.retain(|report| {
            images.is_empty() || images.iter().any(|id| report.image_id.as_str() == *id)
        });
        Ok(found)
    }

    fn is_kept(&self, report: &UsageReport) -> bool {
        self.now() < report.expiration_time()
    }
}

fn entries(report: UsageReport) -> impl Iterator<Item = ReportedUsage> {
    let entries = report.entries.into_iter();
    entries.map(move |entry| ReportedUsage {
        report_id: report.id.clone(),
        image_id: report.image_id.clone(),
        report_creation_time: report.creation_time,
        entry,
    })
}

fn check_wishes(request: &CreateImageUsageReport) -> Result<()> {
    if request.resource_types.is_empty() {
        return Err(Error::missing_parameter("ResourceType"));
    }
    for wish in &request.resource_types {
        check_wish(wish, KINDS)?;
        // A report counts instances in all states.
        if wish.resource_type == INSTANCE
            && let Some((name, _)) = wish.options.first()
        {
            return Err(invalid("optionName", name));
        }
    }
    Ok(())
}

fn accounts(ids: &[String]) -> Result<Vec<AccountId>> {
    if ids.len() > NAMED_MAX {
        return Err(too_many("accounts"));
    }
    ids.iter()
        .map(|id| describe::parse_id(id, ErrorKind::UserIdMalformed))
        .collect()
}

fn too_many(what: &str) -> Error {
    let message = format!("A request may name up to {NAMED_MAX} {what}.");
    Error::new(ErrorKind::InvalidParameterValue, message)
}

fn parse(id: &str) -> Result<ImageUsageReportId> {
    describe::parse_id(id, ErrorKind::ImageUsageReportIdMalformed)
}

fn not_found(id: &str) -> Error {
    Error::new(
        ErrorKind::ImageUsageReportNotFound,
        format!("The image usage report '{id}' does not exist."),
    )
}

/// Counts the use of an image.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UsageReportJob {
    report: ImageUsageReportId,
}

impl Job for UsageReportJob {
    const KIND: &'static str = "image-usage-report";

    fn subject(&self) -> &str {
        self.report.as_str()
    }

    /// Counted and recorded in one transaction, so that the report is of one moment.
    async fn step(&self, control: &Control, _step: u32) -> Result<Next, Failure> {
        let mut tx = control.store().write().await?;
        let Some(report) = reports::get(&mut tx, &self.report).await? else {
            return Ok(Next::Done);
        };
        let counted = count(&mut tx, &report).await?;
        reports::update(&mut tx, &self.report, |report| {
            report.state = ReportState::Available;
            report.entries = counted;
        })
        .await?;
        tx.commit().await?;
        Ok(Next::Done)
    }

    async fn undo(&self, control: &Control, _step: u32, why: &str) -> Result<(), Failure> {
        let mut tx = control.store().write().await?;
        reports::update(&mut tx, &self.report, |report| {
            report.state = ReportState::Error;
            report.state_reason = Some(why.to_owned());
        })
        .await?;
        Ok(tx.commit().await?)
    }
}

/// How often each account uses the image, by kind of resource.
async fn count(conn: &mut Connection, report: &UsageReport) -> Result<Vec<UsageEntry>> {
    let mut entries = Vec::new();
    let wish_for = |kind: &&str| {
        let mut wishes = report.resource_types.iter();
        wishes.find(|wish| wish.resource_type == *kind)
    };
    for wish in KINDS.iter().filter_map(wish_for) {
        let counts = match wish.resource_type.as_str() {
            INSTANCE => reports::count_instances(conn, &report.image_id).await?,
            _ => count_templates(conn, &report.image_id, depth_of(wish, REPORT_DEPTH)?).await?,
        };
        entries.extend(counts.into_iter().map(|(account, count)| UsageEntry {
            account,
            resource_type: wish.resource_type.clone(),
            count,
        }));
    }
    let asked = &report.accounts;
    entries.retain(|entry| asked.is_empty() || asked.contains(&entry.account));
    Ok(entries)
}

/// The launch templates of each account that name an image in one of their latest versions.
async fn count_templates(
    conn: &mut Connection,
    image: &ImageId,
    depth: u32,
) -> Result<Vec<(AccountId, u64)>> {
    let mut counts = BTreeMap::new();
    for template in launch_template::referring(conn, image, depth).await? {
        *counts.entry(template.account).or_default() += 1;
    }
    Ok(counts.into_iter().collect())
}
