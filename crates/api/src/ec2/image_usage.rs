//! Reports on who uses an image.

use cairn_control::request as verbs;
use cairn_model::image::usage::{ReportedUsage, ResourceTypeWish, UsageReport};

use super::{
    Answered, Call, answer,
    common::{self, some},
};
use crate::generated::{request, response};

pub(super) async fn create(call: &Call<'_>) -> Answered {
    let asked: request::CreateImageUsageReportRequest = call.request()?;
    let request = verbs::CreateImageUsageReport {
        image_id: asked.image_id,
        resource_types: asked.resource_types.into_iter().map(wish).collect(),
        account_ids: asked.account_ids,
        tag_specifications: common::tag_specifications(asked.tag_specifications)?,
        client_token: asked.client_token,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    let id = call
        .control
        .create_image_usage_report(call.caller, request)
        .await?;
    answer(response::CreateImageUsageReportResult {
        report_id: some(id),
    })
}

fn wish(asked: request::ImageUsageResourceTypeRequest) -> ResourceTypeWish {
    let options = asked.resource_type_options.into_iter();
    ResourceTypeWish {
        resource_type: asked.resource_type.unwrap_or_default(),
        options: options
            .map(|option| (option.option_name.unwrap_or_default(), option.option_values))
            .collect(),
    }
}

pub(super) async fn describe(call: &Call<'_>) -> Answered {
    let asked: request::DescribeImageUsageReportsRequest = call.request()?;
    let common = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let request = verbs::DescribeUsageReports {
        common: verbs::Describe {
            ids: asked.report_ids,
            ..common
        },
        image_ids: asked.image_ids,
    };
    let found = call
        .control
        .describe_image_usage_reports(call.caller, request)
        .await?;
    answer(response::DescribeImageUsageReportsResult {
        image_usage_reports: found.items.iter().map(show).collect(),
        next_token: found.next_token,
    })
}

pub(super) async fn describe_entries(call: &Call<'_>) -> Answered {
    let asked: request::DescribeImageUsageReportEntriesRequest = call.request()?;
    let common = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let request = verbs::DescribeUsageReports {
        common: verbs::Describe {
            ids: asked.report_ids,
            ..common
        },
        image_ids: asked.image_ids,
    };
    let found = call
        .control
        .describe_image_usage_report_entries(call.caller, request)
        .await?;
    answer(response::DescribeImageUsageReportEntriesResult {
        image_usage_report_entries: found.items.iter().map(show_entry).collect(),
        next_token: found.next_token,
    })
}

pub(super) async fn delete(call: &Call<'_>) -> Answered {
    let asked: request::DeleteImageUsageReportRequest = call.request()?;
    let request = verbs::ById {
        id: asked.report_id,
        dry_run: asked.dry_run.unwrap_or_default(),
    };
    call.control
        .delete_image_usage_report(call.caller, request)
        .await?;
    answer(response::DeleteImageUsageReportResult {
        r#return: Some(true),
    })
}

fn show(report: &UsageReport) -> response::ImageUsageReport {
    response::ImageUsageReport {
        image_id: some(&report.image_id),
        report_id: some(&report.id),
        resource_types: report.resource_types.iter().map(show_wish).collect(),
        account_ids: report.accounts.iter().map(ToString::to_string).collect(),
        state: some(report.state),
        state_reason: report.state_reason.clone(),
        creation_time: Some(report.creation_time),
        expiration_time: Some(report.expiration_time()),
        tags: common::tags(&report.tags),
    }
}

fn show_wish(wish: &ResourceTypeWish) -> response::ImageUsageResourceType {
    let options = wish.options.iter();
    response::ImageUsageResourceType {
        resource_type: some(&wish.resource_type),
        resource_type_options: options
            .map(|(name, values)| response::ImageUsageResourceTypeOption {
                option_name: some(name),
                option_values: values.clone(),
            })
            .collect(),
    }
}

fn show_entry(usage: &ReportedUsage) -> response::ImageUsageReportEntry {
    response::ImageUsageReportEntry {
        resource_type: some(&usage.entry.resource_type),
        report_id: some(&usage.report_id),
        usage_count: Some(common::signed(usage.entry.count)),
        account_id: some(&usage.entry.account),
        image_id: some(&usage.image_id),
        report_creation_time: Some(usage.report_creation_time),
    }
}
