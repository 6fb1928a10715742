//! Facets: what nouns are looked up by, so that a Describe does not read all of them.
//!
//! A facet is something that filters ask for and that a noun is: its `volume-id` is this one, its `name` begins with
//! those letters. A noun's facets are made from the same fields that its filters look at, so that both cannot disagree:
//! what passes a filter has one of the facets that the filter stands for. The reverse does not hold, and
//! [`Filters::matches`] has the last word.

use std::collections::BTreeSet;

use crate::{
    filter::{Filterable, Filters, Pattern},
    page::PageKey,
    permission::Permissions,
    place::Region,
};

/// The lengths, in characters, of the beginnings that are facets; in ascending order.
const BEGINNINGS: [usize; 4] = [4, 8, 16, 32];

/// Changes when facets are made differently of the same fields, so that rows are written anew.
const VERSION: u32 = 1;

/// A noun that is looked up by its facets.
pub trait Faceted: Filterable {
    /// The filters that are facets, besides `tag:KEY` and `tag-key`: those that can be selective.
    const FACETS: &'static [&'static str];

    /// The facets, tags among them, that are looked up by how they begin as well.
    const BEGINNINGS: &'static [&'static str];

    /// Where it stands among its kind: never changes.
    fn page_key(&self) -> PageKey;

    /// Where it lies.
    fn region(&self) -> Region;

    /// Who finds it: its owner, and whom it lets in, as [`Viewer::grantees`](crate::Viewer::grantees) spells them.
    /// Nobody, if it is not to be listed.
    fn viewers(&self) -> BTreeSet<&str>;
}

/// Something that nouns are looked up by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Facet {
    /// That it is there.
    There,
    /// That a field, or a tag, is this.
    Is {
        /// The filter.
        name: String,
        /// The value.
        value: String,
    },
    /// That it begins with this.
    Begins {
        /// The filter.
        name: String,
        /// As many characters as one of the lengths.
        text: String,
    },
}

impl Facet {
    /// That a field is this.
    pub fn is(name: &str, value: &str) -> Self {
        Self::Is {
            name: name.to_owned(),
            value: value.to_owned(),
        }
    }

    /// All facets of a noun.
    pub fn all_of<T: Faceted>(noun: &T) -> BTreeSet<Self> {
        let mut facets = BTreeSet::from([Self::There]);
        for name in T::FACETS {
            for value in noun.filter_field(name).unwrap_or_default() {
                facets.extend(of_value::<T>(name, &value));
            }
        }
        for (key, value) in noun.filter_tags().into_iter().flatten() {
            facets.extend(of_value::<T>(&format!("tag:{key}"), value));
            facets.extend(of_value::<T>("tag-key", key));
        }
        facets
    }

    /// What all facets of a kind of noun depend on, but for the nouns: rows that were made for another text are to be
    /// made anew.
    pub fn scheme<T: Faceted>() -> String {
        let (facets, beginnings) = (T::FACETS.join(" "), T::BEGINNINGS.join(" "));
        format!("{VERSION}: {facets}; {beginnings}")
    }

    /// The facets of which a noun has at least one if it passes a filter with these patterns; none if that cannot be
    /// said.
    fn of_filter<T: Faceted>(name: &str, patterns: &[Pattern]) -> Option<Vec<Self>> {
        let is_tag = name == "tag-key" || name.starts_with("tag:");
        if !is_tag && !T::FACETS.contains(&name) {
            return None;
        }
        let of_pattern = |pattern: &Pattern| {
            let (text, is_all) = pattern.literal();
            match is_all {
                true => Some(Self::is(name, &text)),
                false if T::BEGINNINGS.contains(&name) => longest_beginning(name, &text),
                false => None,
            }
        };
        patterns.iter().map(of_pattern).collect()
    }
}

impl Filters {
    /// For each filter that says so, the facets of which a noun that passes it has at least one.
    pub fn facets<T: Faceted>(&self) -> Vec<Vec<Facet>> {
        self.parts()
            .filter_map(|(name, patterns)| Facet::of_filter::<T>(name, patterns))
            .collect()
    }
}

/// Who finds what has an owner and permissions.
pub fn viewers_of<'a>(owner: &'a str, permissions: &'a Permissions) -> BTreeSet<&'a str> {
    permissions.grantees().chain([owner]).collect()
}

fn of_value<T: Faceted>(name: &str, value: &str) -> Vec<Facet> {
    let mut facets = vec![Facet::is(name, value)];
    if T::BEGINNINGS.contains(&name) {
        facets.extend(
            BEGINNINGS
                .iter()
                .filter_map(|len| begins(name, value, *len)),
        );
    }
    facets
}

fn longest_beginning(name: &str, text: &str) -> Option<Facet> {
    let mut lengths = BEGINNINGS.iter().rev();
    lengths.find_map(|len| begins(name, text, *len))
}

