//! Images as time goes by: deprecated, protected, disabled, allowed, and remembered by what comes from
//! them.

#![allow(clippy::unwrap_used, missing_docs)]

mod machines;
mod support;

use std::{sync::Arc, time::Duration};

use cairn_control::{
    Caller, Control, ErrorKind,
    account::Memberships,
    request::{
        CreateImage, CreateImageUsageReport, CreateLaunchTemplate, CreateTemplateVersion,
        DeregisterImage, Describe, DescribeImageReferences, DescribeImages, DescribeUsageReports,
        EnableDeregistrationProtection, EnableImageDeprecation, Grantees, ModifyImageAttribute,
        RegisterImage, ReplaceImageCriteria, SetState, TemplateName, TerminateInstances,
    },
};
use cairn_model::{
    ImageId, ImageState, InstanceState, Timestamp,
    image::{
        allowed::ImageCriterion,
        usage::{ReportState, ResourceTypeWish},
    },
    launch_template::TemplateData,
};
use machines::*;
use support::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn add(id: &ImageId, grantees: Grantees) -> ModifyImageAttribute {
    ModifyImageAttribute {
        image_id: id.to_string(),
        operation_type: Some("add".to_owned()),
        grantees,
        ..ModifyImageAttribute::default()
    }
}

async fn share(control: &Control, owner: &Caller, id: &ImageId, with: &Caller) {
    let grantees = Grantees {
        user_ids: vec![with.account.to_string()],
        ..Grantees::default()
    };
    let request = add(id, grantees);
    control
        .modify_image_attribute(owner, request)
        .await
        .unwrap();
}

async fn publish(control: &Control, owner: &Caller, id: &ImageId) {
    control
        .disable_image_block_public_access(owner, false)
        .await
        .unwrap();
    let grantees = Grantees {
        user_groups: vec!["all".to_owned()],
        ..Grantees::default()
    };
    let request = add(id, grantees);
    control
        .modify_image_attribute(owner, request)
        .await
        .unwrap();
}

fn everything() -> DescribeImages {
    DescribeImages::default()
}

async fn seen(control: &Control, caller: &Caller, request: DescribeImages) -> Vec<ImageId> {
    let found = control.describe_images(caller, request).await.unwrap();
    found.items.into_iter().map(|seen| seen.image.id).collect()
}

fn withdrawal(id: &ImageId) -> DeregisterImage {
    DeregisterImage {
        image_id: id.to_string(),
        ..DeregisterImage::default()
    }
}

