//! What an account has set for all images of a region: whether new ones can be made public, and which
//! images of others it lets itself use.

use cairn_model::image::allowed::{self, AllowedImages, AllowedImagesState};
use cairn_store::{
    Connection,
    setting::{self, Setting},
};
use serde::{Deserialize, Serialize};

use crate::{
    Caller, Control, Error, ErrorKind, Result, describe,
    image::invalid,
    request::{ReplaceImageCriteria, SetState},
};

/// Whether images can be made public.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PublicAccess {
    /// None more. What EC2 sets for new accounts, and so what holds here from the beginning.
    #[default]
    BlockNewSharing,
    /// All.
    Unblocked,
}

impl PublicAccess {
    /// As EC2 spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BlockNewSharing => "block-new-sharing",
            Self::Unblocked => "unblocked",
        }
    }
}

/// The block of public access for images.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ImageBlockPublicAccess {
    pub(crate) state: PublicAccess,
}

impl Setting for ImageBlockPublicAccess {
    const NAME: &'static str = "image-block-public-access";
}

/// The images of others that can be used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Allowed(AllowedImages);

impl Setting for Allowed {
    const NAME: &'static str = "allowed-images";
}

/// Which images of others the caller can use.
pub(crate) async fn allowed_images(
    conn: &mut Connection,
    caller: &Caller,
) -> Result<AllowedImages> {
    let Allowed(set) = setting::get(conn, &caller.account, caller.region).await?;
    Ok(set)
}

impl Control {
    /// Has no more images made public. Those that are public stay so.
    pub async fn enable_image_block_public_access(
        &self,
        caller: &Caller,
        request: SetState,
    ) -> Result<PublicAccess> {
        let state = PublicAccess::BlockNewSharing;
        if request.state != state.as_str() {
            return Err(invalid("imageBlockPublicAccessState", &request.state));
        }
        self.set_public_access(caller, state, request.dry_run).await
    }

    /// Lets images be made public.
    pub async fn disable_image_block_public_access(
        &self,
        caller: &Caller,
        dry_run: bool,
    ) -> Result<PublicAccess> {
        self.set_public_access(caller, PublicAccess::Unblocked, dry_run)
            .await
    }

    /// Whether images can be made public.
    pub async fn image_block_public_access(
        &self,
        caller: &Caller,
        dry_run: bool,
    ) -> Result<PublicAccess> {
        describe::refuse_dry_run(dry_run)?;
        let conn = &mut *self.store().read().await?;
        let set: ImageBlockPublicAccess =
            setting::get(conn, &caller.account, caller.region).await?;
        Ok(set.state)
    }

    async fn set_public_access(
        &self,
        caller: &Caller,
        state: PublicAccess,
        dry_run: bool,
    ) -> Result<PublicAccess> {
        describe::refuse_dry_run(dry_run)?;
        let mut tx = self.store().write().await?;
        let set = ImageBlockPublicAccess { state };
        setting::put(&mut tx, &caller.account, caller.region, &set).await?;
        tx.commit().await?;
        Ok(state)
    }

    /// Has the criteria for images of others take effect, or only show what they would do.
    pub async fn enable_allowed_images_settings(
        &self,
        caller: &Caller,
        request: SetState,
    ) -> Result<AllowedImagesState> {
        let state = match request.state.parse() {
            Ok(AllowedImagesState::Disabled) | Err(_) => {
                return Err(invalid("allowedImagesSettingsState", &request.state));
            }
            Ok(state) => state,
        };
        self.change_allowed_images(caller, request.dry_run, |set| set.state = state)
            .await?;
        Ok(state)
    }

    /// Has them be without effect. They are kept.
    pub async fn disable_allowed_images_settings(
        &self,
        caller: &Caller,
        dry_run: bool,
    ) -> Result<AllowedImagesState> {
        let state = AllowedImagesState::Disabled;
        self.change_allowed_images(caller, dry_run, |set| set.state = state)
            .await?;
        Ok(state)
    }

    /// The criteria for images of others, and whether they have an effect.
    pub async fn allowed_images_settings(
        &self,
        caller: &Caller,
        dry_run: bool,
    ) -> Result<AllowedImages> {
        describe::refuse_dry_run(dry_run)?;
        allowed_images(&mut *self.store().read().await?, caller).await
    }

    /// Sets these criteria in place of all others.
    pub async fn replace_image_criteria(
        &self,
        caller: &Caller,
        request: ReplaceImageCriteria,
    ) -> Result<()> {
        allowed::check(&request.criteria)
            .map_err(|error| Error::new(ErrorKind::InvalidParameterValue, error))?;
        self.change_allowed_images(caller, request.dry_run, |set| {
            set.criteria = request.criteria;
        })
        .await
    }

    async fn change_allowed_images(
        &self,
        caller: &Caller,
        dry_run: bool,
        change: impl FnOnce(&mut AllowedImages) + Send,
    ) -> Result<()> {
        describe::refuse_dry_run(dry_run)?;
        let mut tx = self.store().write().await?;
        let mut set = allowed_images(&mut tx, caller).await?;
        change(&mut set);
        setting::put(&mut tx, &caller.account, caller.region, &Allowed(set)).await?;
        Ok(tx.commit().await?)
    }
}
