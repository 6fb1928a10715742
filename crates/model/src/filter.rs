//! Filters of the Describe calls: AND across filters, OR among the values of one.
//!
//! `*` stands for any run of characters, `?` for exactly one, and `\` takes away the meaning of
//! the character after it. Names and values are case-sensitive. The same name may come twice;
//! both filters have to match then.

use crate::{tag::Tags, time::Timestamp};

/// The greatest number of values that all filters of a request may have together.
pub const MAX_VALUES: usize = 200;

/// One filter: a name, and values of which one has to match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The name, such as `tag:Name` or `volume-id`.
    pub name: String,
    /// Values; `*`, `?` and `\` are special.
    pub values: Vec<String>,
}

/// A noun that can be filtered.
pub trait Filterable {
    /// The names of its filters, besides `tag:KEY` and `tag-key`.
    const FILTERS: &'static [&'static str];

    /// The values of the field that a filter of this name looks at, or `None` if there is no such
    /// filter. A field that is absent has no values.
    fn filter_field(&self, name: &str) -> Option<Vec<String>>;

    /// The tags that `tag:KEY` and `tag-key` look at; `None` for a noun that has no such filters.
    fn filter_tags(&self) -> Option<&Tags>;

    /// Whether the noun has the filter `tag:KEY`.
    const HAS_TAGS: bool = true;

    /// Whether it has the filter `tag-key` too, as what has the one mostly does.
    const HAS_TAG_KEY: bool = Self::HAS_TAGS;
}

/// Why filters are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// There is no filter of that name.
    #[error("The filter '{0}' is invalid")]
    Unknown(String),
    /// A filter without values.
    #[error("The filter '{0}' has no values")]
    NoValues(String),
    /// Too many values.
    #[error("The request has {0} filter values, more than the 200 that a request may have")]
    TooManyValues(usize),
}

/// Filters that were checked against the noun they are for.
#[derive(Clone, Debug, Default)]
pub struct Filters(Vec<Compiled>);

#[derive(Clone, Debug)]
struct Compiled {
    name: String,
    patterns: Vec<Pattern>,
}

impl Filters {
    /// Checks `filters` against the names that `T` knows.
    ///
    /// # Errors
    /// A name that `T` does not know, a filter without values, or more than [`MAX_VALUES`] values.
    pub fn of<T: Filterable>(filters: &[Filter]) -> Result<Self, FilterError> {
        let values = filters.iter().map(|f| f.values.len()).sum();
        if values > MAX_VALUES {
            return Err(FilterError::TooManyValues(values));
        }
        filters
            .iter()
            .map(compile::<T>)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The name and the patterns of each filter.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&str, &[Pattern])> {
        self.0
            .iter()
            .map(|filter| (filter.name.as_str(), filter.patterns.as_slice()))
    }

    /// Whether every filter matches `noun`.
    pub fn matches<T: Filterable>(&self, noun: &T) -> bool {
        self.0.iter().all(|filter| filter.matches(noun))
    }
}

fn compile<T: Filterable>(filter: &Filter) -> Result<Compiled, FilterError> {
    let name = filter.name.as_str();
    let is_tag = match name.strip_prefix("tag:") {
        Some(key) => T::HAS_TAGS && !key.is_empty(),
        None => T::HAS_TAG_KEY && name == "tag-key",
    };
    if !(T::FILTERS.contains(&name) || is_tag) {
        return Err(FilterError::Unknown(filter.name.clone()));
    }
    if filter.values.is_empty() {
        return Err(FilterError::NoValues(filter.name.clone()));
    }
    let patterns = filter
        .values
        .iter()
        .map(|value| Pattern::new(value))
        .collect();
    Ok(Compiled {
        name: filter.name.clone(),
        patterns,
    })
}

impl Compiled {
    fn matches<T: Filterable>(&self, noun: &T) -> bool {
        if let Some(values) = noun.filter_field(&self.name) {
            return values.iter().any(|value| self.any_matches(value));
        }
        let Some(tags) = noun.filter_tags() else {
            return false;
        };
        if self.name == "tag-key" {
            return tags.keys().any(|key| self.any_matches(key));
        }
        let key = self.name.strip_prefix("tag:").unwrap_or_default();
        tags.get(key).is_some_and(|value| self.any_matches(value))
    }

