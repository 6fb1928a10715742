//! Launch templates: kept, described, and taken for launches.

use cairn_model::{
    Instance, InstanceState, LaunchTemplate, LaunchTemplateId, Paged, ResourceType,
    TagSpecification, TagsByType,
    launch_template::{
        self as rules, TemplateData, TemplateInterface, TemplateMapping, TemplateMetadataOptions,
        TemplateProfile, TemplateVersion, VERSIONS_MAX, VersionName, VersionOfTemplate,
    },
    page::Bounds,
};
use cairn_store::{Connection, launch_template};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    answer::DeletedVersions,
    describe::{self, Question},
    request::{
        ById, CreateLaunchTemplate, CreateTemplateVersion, DeleteTemplate, Describe,
        DescribeTemplateVersions, ModifyLaunchTemplate, TemplateName,
    },
    token::Idempotency,
};

mod of_launch;

pub(crate) use of_launch::resolved;

/// What MaxResults may be, of templates and of versions.
const PAGE: Bounds = Bounds { min: 1, max: 200 };

impl Control {
    /// Makes a template, with its first version. What it says is not looked up before a launch.
    pub async fn create_launch_template(
        &self,
        caller: &Caller,
        request: CreateLaunchTemplate,
    ) -> Result<LaunchTemplate> {
        check_name(&request.name)?;
        let tags = TagsByType::of(&request.tag_specifications, &[ResourceType::LaunchTemplate])?;
        check_data(&request.data)?;
        let token = request.client_token.as_deref();
        let idempotency = Idempotency::of(caller, "CreateLaunchTemplate", token, &request)?;
        let mut tx = self.store().write().await?;
        if let Some(id) = idempotency.known(&mut tx).await? {
            describe::refuse_dry_run(request.dry_run)?;
            return find(&mut tx, caller, &by_id(&id)).await;
        }
        let all = launch_template::list(&mut tx, &caller.account, caller.region).await?;
        if all.iter().any(|known| known.name == request.name) {
            return Err(Error::new(
                ErrorKind::LaunchTemplateNameDuplicate,
                "Launch template name already in use.",
            ));
        }
        describe::refuse_dry_run(request.dry_run)?;
        let template = LaunchTemplate {
            id: LaunchTemplateId::generate(self.entropy()),
            account: caller.account.clone(),
            region: caller.region,
            name: request.name.clone(),
            create_time: self.stamp(),
            created_by: caller.arn(),
            default_version: 1,
            latest_version: 1,
            tags: tags.tags(ResourceType::LaunchTemplate),
        };
        let version = self.version(caller, 1, request.description.clone(), request.data.clone());
        launch_template::insert(&mut tx, &template).await?;
        launch_template::insert_version(&mut tx, &template.id, &version).await?;
        idempotency
            .record(&mut tx, template.id.as_str(), self.now())
            .await?;
        tx.commit().await?;
        Ok(template)
    }

    /// Makes another version of a template: what the request says over what its source says.
    pub async fn create_launch_template_version(
        &self,
        caller: &Caller,
        request: CreateTemplateVersion,
    ) -> Result<VersionOfTemplate> {
        check_data(&request.data)?;
        let token = request.client_token.as_deref();
        let idempotency = Idempotency::of(caller, "CreateLaunchTemplateVersion", token, &request)?;
        let mut tx = self.store().write().await?;
        let template = find(&mut tx, caller, &request.template).await?;
        let versions = launch_template::versions(&mut tx, &template.id).await?;
        if let Some(number) = idempotency.known(&mut tx).await? {
            describe::refuse_dry_run(request.dry_run)?;
            return named_version(template, versions, &number);
        }
        check_version_count(&versions)?;
        let data = match request.source_version.as_deref().filter(|v| !v.is_empty()) {
            Some(source) => {
                let source = named_version(template.clone(), versions, source)?;
                request.data.clone().over(source.version.data)
            }
            None => request.data.clone(),
        };
        describe::refuse_dry_run(request.dry_run)?;
        let number = template.latest_version + 1;
        let version = self.version(caller, number, request.description.clone(), data);
        launch_template::insert_version(&mut tx, &template.id, &version).await?;
        let changed =
            launch_template::update(&mut tx, &template.id, |t| t.latest_version = number).await?;
        idempotency
            .record(&mut tx, &number.to_string(), self.now())
            .await?;
        tx.commit().await?;
        Ok(VersionOfTemplate {
            template: changed.unwrap_or(template),
            version,
        })
    }

