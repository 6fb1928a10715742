//! Which images of others an account lets itself use ("Allowed AMIs").
//!
//! An image that meets one of the criteria is allowed; to meet one it has to meet all its parts. No
//! criteria at all allow nothing. An account's own images are always allowed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Image;
use crate::{filter::Pattern, ids::AccountId, time::Timestamp};

/// The most criteria.
pub const CRITERIA_MAX: usize = 10;
/// The most providers of one criterion.
pub const PROVIDERS_MAX: usize = 200;
/// The most names, and the most product codes, of one criterion.
pub const NAMES_MAX: usize = 50;
/// The provider that stands for nobody.
pub const NOBODY: &str = "none";
/// Providers that nobody here is.
pub const ALIASES: &[&str] = &["amazon", "aws-marketplace", "aws-backup-vault"];

/// Whether the criteria have an effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the states of EC2, by their names")]
pub enum AllowedImagesState {
    #[default]
    Disabled,
    AuditMode,
    Enabled,
}

/// What an account has set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AllowedImages {
    /// Whether the criteria have an effect.
    pub state: AllowedImagesState,
    /// The criteria.
    pub criteria: Vec<ImageCriterion>,
}

/// What an image has to be. A part that says nothing asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageCriterion {
    /// Account numbers, aliases of others, or [`NOBODY`] alone.
    pub image_providers: Vec<String>,
    /// Product codes, which no image here has.
    pub marketplace_product_codes: Vec<String>,
    /// Names, with the wildcards `*` and `?`.
    pub image_names: Vec<String>,
    /// The most days since the image was deprecated; 0 asks for one that is not.
    pub maximum_days_since_deprecated: Option<i32>,
    /// The most days since the image was registered.
    pub maximum_days_since_created: Option<i32>,
}

/// Why criteria cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CriterionError {
    /// More criteria, or more values of one, than there may be.
    #[error("The number of {what} exceeds the maximum of {max}.")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The most.
        max: usize,
    },
    /// A value that does not have the form of one.
    #[error("Value ({value}) for parameter {parameter} is invalid.")]
    Value {
        /// The parameter.
        parameter: &'static str,
        /// What was given.
        value: String,
    },
    /// `none` together with others.
    #[error("When the image provider 'none' is specified, no other values can be specified.")]
    NobodyAndOthers,
    /// A criterion that asks for nothing.
    #[error("An image criterion must contain at least one condition.")]
    Empty,
}

impl AllowedImages {
    /// Whether an image meets the criteria, as an account sees it; none if they have no effect at all.
    pub fn judge(&self, image: &Image, account: &AccountId, now: Timestamp) -> Option<bool> {
        let meets = || self.criteria.iter().any(|c| c.is_met_by(image, now));
        (self.state != AllowedImagesState::Disabled).then(|| image.account == *account || meets())
    }

    /// Whether an account may know and use an image.
    pub fn let_use(&self, image: &Image, account: &AccountId, now: Timestamp) -> bool {
        self.state != AllowedImagesState::Enabled || self.judge(image, account, now) == Some(true)
    }
}

impl ImageCriterion {
    fn is_met_by(&self, image: &Image, now: Timestamp) -> bool {
        let none_or = |days: Option<i32>, since: Option<Timestamp>| {
            let within = |(days, since): (i32, Timestamp)| now < since.after(of_days(days));
            days.zip(since).is_none_or(within)
        };
        let deprecated = image.deprecated_from().filter(|from| *from <= now);
        let named = |name: &String| Pattern::new(name).matches(&image.name);
        (self.image_providers.is_empty()
            || self
                .image_providers
                .iter()
                .any(|p| p == image.account.as_str()))
            && self.marketplace_product_codes.is_empty()
            && (self.image_names.is_empty() || self.image_names.iter().any(named))
            && none_or(self.maximum_days_since_deprecated, deprecated)
            && none_or(self.maximum_days_since_created, Some(image.creation_date))
    }
}

fn of_days(days: i32) -> Duration {
    Duration::from_secs(u64::try_from(days).unwrap_or_default() * 24 * 60 * 60)
}

/// Checks criteria as a request has them.
///
/// # Errors
/// Too many of them, or one that does not have the form of one.
pub fn check(criteria: &[ImageCriterion]) -> Result<(), CriterionError> {
    limit("image criteria", criteria.len(), CRITERIA_MAX)?;
    criteria.iter().try_for_each(check_one)
}

fn check_one(criterion: &ImageCriterion) -> Result<(), CriterionError> {
    if *criterion == ImageCriterion::default() {
        return Err(CriterionError::Empty);
    }
    let (providers, names) = (&criterion.image_providers, &criterion.image_names);
    let codes = &criterion.marketplace_product_codes;
    limit("image providers", providers.len(), PROVIDERS_MAX)?;
    limit("marketplace product codes", codes.len(), NAMES_MAX)?;
    limit("image names", names.len(), NAMES_MAX)?;
    each("imageProvider", providers, is_provider)?;
    each("marketplaceProductCode", codes, is_product_code)?;
    each("imageName", names, is_name)?;
    days(
        "maximumDaysSinceDeprecated",
        criterion.maximum_days_since_deprecated,
    )?;
    days(
        "maximumDaysSinceCreated",
        criterion.maximum_days_since_created,
    )?;
    match providers.len() > 1 && providers.iter().any(|p| p == NOBODY) {
        true => Err(CriterionError::NobodyAndOthers),
        false => Ok(()),
    }
}