    fn any_matches(&self, text: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(text))
    }
}

/// A value of a filter, with its special characters read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Part>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Exactly(char),
    One,
    Many,
}

impl Pattern {
    /// Reads a value; a `\` at the end stands for itself.
    pub fn new(value: &str) -> Self {
        let mut parts = Vec::with_capacity(value.len());
        let mut chars = value.chars();
        while let Some(c) = chars.next() {
            parts.push(match c {
                '*' => Part::Many,
                '?' => Part::One,
                '\\' => Part::Exactly(chars.next().unwrap_or('\\')),
                c => Part::Exactly(c),
            });
        }
        Self(parts)
    }

    /// The characters before the first `*` or `?`, and whether there is none: the pattern is this text then.
    pub(crate) fn literal(&self) -> (String, bool) {
        let exactly = |part: &Part| match part {
            Part::Exactly(c) => Some(*c),
            Part::One | Part::Many => None,
        };
        let text: String = self.0.iter().map_while(exactly).collect();
        let is_all = text.chars().count() == self.0.len();
        (text, is_all)
    }

    /// Whether all of `text` matches. Takes time in proportion to the product of both lengths at
    /// worst: a mismatch goes back to the last `*` only.
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut at_part, mut at_char) = (0, 0);
        let mut last_many = None;
        while at_char < text.len() {
            match self.0.get(at_part) {
                Some(Part::Many) => {
                    last_many = Some((at_part, at_char));
                    at_part += 1;
                }
                Some(part) if part.takes(text[at_char]) => {
                    at_part += 1;
                    at_char += 1;
                }
                _ => {
                    let Some((many, from)) = last_many else {
                        return false;
                    };
                    last_many = Some((many, from + 1));
                    at_part = many + 1;
                    at_char = from + 1;
                }
            }
        }
        self.0[at_part..].iter().all(|part| *part == Part::Many)
    }
}

impl Part {
    fn takes(self, c: char) -> bool {
        match self {
            Self::Exactly(wanted) => wanted == c,
            Self::One => true,
            Self::Many => false,
        }
    }
}

/// One value, for [`Filterable::filter_field`].
pub fn one(value: impl ToString) -> Option<Vec<String>> {
    Some(vec![value.to_string()])
}

/// A value that may be absent.
pub fn maybe<T: ToString>(value: Option<T>) -> Option<Vec<String>> {
    Some(value.map(|v| v.to_string()).into_iter().collect())
}

/// Several values.
pub fn many<T: ToString>(values: impl IntoIterator<Item = T>) -> Option<Vec<String>> {
    Some(values.into_iter().map(|v| v.to_string()).collect())
}

