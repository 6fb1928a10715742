//! Instants, and where time and randomness come from.

use std::{fmt, time::Duration};

use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};

/// An instant in microseconds since the Unix epoch, UTC.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The same instant with the fraction of the second cut off: what resources are stamped
    /// with, so that a filter on a time matches what was shown.
    #[must_use]
    pub fn whole_second(self) -> Self {
        Self(self.0 - self.0.rem_euclid(1_000_000))
    }

    /// Seconds since the epoch, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This instant and a while.
    #[must_use]
    pub fn after(self, while_: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(while_.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// As EC2 writes it in sentences: `2026-01-02 03:04:05 GMT`.
    pub fn in_gmt(self) -> String {
        let time = DateTime::from_timestamp_micros(self.0).unwrap_or_default();
        time.format("%Y-%m-%d %H:%M:%S GMT").to_string()
    }

    /// Parses RFC 3339 (`2026-01-02T03:04:05Z`, with or without a fraction).
    pub fn parse(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|t| Self(t.timestamp_micros()))
    }
}

/// As EC2 writes it: `2026-01-02T03:04:05.000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = DateTime::from_timestamp_micros(self.0).unwrap_or_default();
        f.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// Where time comes from.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// Where randomness comes from: ids, tokens, keys.
pub trait Entropy: fmt::Debug + Send + Sync {
    /// Fills `bytes` with bytes that nobody can foresee.
    fn fill(&self, bytes: &mut [u8]);
}