fn limit(what: &'static str, count: usize, max: usize) -> Result<(), CriterionError> {
    match count <= max {
        true => Ok(()),
        false => Err(CriterionError::TooMany { what, max }),
    }
}

fn each(
    parameter: &'static str,
    values: &[String],
    fits: fn(&str) -> bool,
) -> Result<(), CriterionError> {
    match values.iter().find(|value| !fits(value)) {
        None => Ok(()),
        Some(value) => Err(CriterionError::Value {
            parameter,
            value: value.clone(),
        }),
    }
}

fn days(parameter: &'static str, days: Option<i32>) -> Result<(), CriterionError> {
    match days {
        Some(days) if days < 0 => Err(CriterionError::Value {
            parameter,
            value: days.to_string(),
        }),
        _ => Ok(()),
    }
}

fn is_provider(text: &str) -> bool {
    text == NOBODY || ALIASES.contains(&text) || text.parse::<AccountId>().is_ok()
}

fn is_product_code(text: &str) -> bool {
    (1..=25).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn is_name(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b" ()[]./-'@_*?".contains(&b);
    let least = if text.contains('?') { 3 } else { 1 };
    (least..=128).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::{super::tests::failed, *};

    fn list(items: &[&str]) -> Vec<String> {
        items.iter().map(ToString::to_string).collect()
    }

    fn day(days: i64) -> Timestamp {
        Timestamp(days * 86_400_000_000)
    }

    #[test]
    fn every_part_of_a_criterion_counts() {
        let image = Image {
            deprecation_time: Some(day(10)),
            ..failed()
        };
        let named = |names: &[&str]| ImageCriterion {
            image_names: list(names),
            ..Default::default()
        };
        let by = |providers: &[&str]| ImageCriterion {
            image_providers: list(providers),
            ..Default::default()
        };
        let deprecated = |days| ImageCriterion {
            maximum_days_since_deprecated: Some(days),
            ..Default::default()
        };
        let created = |days| ImageCriterion {
            maximum_days_since_created: Some(days),
            ..Default::default()
        };
        let coded = ImageCriterion {
            marketplace_product_codes: list(&["abc"]),
            ..Default::default()
        };
        for (criterion, at, met) in [
            (named(&["other", "fail*"]), 0, true),
            (named(&["faile"]), 0, false),
            (named(&["faile?"]), 0, true),
            (by(&["123456789012", "amazon"]), 0, true),
            (by(&["amazon"]), 0, false),
            (by(&["none"]), 0, false),
            (coded, 0, false),
            (deprecated(0), 9, true),
            (deprecated(0), 10, false),
            (deprecated(3), 12, true),
            (deprecated(3), 13, false),
            (created(3), 2, true),
            (created(3), 3, false),
            (
                ImageCriterion {
                    image_names: list(&["x"]),
                    ..by(&["123456789012"])
                },
                0,
                false,
            ),
        ] {
            assert_eq!(
                check(std::slice::from_ref(&criterion)),
                Ok(()),
                "{criterion:?}"
            );
            assert_eq!(criterion.is_met_by(&image, day(at)), met, "{criterion:?}");
        }
    }

    #[test]
    fn the_state_says_whether_criteria_matter_and_own_images_are_always_allowed() {
        let (image, other) = (failed(), "210987654321".parse().expect("an account"));
        use AllowedImagesState as S;
        for (state, judged, used) in [
            (S::Disabled, None, true),
            (S::AuditMode, Some(false), true),
            (S::Enabled, Some(false), false),
        ] {
            let set = AllowedImages {
                state,
                criteria: Vec::new(),
            };
            assert_eq!(set.judge(&image, &other, day(0)), judged);
            assert_eq!(set.let_use(&image, &other, day(0)), used);
            assert!(set.let_use(&image, &image.account, day(0)));
        }
    }

    #[test]
    fn what_is_no_criterion_is_refused() {
        let with = |change: &dyn Fn(&mut ImageCriterion)| {
            let mut criterion = ImageCriterion::default();
            change(&mut criterion);
            criterion
        };
        for bad in [
            with(&|_| {}),
            with(&|c| c.image_providers = list(&["none", "amazon"])),
            with(&|c| c.image_providers = list(&["google"])),
            with(&|c| c.image_names = list(&["a?"])),
            with(&|c| c.image_names = list(&["ä"])),
            with(&|c| c.image_names = vec!["a".to_owned(); 51]),
            with(&|c| c.marketplace_product_codes = list(&["a-b"])),
            with(&|c| c.maximum_days_since_created = Some(-1)),
        ] {
            assert!(check(std::slice::from_ref(&bad)).is_err(), "{bad:?}");
        }
        let good = with(&|c| c.image_names = list(&["a*"]));
        assert_eq!(check(&vec![good.clone(); 10]), Ok(()));
        assert!(check(&vec![good; 11]).is_err());
    }
}