/// An instant: as EC2 shows it, and without the fraction, which clients send as well.
pub fn time(time: Timestamp) -> Option<Vec<String>> {
    let shown = time.to_string();
    let short = shown.replace(".000Z", "Z");
    Some(vec![shown, short])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Dog(Tags);

    impl Filterable for Dog {
        const FILTERS: &'static [&'static str] = &["name", "legs", "born"];

        fn filter_field(&self, name: &str) -> Option<Vec<String>> {
            match name {
                "name" => one("Rex [1]"),
                "legs" => many([4]),
                "born" => time(Timestamp(1_000_000)),
                _ => None,
            }
        }

        fn filter_tags(&self) -> Option<&Tags> {
            Some(&self.0)
        }
    }

    fn rex() -> Dog {
        Dog([
            ("Owner".to_owned(), "Ann".to_owned()),
            ("empty".to_owned(), String::new()),
        ]
        .into())
    }

    fn filter(name: &str, values: &[&str]) -> Filter {
        Filter {
            name: name.to_owned(),
            values: values.iter().map(|&v| v.to_owned()).collect(),
        }
    }

    fn matches(filters: &[Filter]) -> bool {
        Filters::of::<Dog>(filters)
            .expect("known filters")
            .matches(&rex())
    }

    #[test]
    fn filters_are_anded_and_values_ored() {
        assert!(matches(&[]));
        assert!(matches(&[
            filter("name", &["x", "Rex*"]),
            filter("legs", &["4"])
        ]));
        assert!(!matches(&[
            filter("name", &["x", "Rex*"]),
            filter("legs", &["3", "5"])
        ]));
        assert!(matches(&[filter("name", &["R*"]), filter("name", &["*]"])]));
        assert!(!matches(&[
            filter("name", &["R*"]),
            filter("name", &["S*"])
        ]));
        assert!(!matches(&[filter("name", &["rex [1]"])]), "case matters");
    }

    #[test]
    fn tags_are_matched_by_key_and_value() {
        assert!(matches(&[filter("tag:Owner", &["A?n"])]));
        assert!(!matches(&[filter("tag:owner", &["Ann"])]));
        assert!(!matches(&[filter("tag:None", &["*"])]));
        assert!(matches(&[filter("tag:empty", &[""])]));
        assert!(matches(&[filter("tag-key", &["Own*"])]));
        assert!(!matches(&[filter("tag-key", &["Ann"])]));
    }

    #[test]
    fn times_match_as_shown_without_a_fraction_and_by_wildcard() {
        for value in [
            "1970-01-01T00:00:01.000Z",
            "1970-01-01T00:00:01Z",
            "1970-01-01T*",
        ] {
            assert!(matches(&[filter("born", &[value])]), "{value}");
        }
        assert!(!matches(&[filter("born", &["1970-01-01T00:00:01.001Z"])]));
    }

    #[test]
    fn bad_filters_are_refused_even_where_nothing_is_to_be_filtered() {
        let refuse = |f: Filter| Filters::of::<Dog>(&[f]).expect_err("refused").to_string();
        assert_eq!(
            refuse(filter("nmae", &["x"])),
            "The filter 'nmae' is invalid"
        );
        assert_eq!(
            refuse(filter("tag:", &["x"])),
            "The filter 'tag:' is invalid"
        );
        assert_eq!(
            refuse(filter("name", &[])),
            "The filter 'name' has no values"
        );
        let values = ["x"; 201];
        assert_eq!(
            Filters::of::<Dog>(&[filter("name", &values)]).expect_err("many"),
            FilterError::TooManyValues(201)
        );
        let two_hundred = [
            filter("name", &values[..100]),
            filter("legs", &values[..100]),
        ];
        Filters::of::<Dog>(&two_hundred).expect("200 values are allowed");
    }

    #[test]
    fn special_characters_can_be_escaped() {
        assert!(Pattern::new(r"a\*b").matches("a*b"));
        assert!(!Pattern::new(r"a\*b").matches("axb"));
        assert!(Pattern::new(r"a\?\\").matches(r"a?\"));
        assert!(Pattern::new(r"a\").matches(r"a\"));
        assert!(Pattern::new("").matches(""));
        assert!(!Pattern::new("").matches("a"));
        assert!(!Pattern::new("?").matches(""));
        assert!(Pattern::new("**").matches(""));
        assert!(Pattern::new("?").matches("é"));
    }

    /// The definition of matching, slow and plain.
    fn by_definition(pattern: &[char], text: &[char]) -> bool {
        match (pattern.first(), text.first()) {
            (None, _) => text.is_empty(),
            (Some('*'), _) => {
                by_definition(&pattern[1..], text)
                    || (!text.is_empty() && by_definition(pattern, &text[1..]))
            }
            (Some('?'), Some(_)) => by_definition(&pattern[1..], &text[1..]),
            (Some(p), Some(t)) => p == t && by_definition(&pattern[1..], &text[1..]),
            (Some(_), None) => false,
        }
    }

    proptest! {
        #[test]
        fn matching_follows_its_definition(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(Pattern::new(&pattern).matches(&text), by_definition(&p, &t));
        }

        #[test]
        fn an_escaped_text_matches_itself_alone(text in r"[ab*?\\]{0,8}", other in r"[ab*?\\]{0,8}") {
            let escaped: String = text.chars().flat_map(|c| ['\\', c]).collect();
            prop_assert!(Pattern::new(&escaped).matches(&text));
            prop_assert_eq!(Pattern::new(&escaped).matches(&other), text == other);
        }
    }
}
