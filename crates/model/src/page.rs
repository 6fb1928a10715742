//! Paging of the Describe calls.

/// Which page is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The greatest number of results, if limited.
    pub max_results: Option<i32>,
    /// Where the page before ended.
    pub next_token: Option<String>,
}

/// A page of results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paged<T> {
    /// The results.
    pub items: Vec<T>,
    /// Where the next page begins; absent on the last one.
    pub next_token: Option<String>,
}
