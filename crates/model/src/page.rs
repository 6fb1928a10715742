//! Paging of the Describe calls.
//!
//! A token names the key of the last result that was shown, so that what is inserted or deleted
//! meanwhile neither repeats nor hides anything else. It is sealed together with what was asked
//! for: a token that was altered, or that belongs to another request, is refused.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

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

/// Where a noun stands among its kind: by the time when it was made, then by its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PageKey {
    /// Microseconds since the epoch.
    pub time: i64,
    /// The id.
    pub id: String,
}

/// As text keys have the same order, as long as the time is not before the epoch.
impl fmt::Display for PageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:020} {}", self.time, self.id)
    }
}

impl FromStr for PageKey {
    type Err = PageError;

    fn from_str(text: &str) -> Result<Self, PageError> {
        let (time, id) = text.split_once(' ').ok_or(PageError::InvalidToken)?;
        Ok(Self {
            time: time.parse().map_err(|_| PageError::InvalidToken)?,
            id: id.to_owned(),
        })
    }
}

/// Seals tokens with a secret of the server.
pub trait Seal: Sync {
    /// A message authentication code of `message`.
    fn seal(&self, message: &[u8]) -> [u8; 32];
}

/// The least and the greatest MaxResults of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The least.
    pub min: i32,
    /// The greatest.
    pub max: i32,
}

impl Bounds {
    /// What most calls of EC2 take.
    pub const USUAL: Self = Self { min: 5, max: 1000 };
}

/// Why a page is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// MaxResults is too small.
    #[error(
        "Value ( {value} ) for parameter maxResults is invalid. Expecting a value greater than or equal to {min}."
    )]
    TooFew {
        /// What was given.
        value: i32,
        /// The least.
        min: i32,
    },
    /// MaxResults is too great.
    #[error(
        "Value ( {value} ) for parameter maxResults is invalid. Expecting a value less than or equal to {max}."
    )]
    TooMany {
        /// What was given.
        value: i32,
        /// The greatest.
        max: i32,
    },
    /// The token was altered, or given out for another request.
    #[error("The token is invalid: it was altered, or it belongs to another request.")]
    InvalidToken,
}

/// How a call is paged.
#[derive(Clone, Copy)]
pub struct Pager<'a> {
    /// What its tokens are sealed with.
    pub seal: &'a dyn Seal,
    /// Everything about the request but its page; a token is good for this alone.
    pub scope: &'a str,
    /// Its bounds.
    pub bounds: Bounds,
}

impl fmt::Debug for Pager<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pager")
            .field("scope", &self.scope)
            .field("bounds", &self.bounds)
            .finish_non_exhaustive()
    }
}

