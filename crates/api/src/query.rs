//! Parameters of the EC2 query protocol: flat names with dots (`Filter.1.Value.2`) as a tree, and
//! how request types are read from it.
//!
//! An empty value means that the parameter is absent, as on EC2, except in lists and for the few
//! members that the model says keep it. Every name that a request does not know is refused, as is
//! every value for a member that has no effect here but should have one.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};

use cairn_model::Timestamp;

use crate::xml::can_carry;

/// Names have at most this many parts.
const DEPTH_MAX: usize = 8;

/// A parameter that cannot be accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A required parameter is absent.
    #[error("The request must contain the parameter {0}")]
    Missing(String),
    /// No such parameter.
    #[error("The parameter {0} is not recognized")]
    Unknown(String),
    /// The same parameter twice.
    #[error("The parameter {0} was given more than once.")]
    Duplicate(String),
    /// A parameter of EC2 that would have an effect which this server cannot give.
    #[error("The parameter {0} is not supported by this server.")]
    Refused(String),
    /// A value of a parameter of EC2 that would have such an effect.
    #[error("The value '{value}' of the parameter {name} is not supported by this server, only {}.", accepted.join(" or "))]
    RefusedValue {
        /// The parameter.
        name: String,
        /// Its value, cut short.
        value: String,
        /// The values that say what happens anyway.
        accepted: &'static [&'static str],
    },
    /// A value that no answer could show as it is.
    #[error(
        "The value of the parameter {name} contains the character {character:?}, which XML cannot carry."
    )]
    Character {
        /// The parameter.
        name: String,
        /// The character.
        character: char,
    },
    /// A value of the wrong type.
    #[error("Value ({value}) for parameter {name} is invalid. Expected {expected}.")]
    Wrong {
        /// The parameter.
        name: String,
        /// Its value, cut short.
        value: String,
        /// What it should have been.
        expected: &'static str,
    },
}

/// The members of a request type, by what becomes of them.
#[derive(Debug)]
pub struct Shape {
    /// Read into the type.
    pub used: &'static [&'static str],
    /// Accepted; what they ask for has no meaning here.
    pub ignored: &'static [&'static str],
    /// Refused unless empty.
    pub refused: &'static [&'static str],
    /// Accepted with these values, which say what happens anyway.
    pub only: &'static [(&'static str, &'static [&'static str])],
}

/// A type that is read from a parameter, or from the parameters below a name.
pub trait FromQuery: Sized {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// If a parameter is missing, unknown, refused or of the wrong type.
    fn from_query(group: &Group) -> Result<Self, QueryError>;
}

/// A parameter with its value, or the parameters below a name.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// The full name, empty at the top.
    name: String,
    value: Option<String>,
    members: BTreeMap<String, Self>,
}

