//! Instance profiles at instances. They are kept and shown; what a profile allows is IAM's to know.

use cairn_model::{
    AccountId, Entropy, Instance, InstanceState, Paged, ProfileAssociationId, Timestamp,
    instance::ProfileAssociation, page::Bounds,
};
use cairn_store::instance;

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    answer::ProfileOfInstance,
    describe::{self, Question},
    request::{AssociateProfile, Describe, ProfileName},
};

impl Control {
    /// The profiles at the caller's instances, of these associations or all, that pass the
    /// filters.
    pub async fn describe_profile_associations(
        &self,
        caller: &Caller,
        request: Describe,
    ) -> Result<Paged<ProfileOfInstance>> {
        for id in &request.ids {
            parse(id)?;
        }
        let conn = &mut *self.store().read().await?;
        let all = instance::list(conn, &caller.account, caller.region).await?;
        let found = describe::select(
            all.iter().filter_map(shown).collect(),
            &request.ids,
            |found| found.association.id.as_str(),
            not_found,
        )?;
        Question {
            control: self,
            caller,
            operation: "DescribeIamInstanceProfileAssociations",
            bounds: Bounds::USUAL,
            request: &request,
        }
        .answer(found, |found| found.association.id.to_string())
    }

    /// Gives an instance a profile; it must have none.
    pub async fn associate_profile(
        &self,
        caller: &Caller,
        request: AssociateProfile,
    ) -> Result<ProfileOfInstance> {
        let arn = arn(&caller.account, &request.profile)?;
        let arn = arn.ok_or_else(|| Error::missing_parameter("IamInstanceProfile"))?;
        let association = of_arn(arn, self.stamp(), self.entropy());
        let mut tx = self.store().write().await?;
        let found = self
            .find_instance(&mut tx, caller, &request.instance_id)
            .await?;
        super::attribute::check_alive(&found)?;
        if found.iam_instance_profile.is_some() {
            let message = format!("There is an existing association for instance {}", found.id);
            return Err(Error::new(ErrorKind::IncorrectState, message));
        }
        instance::update(&mut tx, &found.id, |instance| {
            instance.iam_instance_profile = Some(association.clone());
        })
        .await?;
        tx.commit().await?;
        Ok(ProfileOfInstance {
            instance_id: found.id,
            association,
            state: "associated",
        })
    }

    /// Takes its profile from an instance.
    pub async fn disassociate_profile(
        &self,
        caller: &Caller,
        association_id: &str,
    ) -> Result<ProfileOfInstance> {
        let id = parse(association_id)?;
        let mut tx = self.store().write().await?;
        let all = instance::list(&mut tx, &caller.account, caller.region).await?;
        let mut all = all.iter().filter_map(shown);
        let found = all.find(|found| found.association.id == id);
        let found = found.ok_or_else(|| not_found(association_id))?;
        instance::update(&mut tx, &found.instance_id, |instance| {
            instance.iam_instance_profile = None;
        })
        .await?;
        tx.commit().await?;
        Ok(ProfileOfInstance {
            state: "disassociating",
            ..found
        })
    }
}

/// What ties the profile of an ARN to an instance.
pub(crate) fn of_arn(arn: String, now: Timestamp, entropy: &dyn Entropy) -> ProfileAssociation {
    ProfileAssociation {
        id: ProfileAssociationId::generate(entropy),
        profile_id: profile_id(&arn),
        arn,
        timestamp: now,
    }
}

/// The ARN of a profile that is named by it or by its name; none where none is named.
pub(crate) fn arn(account: &AccountId, profile: &ProfileName) -> Result<Option<String>> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    match (given(&profile.arn), given(&profile.name)) {
        (Some(_), Some(_)) => Err(Error::new(
            ErrorKind::InvalidParameterCombination,
            "The parameter 'iamInstanceProfile.name' may not be used in combination with 'iamInstanceProfile.arn'",
        )),
        (Some(arn), None) => checked_arn(arn).map(Some),
        (None, Some(name)) => {
            check_name(&name)?;
            Ok(Some(format!(
                "arn:aws:iam::{account}:instance-profile/{name}"
            )))
        }
        (None, None) => Ok(None),
    }
}

fn checked_arn(arn: String) -> Result<String> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let is_good = matches!(parts.as_slice(), ["arn", _, "iam", "", account, resource]
        if account.parse::<AccountId>().is_ok() && resource.starts_with("instance-profile/"));
    match is_good {
        true => Ok(arn),
        false => Err(invalid("iamInstanceProfile.arn", &arn)),
    }
}

/// A name of IAM: 1 to 128 letters, digits and `+=,.@_-`.
fn check_name(name: &str) -> Result<()> {
    let is_good = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
    match (1..=128).contains(&name.len()) && name.chars().all(is_good) {
        true => Ok(()),
        false => Err(invalid("iamInstanceProfile.name", name)),
    }
}

/// The same profile has the same id, wherever it is used: it is made of its ARN until IAM knows
/// it.
fn profile_id(arn: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, arn.as_bytes());
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let drawn = digest.as_ref().iter().take(17);
    let text: String = drawn
        .map(|byte| char::from(letters[usize::from(byte % 32)]))
        .collect();
    format!("AIPA{text}")
}

fn shown(instance: &Instance) -> Option<ProfileOfInstance> {
    if instance.state == InstanceState::Terminated {
        return None;
    }
    Some(ProfileOfInstance {
        instance_id: instance.id.clone(),
        association: instance.iam_instance_profile.clone()?,
        state: "associated",
    })
}

fn parse(id: &str) -> Result<ProfileAssociationId> {
    describe::parse_id(id, ErrorKind::ProfileAssociationNotFound)
}

fn not_found(id: &str) -> Error {
    Error::new(
        ErrorKind::ProfileAssociationNotFound,
        format!("An invalid association-id of '{id}' was given"),
    )
}

fn invalid(parameter: &str, text: &str) -> Error {
    Error::new(
        ErrorKind::InvalidParameterValue,
        format!(
            "Value ({text}) for parameter {parameter} is invalid. Invalid IAM Instance Profile"
        ),
    )
}