    fn version(
        &self,
        caller: &Caller,
        number: i64,
        description: Option<String>,
        data: TemplateData,
    ) -> TemplateVersion {
        TemplateVersion {
            number,
            description: description.filter(|text| !text.is_empty()),
            create_time: self.stamp(),
            created_by: caller.arn(),
            data,
        }
    }

    /// The templates of these ids and names, or all, that pass the filters; by name.
    pub async fn describe_launch_templates(
        &self,
        caller: &Caller,
        request: Describe,
    ) -> Result<Paged<LaunchTemplate>> {
        for id in &request.ids {
            parse(id)?;
        }
        let conn = &mut *self.store().read().await?;
        let all = launch_template::list(conn, &caller.account, caller.region).await?;
        let found = describe::select(all, &request.ids, |t| t.id.as_str(), id_not_found)?;
        let found = describe::select(found, &request.names, |t| &t.name, name_not_found)?;
        Question {
            control: self,
            caller,
            operation: "DescribeLaunchTemplates",
            bounds: PAGE,
            request: &request,
        }
        .answer(found, |template| template.name.clone())
    }

    /// Versions of a template, the latest first; or the latest or default ones of all templates.
    pub async fn describe_launch_template_versions(
        &self,
        caller: &Caller,
        request: DescribeTemplateVersions,
    ) -> Result<Paged<VersionOfTemplate>> {
        let conn = &mut *self.store().read().await?;
        let found = match is_named(&request.template) {
            true => {
                let template = find(conn, caller, &request.template).await?;
                let versions = launch_template::versions(conn, &template.id).await?;
                chosen(&template, versions, &request)?
            }
            false => ends_of_all(conn, caller, &request).await?,
        };
        let common = Describe {
            // The page's token belongs to all that was asked for.
            names: scope(&request),
            ..request.common.clone()
        };
        Question {
            control: self,
            caller,
            operation: "DescribeLaunchTemplateVersions",
            bounds: PAGE,
            request: &common,
        }
        .answer(found, |found| {
            let from_latest = i64::MAX - found.version.number;
            format!("{} {from_latest:020}", found.template.id)
        })
    }

    /// Chooses the default version of a template.
    pub async fn modify_launch_template(
        &self,
        caller: &Caller,
        request: ModifyLaunchTemplate,
    ) -> Result<LaunchTemplate> {
        let token = request.client_token.as_deref();
        let idempotency = Idempotency::of(caller, "ModifyLaunchTemplate", token, &request)?;
        let mut tx = self.store().write().await?;
        let template = find(&mut tx, caller, &request.template).await?;
        if idempotency.known(&mut tx).await?.is_some() {
            describe::refuse_dry_run(request.dry_run)?;
            return Ok(template);
        }
        let wanted = request.default_version.as_deref().filter(|v| !v.is_empty());
        let wanted = wanted.ok_or_else(|| Error::missing_parameter("DefaultVersion"))?;
        let versions = launch_template::versions(&mut tx, &template.id).await?;
        let chosen = named_version(template, versions, wanted)?;
        describe::refuse_dry_run(request.dry_run)?;
        let number = chosen.version.number;
        let id = &chosen.template.id;
        let changed = launch_template::update(&mut tx, id, |t| t.default_version = number).await?;
        idempotency.record(&mut tx, id.as_str(), self.now()).await?;
        tx.commit().await?;
        changed.ok_or_else(|| Error::internal("a template is gone"))
    }

