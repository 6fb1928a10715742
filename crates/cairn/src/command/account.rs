//! `cairn account`.

use crate::{
    cli::{AccountCreate, Global},
    client::{cairn, connect},
    failure::Result,
    output,
};

/// Creates an account.
pub(crate) async fn create(global: &Global, args: &AccountCreate) -> Result<()> {
    let client = connect(global, &args.region)?;
    let account = cairn::create_account(&client, args.name.as_deref()).await?;
    output::print(global.output, &account, |account| {
        format!(
            "account            {}\naccess key id      {}\nsecret access key  {}",
            account.account_id, account.access_key_id, account.secret_access_key
        )
    })
}
