//! Session tokens of IMDSv2.
//!
//! A token carries its own end and a keyed hash over that and the instance's
//! id. So none is stored, it is good for one instance only, and it outlives a
//! restart of the server if the key does. It has 56 characters, as EC2's.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;

/// Bytes before the keyed hash: when the token ends, in microseconds since the Unix epoch.
const EXPIRY: usize = 8;

/// The key that a server makes its tokens with.
#[derive(Clone)]
pub struct TokenKey(hmac::Key);

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey")
    }
}

impl TokenKey {
    /// Takes 32 secret random bytes.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// Makes a token that is good for `ttl` from `now`, which counts from the Unix epoch.
    pub(crate) fn issue(&self, instance_id: &str, now: Duration, ttl: Duration) -> String {
        let end = u64::try_from((now + ttl).as_micros()).unwrap_or(u64::MAX);
        let mut token = end.to_be_bytes().to_vec();
        let tag = hmac::sign(&self.0, &signed_text(&token, instance_id));
        token.extend_from_slice(tag.as_ref());
        URL_SAFE.encode(token)
    }

    /// Whether a token is one of this instance's, and still good.
    pub(crate) fn accepts(&self, token: &[u8], instance_id: &str, now: Duration) -> bool {
        let Ok(token) = URL_SAFE.decode(token) else {
            return false;
        };
        let Some((end, tag)) = token.split_first_chunk::<EXPIRY>() else {
            return false;
        };
        let genuine = hmac::verify(&self.0, &signed_text(end, instance_id), tag).is_ok();
        genuine && now.as_micros() < u128::from(u64::from_be_bytes(*end))
    }
}

fn signed_text(end: &[u8], instance_id: &str) -> Vec<u8> {
    [b"imds-session-token", end, instance_id.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_800_000_000);
    const ID: &str = "i-0123456789abcdef0";

    fn key() -> TokenKey {
        TokenKey::new(&[7; 32])
    }

    #[test]
    fn a_token_is_good_until_its_end_and_not_at_it() {
        let token = key().issue(ID, NOW, Duration::from_secs(60));
        assert_eq!(token.len(), 56);
        let at =
            |seconds| key().accepts(token.as_bytes(), ID, NOW + Duration::from_secs_f64(seconds));
        assert!(at(0.0) && at(59.999));
        assert!(!at(60.0) && !at(1e6));
    }

    #[test]
    fn a_token_is_good_for_its_instance_and_key_only() {
        let token = key().issue(ID, NOW, Duration::from_secs(60));
        assert!(!key().accepts(token.as_bytes(), "i-0123456789abcdef1", NOW));
        assert!(!TokenKey::new(&[8; 32]).accepts(token.as_bytes(), ID, NOW));
    }

    #[test]
    fn a_changed_token_is_refused_wherever_it_is_changed() {
        let token = key().issue(ID, NOW, Duration::from_secs(60));
        let bytes = URL_SAFE.decode(&token).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            assert!(
                !key().accepts(URL_SAFE.encode(changed).as_bytes(), ID, NOW),
                "byte {index}"
            );
        }
        for length in 0..token.len() {
            assert!(
                !key().accepts(&token.as_bytes()[..length], ID, NOW),
                "length {length}"
            );
        }
    }
}
