//! The key of a scope, and signatures under it.

use aws_lc_rs::{
    error::Unspecified,
    hmac::{HMAC_SHA256, Key, sign, verify},
};

use super::{ALGORITHM, canonical::hex_sha256};

const TERMINATOR: &str = "aws4_request";

/// What a signature is good for: a day, a region, a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The day, such as `20260102`.
    pub date: String,
    /// The region, such as `us-east-1`.
    pub region: String,
    /// The service, such as `ec2`.
    pub service: String,
}

impl Scope {
    /// Parses `20260102/us-east-1/ec2/aws4_request`.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, rest) = text.split_once('/')?;
        let (region, rest) = rest.split_once('/')?;
        let (service, terminator) = rest.split_once('/')?;
        let own = |part: &str| (!part.is_empty()).then(|| part.to_owned());
        if terminator != TERMINATOR {
            return None;
        }
        Some(Self {
            date: own(date)?,
            region: own(region)?,
            service: own(service)?,
        })
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}/{}/{}/{TERMINATOR}",
            self.date, self.region, self.service
        )
    }
}

/// A canonical request with the time and scope that it is signed for.
#[derive(Clone, Copy, Debug)]
pub struct StringToSign<'a> {
    /// The time, as [`super::TIME_FORMAT`] writes it.
    pub stamp: &'a str,
    /// The scope.
    pub scope: &'a Scope,
    /// The canonical request.
    pub canonical_request: &'a [u8],
}

impl StringToSign<'_> {
    fn text(&self) -> String {
        format!(
            "{ALGORITHM}\n{}\n{}\n{}",
            self.stamp,
            self.scope,
            hex_sha256(self.canonical_request)
        )
    }

    /// The signature under a secret, hexadecimal.
    pub fn sign(&self, secret: &str) -> String {
        hex::encode(sign(&scope_key(secret, self.scope), self.text().as_bytes()))
    }

    /// Whether a signature is that of this string under a secret, in constant time.
    ///
    /// # Errors
    ///
    /// If it is not.
    pub fn verify(&self, secret: &str, signature: &[u8]) -> Result<(), Unspecified> {
        verify(
            &scope_key(secret, self.scope),
            self.text().as_bytes(),
            signature,
        )
    }
}

fn scope_key(secret: &str, scope: &Scope) -> Key {
    let secret = Key::new(HMAC_SHA256, format!("AWS4{secret}").as_bytes());
    [
        scope.date.as_str(),
        &scope.region,
        &scope.service,
        TERMINATOR,
    ]
    .iter()
    .fold(secret, |key, part| {
        Key::new(HMAC_SHA256, sign(&key, part.as_bytes()).as_ref())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_four_parts() {
        let text = "20260102/us-east-1/ec2/aws4_request";
        assert_eq!(Scope::parse(text).unwrap().to_string(), text);
        for bad in [
            "",
            "20260102",
            "20260102/us-east-1/ec2",
            "20260102/us-east-1/ec2/aws5_request",
            "20260102//ec2/aws4_request",
            "20260102/us-east-1/ec2/aws4_request/",
        ] {
            assert_eq!(Scope::parse(bad), None, "{bad}");
        }
    }
}