impl Pager<'_> {
    /// Cuts the page out of all results, which may come in any order. Results are shown in the
    /// order of `key`, which has to be different for each of them and never change.
    ///
    /// # Errors
    /// MaxResults out of bounds, or a token that is not good for this request.
    pub fn cut<T>(
        &self,
        items: Vec<T>,
        page: &Page,
        key: impl Fn(&T) -> String,
    ) -> Result<Paged<T>, PageError> {
        let (limit, after) = self.begin(page)?;
        let mut keyed: Vec<(String, T)> = items
            .into_iter()
            .map(|item| (key(&item), item))
            .filter(|(key, _)| after.as_ref().is_none_or(|after| key > after))
            .collect();
        keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(self.end(keyed, limit))
    }

    /// How many results the page has at most, and the key after which it begins.
    ///
    /// # Errors
    /// MaxResults out of bounds, or a token that is not good for this request.
    pub fn begin(&self, page: &Page) -> Result<(usize, Option<String>), PageError> {
        let limit = self.limit(page)?;
        let token = page.next_token.as_deref();
        Ok((limit, token.map(|token| self.open(token)).transpose()?))
    }

    /// The page of these results, which are in the order of their keys. One more than `limit` of them says that
    /// there is another page.
    pub fn end<T>(&self, mut keyed: Vec<(String, T)>, limit: usize) -> Paged<T> {
        let more = keyed.len() > limit;
        keyed.truncate(limit);
        let next_token = keyed
            .last()
            .filter(|_| more)
            .map(|(key, _)| self.token(key));
        Paged {
            items: keyed.into_iter().map(|(_, item)| item).collect(),
            next_token,
        }
    }

    fn limit(&self, page: &Page) -> Result<usize, PageError> {
        let Bounds { min, max } = self.bounds;
        match page.max_results {
            Some(value) if value < min => Err(PageError::TooFew { value, min }),
            Some(value) if value > max => Err(PageError::TooMany { value, max }),
            Some(value) => Ok(usize::try_from(value).unwrap_or(usize::MAX)),
            None => Ok(usize::MAX),
        }
    }

    /// The token after the result of a key.
    fn token(&self, key: &str) -> String {
        let mut bytes = self.seal.seal(self.sealed(key).as_bytes()).to_vec();
        bytes.extend_from_slice(key.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The key in a token.
    fn open(&self, token: &str) -> Result<String, PageError> {
        let bytes = URL_SAFE_NO_PAD
            .decode(token)
            .map_err(|_| PageError::InvalidToken)?;
        let (mac, key) = bytes.split_at_checked(32).ok_or(PageError::InvalidToken)?;
        let key = String::from_utf8(key.to_vec()).map_err(|_| PageError::InvalidToken)?;
        // A token opens nothing but the caller's own list, so a comparison in constant time would
        // protect nothing.
        if self.seal.seal(self.sealed(&key).as_bytes()) == mac {
            Ok(key)
        } else {
            Err(PageError::InvalidToken)
        }
    }

    /// The length keeps a scope and a key from being cut elsewhere.
    fn sealed(&self, key: &str) -> String {
        format!("page {} {}{key}", self.scope.len(), self.scope)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Not secret, but different for different messages.
    struct PlainSeal;

    impl Seal for PlainSeal {
        fn seal(&self, message: &[u8]) -> [u8; 32] {
            let mut state = [7u64; 4];
            for (at, &byte) in message.iter().enumerate() {
                let word = &mut state[at % 4];
                *word = (*word ^ u64::from(byte))
                    .wrapping_mul(0x0100_0000_01b3)
                    .rotate_left(17);
            }
            let sum = state
                .iter()
                .fold(0u64, |sum, word| sum.rotate_left(9) ^ word);
            let mut mac = [0; 32];
            for (chunk, word) in mac.chunks_mut(8).zip(state) {
                chunk.copy_from_slice(&(word ^ sum).to_be_bytes());
            }
            mac
        }
    }

    fn pager(scope: &str) -> Pager<'_> {
        Pager {
            seal: &PlainSeal,
            scope,
            bounds: Bounds { min: 1, max: 10 },
        }
    }

    fn page(max_results: i32, next_token: Option<String>) -> Page {
        Page {
            max_results: Some(max_results),
            next_token,
        }
    }

    fn key(number: &u32) -> String {
        format!("{number:08}")
    }

    #[test]
    fn the_last_page_has_no_token_even_when_it_is_full() {
        let cut = pager("s")
            .cut(vec![3, 1, 2], &page(3, None), key)
            .expect("page");
        assert_eq!(
            cut,
            Paged {
                items: vec![1, 2, 3],
                next_token: None
            }
        );
        assert_eq!(
            pager("s")
                .cut(vec![2u32, 1], &Page::default(), key)
                .expect("all")
                .items,
            [1, 2]
        );
    }

    #[test]
    fn inserts_and_deletes_neither_repeat_nor_hide_anything_else() {
        let first = pager("s")
            .cut(vec![10, 20, 30, 40], &page(2, None), key)
            .expect("page");
        assert_eq!(first.items, [10, 20]);
        let second = pager("s")
            .cut(vec![5, 10, 30, 35, 40], &page(10, first.next_token), key)
            .expect("page");
        assert_eq!(second.items, [30, 35, 40]);
    }

    #[test]
    fn max_results_is_bounded() {
        let usual = Pager {
            bounds: Bounds::USUAL,
            ..pager("s")
        };
        let refuse = |n| {
            usual
                .cut(vec![1], &page(n, None), key)
                .expect_err("out of bounds")
                .to_string()
        };
        assert_eq!(
            refuse(4),
            "Value ( 4 ) for parameter maxResults is invalid. Expecting a value greater than or equal to 5."
        );
        assert!(refuse(1001).contains("less than or equal to 1000"));
    }

    #[test]
    fn tokens_of_other_requests_and_altered_ones_are_refused() {
        let token = pager("s")
            .cut(vec![1, 2], &page(1, None), key)
            .expect("page")
            .next_token
            .expect("token");
        let open = |scope, token: String| pager(scope).cut(vec![1, 2], &page(1, Some(token)), key);
        assert_eq!(open("s", token.clone()).expect("good").items, [2]);
        assert_eq!(open("t", token.clone()), Err(PageError::InvalidToken));
        for at in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).expect("ASCII");
            assert_eq!(open("s", altered), Err(PageError::InvalidToken), "at {at}");
        }
        for hostile in ["", "x", "====", "AAAA"] {
            assert_eq!(open("s", hostile.to_owned()), Err(PageError::InvalidToken));
        }
    }

    proptest! {
        #[test]
        fn keys_are_read_as_written_and_have_the_order_of_their_text(a in 0..i64::MAX, b in 0..i64::MAX, id in "[a-z]{1,3}-[0-9a-f]{0,3}") {
            let key = |time, id: &str| PageKey { time, id: id.to_owned() };
            let (a, b) = (key(a, &id), key(b, "m-1"));
            prop_assert_eq!(a.to_string().parse::<PageKey>(), Ok(a.clone()));
            prop_assert_eq!(a.to_string().cmp(&b.to_string()), a.cmp(&b));
        }

        #[test]
        fn pages_together_are_the_list(mut numbers in prop::collection::btree_set(0u32..1000, 0..40), size in 1i32..10) {
            let mut seen = Vec::new();
            let mut token = None;
            loop {
                let all = numbers.iter().copied().collect();
                let cut = pager("s").cut(all, &page(size, token), key).expect("page");
                prop_assert!(cut.next_token.is_none() || cut.items.len() == usize::try_from(size).expect("small"));
                seen.extend(cut.items);
                token = cut.next_token;
                if token.is_none() { break }
            }
            prop_assert_eq!(&seen, &std::mem::take(&mut numbers).into_iter().collect::<Vec<_>>());
        }
    }
}
