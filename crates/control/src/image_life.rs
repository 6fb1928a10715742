//! Taking images out of use and back, marking them as deprecated, protecting them.

use cairn_model::{
    DeregistrationProtection, Image, Permissions, Timestamp,
    image::{DEPRECATED_AHEAD, PUBLIC_UNTIL_DEPRECATED, life::ImageEvent},
};
use cairn_store::image as images;

use crate::{
    Caller, Control, Error, ErrorKind, Result, describe,
    image::{check_takes, find},
    request::{ById, EnableDeregistrationProtection, EnableImageDeprecation},
};

/// Half a minute in microseconds.
const HALF_A_MINUTE: i64 = 30_000_000;

impl Control {
    /// Takes an image out of use: nobody launches it, and it is shared with nobody any more.
    pub async fn disable_image(&self, caller: &Caller, request: ById) -> Result<()> {
        self.change_image(caller, &request, |image| {
            image.state = check_takes(image, ImageEvent::Disable, "disabled")?;
            image.launch_permissions = Permissions::default();
            Ok(())
        })
        .await
    }

    /// Brings an image back into use. Those that it was shared with do not get it back.
    pub async fn enable_image(&self, caller: &Caller, request: ById) -> Result<()> {
        self.change_image(caller, &request, |image| {
            image.state = check_takes(image, ImageEvent::Enable, "enabled")?;
            Ok(())
        })
        .await
    }

    /// Marks an image as deprecated from a time on: others do not find it any more, unless they look
    /// for such images or know its id.
    pub async fn enable_image_deprecation(
        &self,
        caller: &Caller,
        request: EnableImageDeprecation,
    ) -> Result<()> {
        let (asked, now) = (request.deprecate_at, self.now());
        let by_id = ById {
            id: request.image_id,
            dry_run: request.dry_run,
        };
        self.change_image(caller, &by_id, |image| {
            check_deprecation(image, asked, now)?;
            image.deprecation_time = Some(nearest_minute(asked));
            Ok(())
        })
        .await
    }

    /// Takes that mark away. A public image is deprecated after two years all the same.
    pub async fn disable_image_deprecation(&self, caller: &Caller, request: ById) -> Result<()> {
        self.change_image(caller, &request, |image| {
            image.deprecation_time = None;
            Ok(())
        })
        .await
    }

    /// Protects an image from being deregistered.
    pub async fn enable_image_deregistration_protection(
        &self,
        caller: &Caller,
        request: EnableDeregistrationProtection,
    ) -> Result<()> {
        let by_id = ById {
            id: request.image_id,
            dry_run: request.dry_run,
        };
        self.change_image(caller, &by_id, |image| {
            image.deregistration_protection = DeregistrationProtection::Enabled {
                with_cooldown: request.with_cooldown,
            };
            Ok(())
        })
        .await
    }

    /// Ends that protection, at once or after its cooldown.
    pub async fn disable_image_deregistration_protection(
        &self,
        caller: &Caller,
        request: ById,
    ) -> Result<()> {
        let now = self.now();
        self.change_image(caller, &request, |image| {
            image.deregistration_protection = image.deregistration_protection.switched_off(now);
            Ok(())
        })
        .await
    }

    /// Changes an image of the caller, if the change can be.
    async fn change_image(
        &self,
        caller: &Caller,
        request: &ById,
        change: impl FnOnce(&mut Image) -> Result<()> + Send,
    ) -> Result<()> {
        let mut tx = self.store().write().await?;
        let mut changed = find(&mut tx, caller, &request.id, self.now()).await?;
        change(&mut changed)?;
        describe::refuse_dry_run(request.dry_run)?;
        let id = changed.id.clone();
        images::update(&mut tx, &id, |image| *image = changed).await?;
        Ok(tx.commit().await?)
    }
}

/// Refuses to deregister an image that is protected.
pub(crate) fn check_unprotected(image: &Image, now: Timestamp) -> Result<()> {
    let protection = image.deregistration_protection;
    if !protection.protects(now) {
        return Ok(());
    }
    let why = match protection {
        DeregistrationProtection::Cooling { until } => {
            format!("was disabled, and its cooldown goes on until {until}")
        }
        _ => "is enabled".to_owned(),
    };
    let message = format!(
        "The image '{}' cannot be deregistered: its deregistration protection {why}.",
        image.id
    );
    Err(Error::new(ErrorKind::OperationNotPermitted, message))
}

fn check_deprecation(image: &Image, asked: Timestamp, now: Timestamp) -> Result<()> {
    let latest = match image.launch_permissions.public {
        true => image.creation_date.after(PUBLIC_UNTIL_DEPRECATED),
        false => now.after(DEPRECATED_AHEAD),
    };
    let refuse = |why| {
        let message = format!("Value ({asked}) for parameter deprecateAt is invalid. {why}");
        Err(Error::new(ErrorKind::InvalidParameterValue, message))
    };
    if asked < now {
        return refuse("The time is in the past.".to_owned());
    }
    match asked > latest {
        true => refuse(format!("The latest time for this image is {latest}.")),
        false => Ok(()),
    }
}

fn nearest_minute(time: Timestamp) -> Timestamp {
    let minute = 2 * HALF_A_MINUTE;
    Timestamp((time.0 + HALF_A_MINUTE).div_euclid(minute) * minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_to_the_minute() {
        let rounded =
            |text: &str| nearest_minute(Timestamp::parse(text).expect("a time")).to_string();
        assert_eq!(rounded("2030-01-01T00:00:29Z"), "2030-01-01T00:00:00.000Z");
        assert_eq!(rounded("2030-01-01T00:00:30Z"), "2030-01-01T00:01:00.000Z");
        assert_eq!(rounded("2029-12-31T23:59:59Z"), "2030-01-01T00:00:00.000Z");
    }
}