impl Group {
    /// Makes the tree of all parameters of a request.
    ///
    /// # Errors
    ///
    /// If a name occurs twice or has too many parts, or a value has a character that XML cannot
    /// carry.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, QueryError> {
        let mut top = Self::default();
        for (name, value) in pairs {
            top.insert(&name, value)?;
        }
        Ok(top)
    }

    fn insert(&mut self, name: &str, value: String) -> Result<(), QueryError> {
        if name.split('.').count() > DEPTH_MAX {
            return Err(QueryError::Unknown(name.to_owned()));
        }
        if let Some(character) = value.chars().find(|c| !can_carry(*c)) {
            let name = name.to_owned();
            return Err(QueryError::Character { name, character });
        }
        let mut group = self;
        for (end, part) in ends(name) {
            group = group.members.entry(part.to_owned()).or_default();
            if group.name.is_empty() {
                group.name = name[..end].to_owned();
            }
        }
        match group.value.replace(value) {
            None => Ok(()),
            Some(_) => Err(QueryError::Duplicate(name.to_owned())),
        }
    }

    /// Takes a parameter out, for those that are not the operation's (`Action`, `Version`).
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.members.remove(name).and_then(|group| group.value)
    }

    /// Refuses every member that the shape does not have or cannot accept.
    ///
    /// # Errors
    ///
    /// [`QueryError::Unknown`] or [`QueryError::Refused`].
    pub fn check(&self, shape: &Shape) -> Result<(), QueryError> {
        if self.value.as_deref().is_some_and(|value| !value.is_empty()) {
            return Err(QueryError::Unknown(self.name.clone()));
        }
        self.members
            .iter()
            .try_for_each(|(name, member)| member.check_as(name, shape))
    }

    fn check_as(&self, name: &str, shape: &Shape) -> Result<(), QueryError> {
        if shape.used.contains(&name) || shape.ignored.contains(&name) {
            return Ok(());
        }
        if let Some((_, values)) = shape.only.iter().find(|(only, _)| *only == name) {
            return self.check_value(values);
        }
        match shape.refused.contains(&name) {
            true if self.is_blank() => Ok(()),
            true => Err(QueryError::Refused(self.name.clone())),
            false => Err(QueryError::Unknown(self.name.clone())),
        }
    }

    fn check_value(&self, values: &'static [&'static str]) -> Result<(), QueryError> {
        self.refuse_members()?;
        let value = self.value.as_deref().unwrap_or_default();
        if value.is_empty() || values.contains(&value) {
            return Ok(());
        }
        Err(QueryError::RefusedValue {
            name: self.name.clone(),
            value: cut_short(value),
            accepted: values,
        })
    }

    /// Whether nothing at or below this name has a value.
    fn is_blank(&self) -> bool {
        self.value.as_deref().unwrap_or_default().is_empty()
            && self.members.values().all(Self::is_blank)
    }

    /// A member that may be absent.
    ///
    /// # Errors
    ///
    /// If it is there and cannot be read.
    pub fn optional<T: FromQuery>(&self, name: &str) -> Result<Option<T>, QueryError> {
        match self.members.get(name) {
            Some(member) if !member.is_empty() => T::from_query(member).map(Some),
            _ => Ok(None),
        }
    }

    /// A member for which an empty value is a value.
    ///
    /// # Errors
    ///
    /// If it is there and cannot be read.
    pub fn kept<T: FromQuery>(&self, name: &str) -> Result<Option<T>, QueryError> {
        self.members.get(name).map(T::from_query).transpose()
    }

    /// A member that must be there.
    ///
    /// # Errors
    ///
    /// If it is not, or cannot be read.
    pub fn required<T: FromQuery>(&self, name: &str) -> Result<T, QueryError> {
        self.optional(name)?.ok_or_else(|| self.missing(name))
    }

    /// A list, by number; numbers may be left out, and 10 comes after 9.
    ///
    /// # Errors
    ///
    /// If an item cannot be read, or what stands after the name is no number.
    pub fn list<T: FromQuery>(&self, name: &str) -> Result<Vec<T>, QueryError> {
        let Some(list) = self.members.get(name) else {
            return Ok(Vec::new());
        };
        if list.value.as_deref().is_some_and(|value| !value.is_empty()) {
            return Err(QueryError::Unknown(list.name.clone()));
        }
        let mut items = BTreeMap::new();
        for (index, item) in &list.members {
            let number = index_of(index).ok_or_else(|| QueryError::Unknown(item.name.clone()))?;
            if items.insert(number, item).is_some() {
                return Err(QueryError::Duplicate(item.name.clone()));
            }
        }
        items.into_values().map(T::from_query).collect()
    }

    /// A list that must have an item.
    ///
    /// # Errors
    ///
    /// If it has none, or one cannot be read.
    pub fn required_list<T: FromQuery>(&self, name: &str) -> Result<Vec<T>, QueryError> {
        let items = self.list(name)?;
        if items.is_empty() {
            Err(self.missing(name))
        } else {
            Ok(items)
        }
    }

    fn is_empty(&self) -> bool {
        self.members.is_empty() && self.value.as_deref().unwrap_or_default().is_empty()
    }

    fn missing(&self, name: &str) -> QueryError {
        let prefix = if self.name.is_empty() {
            String::new()
        } else {
            format!("{}.", self.name)
        };
        QueryError::Missing(format!("{prefix}{name}"))
    }

    /// The value of a parameter that has no parts.
    fn scalar(&self) -> Result<&str, QueryError> {
        self.refuse_members()?;
        Ok(self.value.as_deref().unwrap_or_default())
    }

    fn refuse_members(&self) -> Result<(), QueryError> {
        match self.members.values().next() {
            Some(member) => Err(QueryError::Unknown(member.name.clone())),
            None => Ok(()),
        }
    }

    fn parse<T>(
        &self,
        expected: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, QueryError> {
        let value = self.scalar()?;
        read(value).ok_or_else(|| QueryError::Wrong {
            name: self.name.clone(),
            value: cut_short(value),
            expected,
        })
    }
}

/// As much of a value as a sentence can hold.
fn cut_short(value: &str) -> String {
    value.chars().take(64).collect()
}

/// The parts of a dotted name, each with where it ends in the name.
fn ends(name: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut end = 0;
    name.split('.').map(move |part| {
        let here = end + part.len();
        end = here + 1;
        (here, part)
    })
}

fn index_of(text: &str) -> Option<u32> {
    let digits = text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

impl FromQuery for String {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.scalar().map(str::to_owned)
    }
}

