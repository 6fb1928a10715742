//! `cairn env`.

use serde::Serialize;

use crate::{
    cli::{Env, Global},
    client::Target,
    failure::Result,
    output,
};

/// The variables, by their names.
#[derive(Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
struct Variables<'a> {
    aws_endpoint_url: &'a str,
    aws_access_key_id: &'a str,
    aws_secret_access_key: &'a str,
    aws_region: &'a str,
    aws_default_region: &'a str,
}

/// Prints the exports.
pub(crate) fn run(global: &Global, args: &Env) -> Result<()> {
    let target = Target::find(global, &args.region)?;
    // Its address outlives a server that was killed; exports that lead nowhere help nobody.
    target.check_answers()?;
    let variables = Variables {
        aws_endpoint_url: &target.endpoint,
        aws_access_key_id: &target.credentials.access_key_id,
        aws_secret_access_key: &target.credentials.secret_access_key,
        aws_region: target.region.name(),
        aws_default_region: target.region.name(),
    };
    output::print(global.output, &variables, exports)
}

fn exports(variables: &Variables<'_>) -> String {
    let Variables {
        aws_endpoint_url,
        aws_access_key_id,
        aws_secret_access_key,
        aws_region,
        aws_default_region,
    } = variables;
    let pairs = [
        ("AWS_ENDPOINT_URL", aws_endpoint_url),
        ("AWS_ACCESS_KEY_ID", aws_access_key_id),
        ("AWS_SECRET_ACCESS_KEY", aws_secret_access_key),
        ("AWS_REGION", aws_region),
        ("AWS_DEFAULT_REGION", aws_default_region),
    ];
    let words: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", quoted(value)))
        .collect();
    format!("export {}", words.join(" "))
}

/// A word that a shell takes as it is.
pub(crate) fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:+=@%,".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_read_them() {
        assert_eq!(quoted("http://127.0.0.1:8773"), "http://127.0.0.1:8773");
        assert_eq!(quoted("a/b+c="), "a/b+c=");
        assert_eq!(quoted("http://[::1]:1"), "'http://[::1]:1'");
        assert_eq!(quoted("$(rm -rf)"), "'$(rm -rf)'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
