//! Filters of the Describe calls.

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
    /// The values of the field that a filter of this name looks at, or `None` if there is no such
    /// filter. A field that is absent has no values.
    fn filter_field(&self, name: &str) -> Option<Vec<String>>;
}