impl FromQuery for bool {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.parse("true or false", |value| match value {
            "1" => Some(true),
            "0" => Some(false),
            _ => value.to_ascii_lowercase().parse().ok(),
        })
    }
}

impl FromQuery for i32 {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.parse("an integer", |value| value.parse().ok())
    }
}

impl FromQuery for i64 {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.parse("an integer", |value| value.parse().ok())
    }
}

impl FromQuery for f64 {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        let finite = |value: &str| {
            value
                .parse()
                .ok()
                .filter(|number: &Self| number.is_finite())
        };
        group.parse("a number", finite)
    }
}

impl FromQuery for Timestamp {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.parse("a time such as 2026-01-02T03:04:05Z", Self::parse)
    }
}

/// Bytes, base64 on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize, serde::Deserialize))]
pub struct Blob(pub Vec<u8>);

impl FromQuery for Blob {
    fn from_query(group: &Group) -> Result<Self, QueryError> {
        group.parse("base64", |value| {
            BASE64_STANDARD.decode(value).ok().map(Self)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{form, generated::request};

    fn group(form: &str) -> Group {
        Group::new(form::decode(form.as_bytes()).unwrap()).unwrap()
    }

    fn read<T: FromQuery>(form: &str) -> Result<T, QueryError> {
        T::from_query(&group(form))
    }

    fn unknown<T>(name: &str) -> Result<T, QueryError> {
        Err(QueryError::Unknown(name.to_owned()))
    }

    #[test]
    fn lists_are_in_the_order_of_their_numbers() {
        let form: String = (1..=12)
            .rev()
            .map(|n| format!("VolumeId.{n}=vol-{n}&"))
            .collect();
        let ids = read::<request::DescribeVolumesRequest>(&form)
            .unwrap()
            .volume_ids;
        assert_eq!(
            ids,
            (1..=12).map(|n| format!("vol-{n}")).collect::<Vec<_>>()
        );
        let gaps = read::<request::DescribeVolumesRequest>("VolumeId.40=b&VolumeId.7=a")
            .unwrap()
            .volume_ids;
        assert_eq!(gaps, ["a", "b"]);
    }

    #[test]
    fn empty_is_absent_except_where_it_means_something() {
        let run = "MinCount=1&MaxCount=1&SubnetId=&Placement.AvailabilityZone=&IamInstanceProfile.Name=&UserData=\
                   &BlockDeviceMapping.1.DeviceName=/dev/sdb&BlockDeviceMapping.1.NoDevice=";
        let run = read::<request::RunInstancesRequest>(run).unwrap();
        assert_eq!(run.subnet_id, None);
        assert_eq!(run.user_data, None);
        assert_eq!(run.placement.unwrap().availability_zone, None);
        assert_eq!(run.block_device_mappings[0].no_device.as_deref(), Some(""));

        let tags = read::<request::DeleteTagsRequest>(
            "ResourceId.1=a&Tag.1.Key=x&Tag.1.Value=&Tag.2.Key=y",
        )
        .unwrap();
        assert_eq!(tags.tags[0].value.as_deref(), Some(""));
        assert_eq!(tags.tags[1].value, None);
        let filter =
            read::<request::DescribeVolumesRequest>("Filter.1.Name=tag:a&Filter.1.Value.1=")
                .unwrap();
        assert_eq!(filter.filters[0].values, [""]);
    }

    #[test]
    fn absent_differs_from_false() {
        let volume = |form: &str| {
            read::<request::CreateVolumeRequest>(form)
                .unwrap()
                .encrypted
        };
        assert_eq!(volume(""), None);
        assert_eq!(volume("Encrypted=false"), Some(false));
        assert_eq!(volume("Encrypted=0"), Some(false));
        assert_eq!(volume("Encrypted=True"), Some(true));
    }

    #[test]
    fn what_is_not_known_is_refused_by_its_full_name() {
        assert_eq!(
            read::<request::DescribeVolumesRequest>("Colour=red"),
            unknown("Colour")
        );
        assert_eq!(
            read::<request::DescribeVolumesRequest>("Filter.2.Colour=red"),
            unknown("Filter.2.Colour")
        );
        assert_eq!(
            read::<request::DescribeVolumesRequest>("VolumeId.x=1"),
            unknown("VolumeId.x")
        );
        assert_eq!(
            read::<request::DescribeVolumesRequest>("VolumeId.-1=1"),
            unknown("VolumeId.-1")
        );
        assert_eq!(
            read::<request::DescribeVolumesRequest>("VolumeId=vol-1"),
            unknown("VolumeId")
        );
        assert_eq!(
            read::<request::DescribeVolumesRequest>("MaxResults.1=5"),
            unknown("MaxResults.1")
        );
        assert_eq!(
            read::<request::DescribeVolumesRequest>("Filter.1=5"),
            unknown("Filter.1")
        );
        let deep = "A.1.2.3.4.5.6.7.8";
        let error = Group::new([(deep.to_owned(), String::new())]).unwrap_err();
        assert_eq!(error, QueryError::Unknown(deep.to_owned()));
    }

    #[test]
    fn what_cannot_be_given_is_refused_and_what_changes_nothing_is_not() {
        let run = |more: &str| {
            read::<request::RunInstancesRequest>(&format!("MinCount=1&MaxCount=1&{more}"))
        };
        let refused = |name: &str| QueryError::Refused(name.to_owned());
        assert_eq!(
            run("ElasticGpuSpecification.1.Type=eg1.medium").unwrap_err(),
            refused("ElasticGpuSpecification")
        );
        let value = run("HibernationOptions.Configured=true").unwrap_err();
        assert_eq!(
            value.to_string(),
            "The value 'true' of the parameter HibernationOptions.Configured is not supported by this server, only false."
        );
        run("HibernationOptions.Configured=false").unwrap();
        let tenancy = run("Placement.Tenancy=dedicated").unwrap_err();
        assert!(
            matches!(&tenancy, QueryError::RefusedValue { name, .. } if name == "Placement.Tenancy"),
            "{tenancy}"
        );
    }

    #[test]
    fn wrong_types_are_named() {
        let error = read::<request::CreateVolumeRequest>("Size=big").unwrap_err();
        assert_eq!(
            error.to_string(),
            "Value (big) for parameter Size is invalid. Expected an integer."
        );
        for form in [
            "Size=99999999999",
            "Size=1.5",
            "Encrypted=maybe",
            "Size=0x10",
        ] {
            let error = read::<request::CreateVolumeRequest>(form).unwrap_err();
            assert!(matches!(error, QueryError::Wrong { .. }), "{form}: {error}");
        }
        let error =
            read::<request::ImportKeyPairRequest>("KeyName=a&PublicKeyMaterial=%21").unwrap_err();
        assert!(
            matches!(
                error,
                QueryError::Wrong {
                    expected: "base64",
                    ..
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn what_no_answer_could_show_is_refused() {
        let of = |value: &str| Group::new([("Tag.1.Value".to_owned(), value.to_owned())]);
        of("tab\t line\n return\r \u{7f} \u{85} \u{1f9f1}").unwrap();
        for bad in ["a\0", "\u{1}", "\u{b}", "\u{c}", "\u{1b}[31m", "\u{ffff}"] {
            let error = of(bad).unwrap_err();
            assert!(
                matches!(&error, QueryError::Character { name, .. } if name == "Tag.1.Value"),
                "{error}"
            );
        }
        assert_eq!(
            of("\u{1}").unwrap_err().to_string(),
            "The value of the parameter Tag.1.Value contains the character '\\u{1}', which XML cannot carry."
        );
    }

    #[test]
    fn what_is_required_is_missed() {
        let missing = |name: &str| QueryError::Missing(name.to_owned());
        assert_eq!(
            read::<request::DeleteVolumeRequest>("").unwrap_err(),
            missing("VolumeId")
        );
        assert_eq!(
            read::<request::DeleteVolumeRequest>("VolumeId=").unwrap_err(),
            missing("VolumeId")
        );
        assert_eq!(
            read::<request::StopInstancesRequest>("").unwrap_err(),
            missing("InstanceId")
        );
    }

    #[test]
    fn a_name_given_twice_is_refused() {
        let twice = |form: &str| Group::new(form::decode(form.as_bytes()).unwrap()).unwrap_err();
        assert_eq!(
            twice("Size=1&Size=1"),
            QueryError::Duplicate("Size".to_owned())
        );
        let error =
            read::<request::DescribeVolumesRequest>("VolumeId.1=a&VolumeId.01=b").unwrap_err();
        assert!(matches!(error, QueryError::Duplicate(_)), "{error}");
    }

    proptest! {
        #[test]
        fn no_parameters_panic(pairs in proptest::collection::vec(
            ("(Filter|VolumeId|BlockDeviceMapping|Tag|Size|)(\\.[0-9A-Za-z]{0,3}){0,9}", ".{0,12}"), 0..30)) {
            // The answers do not matter here, only that there are some.
            if let Ok(group) = Group::new(pairs) {
                drop(request::RunInstancesRequest::from_query(&group));
                drop(request::DescribeVolumesRequest::from_query(&group));
                drop(request::CreateTagsRequest::from_query(&group));
            }
        }
    }
}