/// That a field begins with the first characters of a text; none if it has fewer.
fn begins(name: &str, text: &str, chars: usize) -> Option<Facet> {
    let text: String = text.chars().take(chars).collect();
    (text.chars().count() == chars).then(|| Facet::Begins {
        name: name.to_owned(),
        text,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        filter::{Filter, many, maybe},
        tag::Tags,
    };

    #[derive(Clone, Debug)]
    struct Box {
        color: Vec<String>,
        label: Option<String>,
        tags: Tags,
    }

    impl Filterable for Box {
        const FILTERS: &'static [&'static str] = &["color", "label", "weight"];

        fn filter_field(&self, name: &str) -> Option<Vec<String>> {
            match name {
                "color" => many(&self.color),
                "label" => maybe(self.label.as_ref()),
                "weight" => many(["1"]),
                _ => None,
            }
        }

        fn filter_tags(&self) -> Option<&Tags> {
            Some(&self.tags)
        }
    }

    impl Faceted for Box {
        const FACETS: &'static [&'static str] = &["color", "label"];
        const BEGINNINGS: &'static [&'static str] = &["label", "tag:a"];

        fn page_key(&self) -> PageKey {
            PageKey {
                time: 0,
                id: String::new(),
            }
        }

        fn region(&self) -> Region {
            Region::named("us-east-1").expect("a region")
        }

        fn viewers(&self) -> BTreeSet<&str> {
            BTreeSet::new()
        }
    }

    fn filters(name: &str, values: &[&str]) -> Filters {
        let filter = Filter {
            name: name.to_owned(),
            values: values.iter().map(ToString::to_string).collect(),
        };
        Filters::of::<Box>(&[filter]).expect("a filter")
    }

    #[test]
    fn exact_values_and_long_beginnings_are_looked_up() {
        let facets = |name, values: &[&str]| filters(name, values).facets::<Box>();
        let is = |name, value| vec![vec![Facet::is(name, value)]];
        assert_eq!(facets("color", &["red"]), is("color", "red"));
        assert_eq!(facets("color", &[r"r\*d"]), is("color", "r*d"));
        assert_eq!(facets("tag:b", &[""]), is("tag:b", ""));
        assert_eq!(facets("tag-key", &["k"]), is("tag-key", "k"));
        let begins = |name: &str, text: &str| {
            let (name, text) = (name.to_owned(), text.to_owned());
            vec![vec![Facet::Begins { name, text }]]
        };
        assert_eq!(facets("label", &["abcd*"]), begins("label", "abcd"));
        assert_eq!(facets("label", &["abcdefg*x"]), begins("label", "abcd"));
        assert_eq!(facets("tag:a", &["abcdefgh?"]), begins("tag:a", "abcdefgh"));
        // Of one value among several nothing is known: any noun may have it.
        for (name, values) in [
            ("weight", &["1"][..]),
            ("color", &["red", "b*"]),
            ("color", &["long enough*"]),
            ("label", &["abc*"]),
            ("label", &["*"]),
        ] {
            assert_eq!(
                facets(name, values),
                Vec::<Vec<Facet>>::new(),
                "{name} {values:?}"
            );
        }
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof!["[ab]{0,5}", "aaaa[ab]{0,14}", "[aé]{30,34}"]
    }

    fn a_box() -> impl Strategy<Value = Box> {
        let tags = prop::collection::btree_map("[abc]", text(), 0..3);
        (
            prop::collection::vec(text(), 0..3),
            prop::option::of(text()),
            tags,
        )
            .prop_map(|(color, label, tags)| Box { color, label, tags })
    }

    proptest! {
        #[test]
        fn what_passes_a_filter_has_one_of_its_facets(
            noun in a_box(),
            name in prop::sample::select(vec!["color", "label", "weight", "tag:a", "tag:b", "tag-key"]),
            mut values in prop::collection::vec(text(), 1..3),
            wild in prop::option::of((0usize..40, prop::sample::select(vec!["*", "?", "\\"]))),
        ) {
            // Half of the time something that the noun has, with a special character somewhere in it.
            let own = noun.filter_field(name).unwrap_or_default().into_iter().next();
            values.extend(own.or_else(|| noun.tags.values().next().cloned()));
            if let (Some((at, c)), Some(last)) = (wild, values.last_mut()) {
                let at = last.char_indices().map(|(at, _)| at).nth(at).unwrap_or(last.len());
                last.insert_str(at, c);
            }
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let filters = filters(name, &values);
            let facets = Facet::all_of(&noun);
            for asked in filters.facets::<Box>() {
                if filters.matches(&noun) {
                    prop_assert!(asked.iter().any(|facet| facets.contains(facet)), "{asked:?} of {facets:?}");
                }
            }
        }
    }
}
