//! `cairn account`.

use crate::{
    cli::{AccountCreate, AccountMembership, Global},
    client::{cairn, connect},
    failure::Result,
    output,
};

/// Creates an account.
pub(crate) async fn create(global: &Global, args: &AccountCreate) -> Result<()> {
    let client = connect(global, &args.region)?;
    let (name, organization) = (args.name.as_deref(), args.organization.as_deref());
    let account = cairn::create_account(&client, name, organization, &args.units).await?;
    output::print(global.output, &account, |account| {
        format!(
            "account            {}\naccess key id      {}\nsecret access key  {}",
            account.account_id, account.access_key_id, account.secret_access_key
        )
    })
}

/// Sets what an account belongs to.
pub(crate) async fn membership(global: &Global, args: &AccountMembership) -> Result<()> {
    let client = connect(global, &args.region)?;
    let organization = args.organization.as_deref();
    let set = cairn::set_memberships(&client, &args.account, organization, &args.units).await?;
    output::print(global.output, &set, |set| {
        match set.memberships.as_slice() {
            [] => format!("{} belongs to no organization", set.account_id),
            some => format!("{} belongs to\n{}", set.account_id, some.join("\n")),
        }
    })
}