    /// Deletes a template with all its versions.
    pub async fn delete_launch_template(
        &self,
        caller: &Caller,
        request: DeleteTemplate,
    ) -> Result<LaunchTemplate> {
        let mut tx = self.store().write().await?;
        let template = find(&mut tx, caller, &request.template).await?;
        describe::refuse_dry_run(request.dry_run)?;
        launch_template::delete(&mut tx, &template.id).await?;
        tx.commit().await?;
        Ok(template)
    }

    /// Deletes versions of a template, except its default one; each for itself.
    pub async fn delete_launch_template_versions(
        &self,
        caller: &Caller,
        request: DeleteTemplate,
    ) -> Result<DeletedVersions> {
        if request.versions.is_empty() {
            return Err(Error::missing_parameter("LaunchTemplateVersion"));
        }
        let numbers = request.versions.iter().map(|text| parse_number(text));
        let numbers = numbers.collect::<Result<Vec<_>>>()?;
        let mut tx = self.store().write().await?;
        let template = find(&mut tx, caller, &request.template).await?;
        describe::refuse_dry_run(request.dry_run)?;
        let mut done = DeletedVersions {
            template,
            deleted: Vec::new(),
            kept: Vec::new(),
        };
        for number in numbers {
            let id = &done.template.id;
            if number == done.template.default_version {
                let why = "The default version of a launch template cannot be deleted: choose another default first.";
                done.kept.push((number, "unexpectedError", why.to_owned()));
            } else if launch_template::delete_version(&mut tx, id, number).await? {
                done.deleted.push(number);
            } else {
                let why = format!("Could not find launch template version {number}");
                done.kept
                    .push((number, "launchTemplateVersionDoesNotExist", why));
            }
        }
        tx.commit().await?;
        Ok(done)
    }

    /// What a template would say that launches the like of an instance.
    pub async fn get_launch_template_data(
        &self,
        caller: &Caller,
        request: ById,
    ) -> Result<TemplateData> {
        let conn = &mut *self.store().read().await?;
        let found = self.find_instance(conn, caller, &request.id).await?;
        if found.state == InstanceState::Terminated {
            let message = format!("The instance '{}' is terminated.", found.id);
            return Err(Error::new(ErrorKind::IncorrectInstanceState, message));
        }
        describe::refuse_dry_run(request.dry_run)?;
        Ok(data_of(&found))
    }
}

/// Whether a request names a template.
fn is_named(template: &TemplateName) -> bool {
    let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    given(&template.id) || given(&template.name)
}

fn by_id(id: &str) -> TemplateName {
    TemplateName {
        id: Some(id.to_owned()),
        name: None,
    }
}

/// The caller's template of an id or name.
async fn find(
    conn: &mut Connection,
    caller: &Caller,
    template: &TemplateName,
) -> Result<LaunchTemplate> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    match (given(&template.id), given(&template.name)) {
        (Some(_), Some(_)) => Err(Error::new(
            ErrorKind::InvalidParameterCombination,
            "Specify either the launch template ID or the launch template name, not both.",
        )),
        (None, None) => Err(Error::missing_parameter(
            "LaunchTemplateId or LaunchTemplateName",
        )),
        (Some(id), None) => {
            let found = launch_template::get(conn, &parse(&id)?).await?;
            found
                .filter(|t| t.account == caller.account && t.region == caller.region)
                .ok_or_else(|| id_not_found(&id))
        }
        (None, Some(name)) => {
            let all = launch_template::list(conn, &caller.account, caller.region).await?;
            let found = all.into_iter().find(|template| template.name == name);
            found.ok_or_else(|| name_not_found(&name))
        }
    }
}

/// The version of a name, `$Latest`, `$Default` or a number.
fn named_version(
    template: LaunchTemplate,
    versions: Vec<TemplateVersion>,
    name: &str,
) -> Result<VersionOfTemplate> {
    let number = parse_version(name)?.number(&template);
    let found = versions
        .into_iter()
        .find(|version| version.number == number);
    match found {
        Some(version) => Ok(VersionOfTemplate { template, version }),
        None => Err(version_not_found(number)),
    }
}

