//! What an account has decided about encryption in a region: whether whatever is new is encrypted, and
//! under which key if none is named.

use cairn_model::kms_key::EBS_ALIAS;
use cairn_store::setting::{self, Setting};
use serde::{Deserialize, Serialize};

use crate::{
    Caller, Control, Result,
    answer::EncryptionByDefault,
    describe::refuse_dry_run,
    request::{ModifyDefaultKey, Settings},
};

/// An account's decisions in a region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct EbsEncryption {
    /// Whether new volumes and snapshots are encrypted also when nobody asks for it.
    pub(crate) by_default: bool,
    /// ARN of the key that is used where none is named; that of `alias/aws/ebs` if there is none.
    pub(crate) key: Option<String>,
}

impl Setting for EbsEncryption {
    const NAME: &'static str = "ebs-encryption";
}

impl Control {
    /// Has everything that is new encrypted.
    pub async fn enable_encryption_by_default(
        &self,
        caller: &Caller,
        request: Settings,
    ) -> Result<EncryptionByDefault> {
        self.set_encryption_by_default(caller, request, true).await
    }

    /// Encrypts what is new only where that is asked for.
    pub async fn disable_encryption_by_default(
        &self,
        caller: &Caller,
        request: Settings,
    ) -> Result<EncryptionByDefault> {
        self.set_encryption_by_default(caller, request, false).await
    }

    /// Whether everything that is new is encrypted.
    pub async fn encryption_by_default(
        &self,
        caller: &Caller,
        request: Settings,
    ) -> Result<EncryptionByDefault> {
        refuse_dry_run(request.dry_run)?;
        let found = self.ebs_encryption(caller).await?;
        Ok(EncryptionByDefault {
            enabled: found.by_default,
        })
    }

    /// The key that is used where none is named: an ARN, or `alias/aws/ebs`.
    pub async fn default_key(&self, caller: &Caller, request: Settings) -> Result<String> {
        refuse_dry_run(request.dry_run)?;
        let found = self.ebs_encryption(caller).await?;
        Ok(found.key.unwrap_or_else(|| EBS_ALIAS.to_owned()))
    }

    /// Sets the key that is used where none is named, and returns its ARN.
    pub async fn modify_default_key(
        &self,
        caller: &Caller,
        request: ModifyDefaultKey,
    ) -> Result<String> {
        let key = self
            .default_key_named(caller, &request.kms_key_id, request.dry_run)
            .await?;
        refuse_dry_run(request.dry_run)?;
        let arn = key.as_ref().map(cairn_model::KmsKey::arn);
        let chosen = arn.clone().unwrap_or_else(|| EBS_ALIAS.to_owned());
        // The key behind the alias is the one that is used anyway, whichever that is.
        let kept = arn.filter(|_| key.is_some_and(|key| !key.aws_managed));
        self.change_ebs_encryption(caller, |setting| setting.key = kept)
            .await?;
        Ok(chosen)
    }

    /// Goes back to the key behind `alias/aws/ebs`.
    pub async fn reset_default_key(&self, caller: &Caller, request: Settings) -> Result<String> {
        refuse_dry_run(request.dry_run)?;
        self.change_ebs_encryption(caller, |setting| setting.key = None)
            .await?;
        Ok(EBS_ALIAS.to_owned())
    }

    /// What the account has decided here.
    pub(crate) async fn ebs_encryption(&self, caller: &Caller) -> Result<EbsEncryption> {
        let mut read = self.store().read().await?;
        Ok(setting::get(&mut read, &caller.account, caller.region).await?)
    }

    async fn set_encryption_by_default(
        &self,
        caller: &Caller,
        request: Settings,
        enabled: bool,
    ) -> Result<EncryptionByDefault> {
        refuse_dry_run(request.dry_run)?;
        self.change_ebs_encryption(caller, |setting| setting.by_default = enabled)
            .await?;
        Ok(EncryptionByDefault { enabled })
    }

    async fn change_ebs_encryption(
        &self,
        caller: &Caller,
        change: impl FnOnce(&mut EbsEncryption) + Send,
    ) -> Result<()> {
        let (account, region) = (&caller.account, caller.region);
        let mut tx = self.store().write().await?;
        let mut found = setting::get(&mut tx, account, region).await?;
        change(&mut found);
        setting::put(&mut tx, account, region, &found).await?;
        tx.commit().await?;
        Ok(())
    }
}
