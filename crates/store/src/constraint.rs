//! The named rules of the schema that a caller can run into.
//!
//! PostgreSQL tells the name of a violated constraint. SQLite tells the columns of a unique one
//! (`UNIQUE constraint failed: account.name`) and the name of a check; both are looked up in one
//! table here, so that no caller reads messages.

/// A rule of the schema, by its name in the migrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Constraint {
    /// `account_pk`: account numbers are unique.
    AccountId,
    /// `token_pk`: one result for each idempotency token.
    Token,
    /// `image_name`: names of images are unique within account and region.
    ImageName,
    /// `key_pair_name`: names of key pairs are unique within account and region.
    KeyPairName,
    /// `private_address_pk`: an address of a subnet belongs to one instance.
    PrivateAddress,
    /// `instance_ssh_port`: a port of the host leads to one instance.
    SshPort,
    /// A row that others refer to cannot go, and a row cannot refer to one that is not there.
    Reference,
    /// An id was drawn that is taken already.
    Id,
}

/// Columns as SQLite names them in a violation, and what is violated. Primary keys that consist of
/// an `id` alone need no entry.
const UNIQUE: &[(&str, Constraint)] = &[
    ("account.id", Constraint::AccountId),
    (
        "token.account, token.region, token.operation, token.token",
        Constraint::Token,
    ),
    (
        "image.account, image.region, image.name",
        Constraint::ImageName,
    ),
    (
        "key_pair.account, key_pair.region, key_pair.name",
        Constraint::KeyPairName,
    ),
    (
        "private_address.subnet_id, private_address.address",
        Constraint::PrivateAddress,
    ),
    ("instance.ssh_port", Constraint::SshPort),
];

impl Constraint {
    /// The rule that an error of the database is about, if it is about one that has a meaning.
    pub(crate) fn violated_by(error: &sqlx::Error) -> Option<Self> {
        let error = error.as_database_error()?;
        if error.is_foreign_key_violation() {
            return Some(Self::Reference);
        }
        let columns = error.message().strip_prefix("UNIQUE constraint failed: ")?;
        let named = UNIQUE
            .iter()
            .find(|(known, _)| *known == columns)
            .map(|(_, constraint)| *constraint);
        named.or_else(|| is_plain_id(columns).then_some(Self::Id))
    }
}

fn is_plain_id(columns: &str) -> bool {
    columns
        .split_once('.')
        .is_some_and(|(_, column)| column == "id")
}