/// The versions that a request names, or those of its range, or all.
fn chosen(
    template: &LaunchTemplate,
    versions: Vec<TemplateVersion>,
    request: &DescribeTemplateVersions,
) -> Result<Vec<VersionOfTemplate>> {
    let bound = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let (min, max) = (bound(&request.min_version), bound(&request.max_version));
    if !request.versions.is_empty() && (min.is_some() || max.is_some()) {
        return Err(Error::new(
            ErrorKind::InvalidParameterCombination,
            "Versions cannot be used together with MinVersion and MaxVersion.",
        ));
    }
    if !request.versions.is_empty() {
        let named = request
            .versions
            .iter()
            .map(|name| named_version(template.clone(), versions.clone(), name));
        let mut named = named.collect::<Result<Vec<_>>>()?;
        named.sort_by_key(|found| found.version.number);
        named.dedup_by_key(|found| found.version.number);
        return Ok(named);
    }
    let min = min.map_or(Ok(1), |text| parse_number(&text))?;
    let max = max.map_or(Ok(i64::MAX), |text| parse_number(&text))?;
    let in_range = versions
        .into_iter()
        .filter(|version| (min..=max).contains(&version.number));
    Ok(in_range
        .map(|version| VersionOfTemplate {
            template: template.clone(),
            version,
        })
        .collect())
}

/// Without a template only the ends can be asked for: the latest and the default versions of all.
async fn ends_of_all(
    conn: &mut Connection,
    caller: &Caller,
    request: &DescribeTemplateVersions,
) -> Result<Vec<VersionOfTemplate>> {
    let is_end = |name: &String| name == "$Latest" || name == "$Default";
    if request.versions.is_empty() || !request.versions.iter().all(is_end) {
        return Err(Error::missing_parameter(
            "LaunchTemplateId or LaunchTemplateName",
        ));
    }
    let mut found = Vec::new();
    for template in launch_template::list(conn, &caller.account, caller.region).await? {
        let versions = launch_template::versions(conn, &template.id).await?;
        found.extend(chosen(&template, versions, request)?);
    }
    Ok(found)
}

fn scope(request: &DescribeTemplateVersions) -> Vec<String> {
    vec![format!(
        "{:?} {:?} {:?} {:?}",
        request.template, request.versions, request.min_version, request.max_version
    )]
}

/// What a launch of the like of an instance asks for.
fn data_of(instance: &Instance) -> TemplateData {
    let devices = instance.block_devices.iter();
    TemplateData {
        image_id: Some(instance.image_id.to_string()),
        instance_type: Some(instance.instance_type.clone()),
        key_name: instance.key_name.clone(),
        network_interfaces: vec![TemplateInterface {
            device_index: Some(0),
            subnet_id: Some(instance.subnet_id.to_string()),
            groups: instance
                .security_groups
                .iter()
                .map(|(id, _)| id.to_string())
                .collect(),
            delete_on_termination: Some(true),
            description: Some(instance.network_interface_description.clone()),
            ..TemplateInterface::default()
        }],
        availability_zone: Some(instance.availability_zone.clone()),
        tenancy: Some("default".to_owned()),
        block_device_mappings: devices
            .map(|device| TemplateMapping {
                device_name: Some(device.device_name.clone()),
                ebs: Some(rules::TemplateEbs {
                    delete_on_termination: Some(device.delete_on_termination),
                    ..rules::TemplateEbs::default()
                }),
                ..TemplateMapping::default()
            })
            .collect(),
        user_data: instance.user_data.clone(),
        iam_instance_profile: instance.iam_instance_profile.as_ref().map(|profile| {
            TemplateProfile {
                arn: Some(profile.arn.clone()),
                name: None,
            }
        }),
        metadata_options: Some(metadata_of(instance)),
        disable_api_termination: Some(instance.disable_api_termination),
        disable_api_stop: Some(instance.disable_api_stop),
        instance_initiated_shutdown_behavior: Some(
            instance.instance_initiated_shutdown_behavior.to_string(),
        ),
        ebs_optimized: Some(instance.ebs_optimized),
        monitoring: Some(instance.monitoring),
        cpu_credits: instance.cpu_credits.clone(),
        tag_specifications: tags_of(instance),
        ..TemplateData::default()
    }
}