fn at(world: &World, later: Duration) -> Timestamp {
    use cairn_model::Clock as _;
    world.place.clock.now().after(later)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deprecated_image_is_hidden_from_others_but_not_from_use() {
    let world = World::new(11);
    let (control, owner) = world.begin().await;
    let other = new_caller(&control).await;
    let id = image(&control, &owner).await;
    share(&control, &owner, &id, &other).await;
    let deprecate = |time| EnableImageDeprecation {
        image_id: id.to_string(),
        deprecate_at: time,
        dry_run: false,
    };
    let past = deprecate(Timestamp(at(&world, Duration::ZERO).0 - 1));
    let far = deprecate(at(&world, DAY * 3653));
    for wrong in [past, far] {
        let refusal = control.enable_image_deprecation(&owner, wrong).await;
        refused(refusal, ErrorKind::InvalidParameterValue);
    }
    let soon = at(&world, DAY);
    control
        .enable_image_deprecation(&owner, deprecate(soon))
        .await
        .unwrap();
    assert_eq!(
        seen(&control, &other, everything()).await,
        std::slice::from_ref(&id)
    );
    world.place.clock.advance(DAY + Duration::from_secs(60));
    assert!(seen(&control, &other, everything()).await.is_empty());
    assert_eq!(
        seen(&control, &owner, everything()).await,
        std::slice::from_ref(&id)
    );
    let asked = DescribeImages {
        include_deprecated: true,
        ..everything()
    };
    let named = DescribeImages {
        common: ids(&[&id]),
        ..everything()
    };
    assert_eq!(
        seen(&control, &other, asked).await,
        std::slice::from_ref(&id)
    );
    assert_eq!(
        seen(&control, &other, named).await,
        std::slice::from_ref(&id)
    );
    let instance = launched(&control, &other, launch(&id)).await;
    assert_eq!(instance.state, InstanceState::Running);
    control
        .disable_image_deprecation(&owner, by_id(&id))
        .await
        .unwrap();
    assert_eq!(seen(&control, &other, everything()).await, [id]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_public_image_is_deprecated_two_years_after_its_registration() {
    let world = World::new(12);
    let (control, owner) = world.begin().await;
    let other = new_caller(&control).await;
    let id = image(&control, &owner).await;
    publish(&control, &owner, &id).await;
    let request = EnableImageDeprecation {
        image_id: id.to_string(),
        deprecate_at: at(&world, DAY * 731),
        dry_run: false,
    };
    let refusal = control.enable_image_deprecation(&owner, request).await;
    refused(refusal, ErrorKind::InvalidParameterValue);
    world.place.clock.advance(DAY * 729);
    assert_eq!(seen(&control, &other, everything()).await, [id]);
    world.place.clock.advance(DAY * 2);
    assert!(seen(&control, &other, everything()).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_protected_image_stays_until_its_cooldown_is_over() {
    let world = World::new(13);
    let (control, owner) = world.begin().await;
    let id = image(&control, &owner).await;
    let protect = |with_cooldown| EnableDeregistrationProtection {
        image_id: id.to_string(),
        with_cooldown,
        dry_run: false,
    };
    let stays = async |why: &str| {
        let refusal = control.deregister_image(&owner, withdrawal(&id)).await;
        let message = refused(refusal, ErrorKind::OperationNotPermitted);
        assert!(message.contains(why), "{message}");
    };
    control
        .enable_image_deregistration_protection(&owner, protect(true))
        .await
        .unwrap();
    stays("is enabled").await;
    control
        .disable_image_deregistration_protection(&owner, by_id(&id))
        .await
        .unwrap();
    stays("cooldown").await;
    world.place.clock.advance(DAY - Duration::from_secs(1));
    control
        .disable_image_deregistration_protection(&owner, by_id(&id))
        .await
        .unwrap();
    stays("cooldown").await;
    world.place.clock.advance(Duration::from_secs(1));
    control
        .deregister_image(&owner, withdrawal(&id))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_image_is_its_owners_alone_and_out_of_use() {
    let world = World::new(14);
    let (control, owner) = world.begin().await;
    let other = new_caller(&control).await;
    let id = image(&control, &owner).await;
    share(&control, &owner, &id, &other).await;
    control.disable_image(&owner, by_id(&id)).await.unwrap();
    control.disable_image(&owner, by_id(&id)).await.unwrap();
    let all = || DescribeImages {
        include_disabled: true,
        ..everything()
    };
    assert!(seen(&control, &owner, everything()).await.is_empty());
    assert_eq!(
        seen(&control, &owner, all()).await,
        std::slice::from_ref(&id)
    );
    assert!(seen(&control, &other, all()).await.is_empty());
    let refusal = control.run_instances(&owner, launch(&id)).await;
    refused(refusal, ErrorKind::ImageUnavailable);
    let refusal = control.run_instances(&other, launch(&id)).await;
    refused(refusal, ErrorKind::ImageNotFound);
    let again = Grantees {
        user_ids: vec![other.account.to_string()],
        ..Grantees::default()
    };
    let refusal = control
        .modify_image_attribute(&owner, add(&id, again))
        .await;
    refused(refusal, ErrorKind::ImageUnavailable);
    control.enable_image(&owner, by_id(&id)).await.unwrap();
    assert_eq!(
        seen(&control, &owner, everything()).await,
        std::slice::from_ref(&id)
    );
    assert!(seen(&control, &other, everything()).await.is_empty());
    let instance = launched(&control, &owner, launch(&id)).await;
    assert_eq!(instance.state, InstanceState::Running);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organization_lets_its_members_in_as_long_as_they_are() {
    let organization = "arn:aws:organizations::123456789012:organization/o-abcdefghij";
    let world = World::new(15);
    let (control, owner) = world.begin().await;
    let other = new_caller(&control).await;
    let id = image(&control, &owner).await;
    let grantees = Grantees {
        organization_arns: vec![organization.to_owned()],
        ..Grantees::default()
    };
    control
        .modify_image_attribute(&owner, add(&id, grantees))
        .await
        .unwrap();
    let joined = Memberships {
        organization: Some(organization.to_owned()),
        units: Vec::new(),
    };
    // The key is known by now, and is not what it was after the change.
    let key = async || {
        control
            .access_key(&other.access_key_id)
            .await
            .unwrap()
            .unwrap()
    };
    assert!(key().await.memberships.is_empty());
    let account = control
        .set_memberships(other.account.as_str(), joined)
        .await
        .unwrap();
    assert_eq!(key().await.memberships, account.memberships);
    let member = Caller {
        memberships: account.memberships,
        ..other.clone()
    };
    assert!(seen(&control, &other, everything()).await.is_empty());
    assert_eq!(
        seen(&control, &member, everything()).await,
        std::slice::from_ref(&id)
    );
    // Not by its number: there is nothing of its own to give up.
    let refusal = control
        .cancel_image_launch_permission(&member, by_id(&id))
        .await;
    refused(refusal, ErrorKind::OperationNotPermitted);
    let wrong = Memberships {
        organization: Some("o-abcdefghij".to_owned()),
        units: Vec::new(),
    };
    let refusal = control.set_memberships(other.account.as_str(), wrong).await;
    refused(refusal, ErrorKind::InvalidParameterValue);
    let refusal = control
        .set_memberships("123456789012", Memberships::default())
        .await;
    refused(refusal, ErrorKind::InvalidParameterValue);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_settings_do_not_allow_is_not_there() {
    let world = World::new(16);
    let (control, owner) = world.begin().await;
    let other = new_caller(&control).await;
    let id = image(&control, &owner).await;
    share(&control, &owner, &id, &other).await;
    let created = |days| ReplaceImageCriteria {
        criteria: vec![ImageCriterion {
            image_providers: vec![owner.account.to_string()],
            maximum_days_since_created: Some(days),
            ..ImageCriterion::default()
        }],
        dry_run: false,
    };
    let set = |state: &str| SetState {
        state: state.to_owned(),
        dry_run: false,
    };
    control
        .replace_image_criteria(&other, created(2))
        .await
        .unwrap();
    world.place.clock.advance(DAY * 3);
    let allowed = async || {
        let found = control.describe_images(&other, everything()).await.unwrap();
        found.items.first().map(|seen| seen.allowed)
    };
    assert_eq!(allowed().await, Some(None));
    control
        .enable_allowed_images_settings(&other, set("audit-mode"))
        .await
        .unwrap();
    assert_eq!(allowed().await, Some(Some(false)));
    control
        .enable_allowed_images_settings(&other, set("enabled"))
        .await
        .unwrap();
    assert_eq!(allowed().await, None);
    let refusal = control.run_instances(&other, launch(&id)).await;
    let message = refused(refusal, ErrorKind::ImageNotFound);
    assert!(message.contains("Allowed AMIs"), "{message}");
    assert_eq!(
        seen(&control, &owner, everything()).await,
        std::slice::from_ref(&id)
    );
    control
        .replace_image_criteria(&other, created(4))
        .await
        .unwrap();
    assert_eq!(allowed().await, Some(Some(true)));
    let instance = launched(&control, &other, launch(&id)).await;
    assert_eq!(instance.state, InstanceState::Running);
}

/// Images are remembered as long as something comes from them, over any number of restarts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_from_an_image_remembers_it() {
    let world = World::new(17);
    let (control, caller) = world.begin().await;
    let first = image(&control, &caller).await;
    let instance = launched(&control, &caller, launch(&first)).await;
    let second = control
        .create_image(
            &caller,
            CreateImage {
                instance_id: instance.id.to_string(),
                name: "second".to_owned(),
                no_reboot: true,
                ..CreateImage::default()
            },
        )
        .await
        .unwrap();
    control.idle().await.unwrap();
    control
        .deregister_image(&caller, withdrawal(&first))
        .await
        .unwrap();
    control.shutdown().await;
    drop(control);
    world.place.clock.advance(DAY);

    let control = world.open().await;
    let refusal = control.image_ancestry(&caller, by_id(&first)).await;
    refused(refusal, ErrorKind::ImageNotFound);
    let lineage = control
        .image_ancestry(&caller, by_id(&second))
        .await
        .unwrap();
    let lineage: Vec<_> = lineage.into_iter().map(|entry| entry.image_id).collect();
    assert_eq!(lineage, [second.clone(), first.clone()]);
    let shown = control
        .describe_instance_image_metadata(&caller, Describe::default())
        .await
        .unwrap();
    let image = shown.items[0].image.clone().unwrap();
    assert_eq!(
        (image.id, image.state, image.name.as_str()),
        (first.clone(), ImageState::Deregistered, "base")
    );
    let terminate = TerminateInstances {
        ids: vec![instance.id.to_string()],
        ..TerminateInstances::default()
    };
    control
        .terminate_instances(&caller, terminate)
        .await
        .unwrap();
    control.idle().await.unwrap();
    control
        .deregister_image(&caller, withdrawal(&second))
        .await
        .unwrap();
    control.shutdown().await;
    drop(control);
    // The second goes first: as long as it is there, the first is.
    for _ in 0..2 {
        world.place.clock.advance(DAY);
        let control = world.open().await;
        control.shutdown().await;
    }
    let store = cairn_store::Store::open(&world.place.data_dir())
        .await
        .unwrap();
    let mut read = store.read().await.unwrap();
    for id in [&first, &second] {
        let found = cairn_store::image::get(&mut read, id).await.unwrap();
        assert_eq!(found, None, "{id} is forgotten");
    }
}

fn report_on(id: &ImageId, token: &str) -> CreateImageUsageReport {
    CreateImageUsageReport {
        image_id: id.to_string(),
        resource_types: vec![ResourceTypeWish {
            resource_type: "ec2:Instance".to_owned(),
            options: Vec::new(),
        }],
        client_token: Some(token.to_owned()),
        ..CreateImageUsageReport::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_counts_everybodys_instances_once_though_the_server_is_killed() {
    let world = World::new(18);
    let (control, owner) = world.begin().await;
    let other = new_caller(&control).await;
    let id = image(&control, &owner).await;
    share(&control, &owner, &id, &other).await;
    launched(&control, &owner, launch(&id)).await;
    for _ in 0..2 {
        launched(&control, &other, launch(&id)).await;
    }
    control.shutdown().await;
    drop(control);
    for taken in [false, true] {
        let gate = StopAt::new("image-usage-report", 0, taken);
        let control = world.open_with(Some(Arc::clone(&gate) as _)).await;
        let report = control
            .create_image_usage_report(&owner, report_on(&id, &format!("{taken}")))
            .await
            .unwrap();
        control.idle().await.unwrap();
        control.shutdown().await;
        drop(control);
        let control = world.open().await;
        control.idle().await.unwrap();
        let again = control
            .create_image_usage_report(&owner, report_on(&id, &format!("{taken}")))
            .await
            .unwrap();
        assert_eq!(report, again);
        let asked = || DescribeUsageReports {
            common: ids(&[&report]),
            ..DescribeUsageReports::default()
        };
        let reports = control
            .describe_image_usage_reports(&owner, asked())
            .await
            .unwrap();
        assert_eq!(reports.items[0].state, ReportState::Available);
        let entries = control
            .describe_image_usage_report_entries(&owner, asked())
            .await
            .unwrap();
        let mut counts: Vec<_> = entries
            .items
            .iter()
            .map(|usage| (usage.entry.account.clone(), usage.entry.count))
            .collect();
        counts.sort();
        let mut expected = vec![(owner.account.clone(), 1), (other.account.clone(), 2)];
        expected.sort();
        assert_eq!(counts, expected);
        let refusal = control
            .delete_image_usage_report(&other, by_id(&report))
            .await;
        refused(refusal, ErrorKind::ImageUsageReportNotFound);
        control.shutdown().await;
    }
    world.place.clock.advance(DAY * 30);
    let control = world.open().await;
    let reports = control
        .describe_image_usage_reports(&owner, DescribeUsageReports::default())
        .await
        .unwrap();
    assert!(reports.items.is_empty(), "a report is kept for thirty days");
}

/// Launch templates of these names; each has as many later versions as given, of no image.
async fn templates(control: &Control, caller: &Caller, id: &ImageId, names: &[(&str, usize)]) {
    for (name, later) in names {
        let create = CreateLaunchTemplate {
            name: (*name).to_owned(),
            data: TemplateData {
                image_id: Some(id.to_string()),
                ..TemplateData::default()
            },
            ..CreateLaunchTemplate::default()
        };
        control
            .create_launch_template(caller, create)
            .await
            .unwrap();
        for _ in 0..*later {
            let version = CreateTemplateVersion {
                template: TemplateName {
                    id: None,
                    name: Some((*name).to_owned()),
                },
                data: TemplateData {
                    instance_type: Some("t3.micro".to_owned()),
                    ..TemplateData::default()
                },
                ..CreateTemplateVersion::default()
            };
            control
                .create_launch_template_version(caller, version)
                .await
                .unwrap();
        }
    }
}

fn of_templates(depth: Option<&str>) -> Vec<ResourceTypeWish> {
    let depth = depth.map(|depth| ("version-depth".to_owned(), vec![depth.to_owned()]));
    vec![ResourceTypeWish {
        resource_type: "ec2:LaunchTemplate".to_owned(),
        options: depth.into_iter().collect(),
    }]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn launch_templates_refer_to_images_by_their_latest_versions() {
    let world = World::new(21);
    let (control, owner) = world.begin().await;
    let other = new_caller(&control).await;
    let id = image(&control, &owner).await;
    share(&control, &owner, &id, &other).await;
    let deep = [
        ("one", 0),
        ("ten", 9),
        ("eleven", 10),
        ("twenty", 19),
        ("more", 20),
    ];
    templates(&control, &owner, &id, &deep).await;
    templates(&control, &other, &id, &[("theirs", 0), ("too", 1)]).await;
    let asked = async |resource_types: Vec<ResourceTypeWish>| {
        let request = DescribeImageReferences {
            common: ids(&[&id]),
            include_all_resource_types: resource_types.is_empty(),
            resource_types,
        };
        let found = control.describe_image_references(&owner, request).await;
        found.map(|found| found.items)
    };
    for (wish, expected) in [
        (Vec::new(), 2),
        (of_templates(None), 2),
        (of_templates(Some("1")), 1),
        (of_templates(Some("11")), 3),
        (of_templates(Some("10000")), 5),
    ] {
        let found = asked(wish).await.unwrap();
        assert_eq!(found.len(), expected);
        let arn = format!(
            "arn:aws:ec2:us-east-1:{}:launch-template/lt-",
            owner.account
        );
        for reference in found {
            assert_eq!(reference.resource_type, "ec2:LaunchTemplate");
            assert_eq!(reference.image_id, id);
            assert!(reference.arn.starts_with(&arn), "{}", reference.arn);
        }
    }
    for wrong in ["0", "10001", "all"] {
        let refusal = asked(of_templates(Some(wrong))).await;
        refused(refusal, ErrorKind::InvalidParameterValue);
    }
    // A report is about everybody's, and looks twenty versions back.
    for (depth, own) in [(None, 4), (Some("1"), 1)] {
        let request = CreateImageUsageReport {
            resource_types: of_templates(depth),
            ..report_on(&id, &format!("{depth:?}"))
        };
        let report = control
            .create_image_usage_report(&owner, request)
            .await
            .unwrap();
        control.idle().await.unwrap();
        let asked = DescribeUsageReports {
            common: ids(&[&report]),
            ..DescribeUsageReports::default()
        };
        let entries = control
            .describe_image_usage_report_entries(&owner, asked)
            .await
            .unwrap();
        let mut counts: Vec<_> = entries
            .items
            .iter()
            .map(|usage| (usage.entry.account.clone(), usage.entry.count))
            .collect();
        counts.sort();
        let theirs = if depth.is_some() { 1 } else { 2 };
        let mut expected = vec![
            (owner.account.clone(), own),
            (other.account.clone(), theirs),
        ];
        expected.sort();
        assert_eq!(counts, expected);
        assert!(
            entries
                .items
                .iter()
                .all(|usage| usage.entry.resource_type == "ec2:LaunchTemplate")
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bundles_are_described_and_not_launched() {
    let world = World::new(19);
    let (control, caller) = world.begin().await;
    let bundle = |name: &str, kernel: Option<&str>, ramdisk: Option<&str>| RegisterImage {
        name: name.to_owned(),
        image_location: Some(format!("bucket/{name}.manifest.xml")),
        kernel_id: kernel.map(str::to_owned),
        ramdisk_id: ramdisk.map(str::to_owned),
        ..RegisterImage::default()
    };
    let register = async |request| control.register_image(&caller, request).await;
    let kernel = register(bundle("kernel", Some("true"), None))
        .await
        .unwrap();
    let ramdisk = register(bundle("ramdisk", None, Some("true")))
        .await
        .unwrap();
    assert!(kernel.as_str().starts_with("aki-") && ramdisk.as_str().starts_with("ari-"));
    let both = bundle("machine", Some(kernel.as_str()), Some(ramdisk.as_str()));
    let machine = register(both).await.unwrap();
    for (request, kind) in [
        (
            bundle("bad", Some(ramdisk.as_str()), None),
            ErrorKind::InvalidParameterValue,
        ),
        (
            bundle("bad", Some("aki-12345678"), None),
            ErrorKind::ImageNotFound,
        ),
        (
            bundle("bad", Some("true"), Some("true")),
            ErrorKind::InvalidParameterCombination,
        ),
    ] {
        refused(register(request).await, kind);
    }
    let refusal = control.run_instances(&caller, launch(&machine)).await;
    let message = refused(refusal, ErrorKind::Unsupported);
    assert!(message.contains("instance store"), "{message}");
    let refusal = control.run_instances(&caller, launch(&kernel)).await;
    let message = refused(refusal, ErrorKind::InvalidParameterValue);
    assert!(message.contains("kernel"), "{message}");
}
