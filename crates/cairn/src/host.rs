//! The real clock and real randomness: the one place where they come in.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cairn_model::{Clock, Entropy, Timestamp};

/// The clock of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RealClock;

impl Clock for RealClock {
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else is given"
    )]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }
}

/// The randomness of this machine's kernel.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OsEntropy;

impl Entropy for OsEntropy {
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the randomness that everything else is given"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        // The kernel refuses only where getrandom(2) does not exist; going on with bytes that
        // can be foreseen would be worse than ending here.
        getrandom::fill(bytes)
            .unwrap_or_else(|cause| panic!("the kernel gives no random bytes: {cause}"));
    }
}

/// Waits between two attempts of a client.
#[allow(
    clippy::disallowed_methods,
    reason = "a client that polls a server over the network has to wait in real time"
)]
pub(crate) async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// A token that no other request carries, for requests that may be sent twice.
pub(crate) fn unique_token() -> String {
    let mut bytes = [0; 16];
    OsEntropy.fill(&mut bytes);
    hex::encode(bytes)
}