fn metadata_of(instance: &Instance) -> TemplateMetadataOptions {
    let options = instance.metadata_options;
    let word = |yes: bool| Some(if yes { "enabled" } else { "disabled" }.to_owned());
    TemplateMetadataOptions {
        http_endpoint: word(options.http_endpoint),
        http_tokens: Some(
            match options.http_tokens_required {
                true => "required",
                false => "optional",
            }
            .to_owned(),
        ),
        http_put_response_hop_limit: Some(options.http_put_response_hop_limit),
        instance_metadata_tags: word(options.instance_metadata_tags),
    }
}

/// The tags of an instance that a launch can give.
fn tags_of(instance: &Instance) -> Vec<TagSpecification> {
    let own = instance
        .tags
        .iter()
        .filter(|(key, _)| !key.starts_with(cairn_model::tag::RESERVED_PREFIX));
    let tags: Vec<_> = own
        .map(|(key, value)| cairn_model::Tag {
            key: key.clone(),
            value: value.clone(),
        })
        .collect();
    if tags.is_empty() {
        return Vec::new();
    }
    vec![TagSpecification {
        resource_type: ResourceType::Instance.to_string(),
        tags,
    }]
}

fn check_name(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::missing_parameter("LaunchTemplateName"));
    }
    if rules::is_name(name) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::LaunchTemplateNameMalformed,
        "A launch template name must be between 3 and 128 characters, and may contain letters, numbers, and the following characters: - ( ) . / _",
    ))
}

/// What can be told without looking anything up.
fn check_data(data: &TemplateData) -> Result<()> {
    if *data == TemplateData::default() {
        return Err(Error::missing_parameter("LaunchTemplateData"));
    }
    crate::launch::check_credits(data.cpu_credits.as_deref())?;
    if data.tenancy.as_deref().is_some_and(|t| t != "default") {
        return Err(Error::new(
            ErrorKind::UnsupportedOperation,
            "This server has no hosts of one tenant: leave out Tenancy, or set it to default.",
        ));
    }
    let taggable = crate::launch::TAGGABLE;
    TagsByType::of(&data.tag_specifications, taggable)?;
    let user_data = crate::instance::decoded_user_data(data.user_data.as_deref())?;
    crate::launch::check_user_data(&user_data.unwrap_or_default())
}

fn check_version_count(versions: &[TemplateVersion]) -> Result<()> {
    if versions.len() < VERSIONS_MAX {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::LaunchTemplateVersionLimitExceeded,
        format!("A launch template has up to {VERSIONS_MAX} versions."),
    ))
}

fn parse(id: &str) -> Result<LaunchTemplateId> {
    describe::parse_id(id, ErrorKind::LaunchTemplateIdMalformed)
}

fn parse_version(text: &str) -> Result<VersionName> {
    text.parse()
        .map_err(|e| Error::new(ErrorKind::InvalidParameterValue, e))
}

fn parse_number(text: &str) -> Result<i64> {
    match parse_version(text)? {
        VersionName::Number(number) => Ok(number),
        _ => Err(Error::new(
            ErrorKind::InvalidParameterValue,
            format!("Value ({text}) is invalid here: give the number of a version."),
        )),
    }
}

fn id_not_found(id: &str) -> Error {
    Error::new(
        ErrorKind::LaunchTemplateIdNotFound,
        format!("The specified launch template, with template ID {id}, does not exist."),
    )
}

fn name_not_found(name: &str) -> Error {
    Error::new(
        ErrorKind::LaunchTemplateNameNotFound,
        format!("The specified launch template, with template name {name}, does not exist."),
    )
}

fn version_not_found(number: i64) -> Error {
    Error::new(
        ErrorKind::LaunchTemplateVersionNotFound,
        format!("Could not find the specified version {number} for the launch template."),
    )
}
