//! Images that others are let in to, and those that nobody can be let in to.

#![allow(clippy::unwrap_used, missing_docs)]

mod machines;
mod support;

use cairn_control::{
    Caller, Control, ErrorKind,
    request::{CreateVolume, EnableImageDeprecation, Grantees, ModifyImageAttribute},
};
use cairn_model::{Clock, ImageId, Timestamp};
use machines::*;
use support::*;

fn accounts(of: &[&Caller]) -> Grantees {
    Grantees {
        user_ids: of.iter().map(|caller| caller.account.to_string()).collect(),
        ..Grantees::default()
    }
}

fn everybody() -> Grantees {
    Grantees {
        user_groups: vec!["all".to_owned()],
        ..Grantees::default()
    }
}

fn change(id: &ImageId, operation: &str, grantees: Grantees) -> ModifyImageAttribute {
    ModifyImageAttribute {
        image_id: id.to_string(),
        operation_type: Some(operation.to_owned()),
        grantees,
        ..ModifyImageAttribute::default()
    }
}

/// Whether an account can launch an image.
async fn can_launch(control: &Control, caller: &Caller, id: &ImageId) -> bool {
    match control.run_instances(caller, launch(id)).await {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.kind, ErrorKind::ImageNotFound, "{error}");
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_let_in_launches_until_that_ends() {
    let world = World::new(981);
    let (control, owner) = world.begin().await;
    let (one, two) = (new_caller(&control).await, new_caller(&control).await);
    let id = image(&control, &owner).await;
    let modify = async |operation: &str, grantees| {
        let request = change(&id, operation, grantees);
        control.modify_image_attribute(&owner, request).await
    };
    assert!(!can_launch(&control, &one, &id).await);
    modify("add", accounts(&[&one, &two])).await.unwrap();
    assert!(can_launch(&control, &one, &id).await && can_launch(&control, &two, &id).await);
    modify("remove", accounts(&[&one])).await.unwrap();
    assert!(!can_launch(&control, &one, &id).await);
    assert!(can_launch(&control, &two, &id).await);
    // Who was let in by its number can leave; nobody else can.
    control
        .cancel_image_launch_permission(&two, by_id(&id))
        .await
        .unwrap();
    assert!(!can_launch(&control, &two, &id).await);
    let again = control
        .cancel_image_launch_permission(&two, by_id(&id))
        .await;
    refused(again, ErrorKind::ImageNotFound);
    // Nobody is let in with everybody as long as that is blocked, which it is from the beginning.
    refused(
        modify("add", everybody()).await,
        ErrorKind::OperationNotPermitted,
    );
    assert!(!can_launch(&control, &two, &id).await);
    control
        .disable_image_block_public_access(&owner, false)
        .await
        .unwrap();
    modify("add", everybody()).await.unwrap();
    assert!(can_launch(&control, &two, &id).await);
    let leave = control
        .cancel_image_launch_permission(&two, by_id(&id))
        .await;
    refused(leave, ErrorKind::OperationNotPermitted);
    modify("remove", everybody()).await.unwrap();
    assert!(!can_launch(&control, &two, &id).await);
}

/// An image of a volume that is encrypted under a key, or under that of `alias/aws/ebs`.
async fn encrypted(control: &Control, caller: &Caller, key: Option<String>) -> ImageId {
    let request = CreateVolume {
        encrypted: Some(true),
        kms_key_id: key,
        ..blank(1)
    };
    let volume = available_volume(control, caller, request).await;
    let snapshot = take_snapshot(control, caller, &volume).await;
    control
        .register_image(
            caller,
            registration(&format!("of {}", volume.id), &snapshot),
        )
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn encrypted_images_are_shared_only_if_others_can_have_the_key() {
    let world = World::new(982);
    let (control, owner) = world.begin().await;
    let other = new_caller(&control).await;
    control
        .disable_image_block_public_access(&owner, false)
        .await
        .unwrap();
    let modify = async |id: &ImageId, grantees| {
        let request = change(id, "add", grantees);
        control.modify_image_attribute(&owner, request).await
    };
    let not = ErrorKind::OperationNotPermitted;
    let managed = encrypted(&control, &owner, None).await;
    refused(modify(&managed, accounts(&[&other])).await, not);
    refused(modify(&managed, everybody()).await, not);
    let key = control.create_key(&owner, None).await.unwrap();
    let own = encrypted(&control, &owner, Some(key.arn())).await;
    modify(&own, accounts(&[&other])).await.unwrap();
    refused(modify(&own, everybody()).await, not);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_is_deprecated_from_the_very_instant_on() {
    let world = World::new(983);
    let (control, owner) = world.begin().await;
    let id = image(&control, &owner).await;
    let minute = 60_000_000;
    let at = Timestamp((Clock::now(&*world.place.clock).0 / minute + 2) * minute);
    let request = EnableImageDeprecation {
        image_id: id.to_string(),
        deprecate_at: at,
        dry_run: false,
    };
    control
        .enable_image_deprecation(&owner, request)
        .await
        .unwrap();
    let found = control
        .describe_images(&owner, Default::default())
        .await
        .unwrap();
    let image = &found.items[0].image;
    assert_eq!(image.deprecation_time, Some(at));
    assert!(!image.is_deprecated(Timestamp(at.0 - 1)));
    assert!(image.is_deprecated(at));
}
