//! The states of an image, and what leads from one to another: one table.

use super::ImageState;

/// What happens to an image, or is to be done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageEvent {
    /// The last of its snapshots is complete.
    Complete,
    /// One of its snapshots has failed.
    Fail,
    /// Somebody is let in to it.
    Share,
    /// An instance is launched from it.
    Launch,
    /// A copy of it is made.
    Copy,
    /// Its owner takes it out of use.
    Disable,
    /// Its owner brings it back into use.
    Enable,
    /// Its owner withdraws it.
    Deregister,
}

impl ImageEvent {
    /// Every event.
    pub const ALL: &'static [Self] = &[
        Self::Complete,
        Self::Fail,
        Self::Share,
        Self::Launch,
        Self::Copy,
        Self::Disable,
        Self::Enable,
        Self::Deregister,
    ];
}

impl ImageState {
    /// The state that an event leads to; none if it cannot happen in this one.
    pub const fn after(self, event: ImageEvent) -> Option<Self> {
        use ImageEvent as E;
        Some(match (self, event) {
            (Self::Pending, E::Complete) => Self::Available,
            (Self::Pending, E::Fail) => Self::Failed,
            (Self::Available, E::Share | E::Launch | E::Copy | E::Enable) => Self::Available,
            (Self::Available | Self::Disabled, E::Disable) => Self::Disabled,
            (Self::Disabled, E::Enable) => Self::Available,
            (Self::Deregistered, _) => return None,
            (_, E::Deregister) => Self::Deregistered,
            _ => return None,
        })
    }

    /// Whether an event can happen in this state.
    pub const fn takes(self, event: ImageEvent) -> bool {
        self.after(event).is_some()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn events() -> impl Strategy<Value = Vec<ImageEvent>> {
        prop::collection::vec(prop::sample::select(ImageEvent::ALL), 0..20)
    }

    /// The states that a new image goes through; what cannot happen does not.
    fn life(events: &[ImageEvent]) -> Vec<(ImageState, ImageEvent, ImageState)> {
        let mut state = ImageState::Pending;
        let mut steps = Vec::new();
        for event in events {
            if let Some(next) = state.after(*event) {
                steps.push((state, *event, next));
                state = next;
            }
        }
        steps
    }

    proptest! {
        #[test]
        fn a_life_keeps_the_rules(events in events()) {
            let steps = life(&events);
            let happened = |wanted: ImageEvent| steps.iter().filter(|(_, e, _)| *e == wanted).count();
            // It is completed or fails once, and is withdrawn once, as the last thing.
            prop_assert!(happened(ImageEvent::Complete) + happened(ImageEvent::Fail) <= 1);
            prop_assert!(happened(ImageEvent::Deregister) <= 1);
            let end = steps.iter().position(|(_, e, _)| *e == ImageEvent::Deregister);
            prop_assert!(end.is_none_or(|end| end + 1 == steps.len()));
            for (before, event, after) in &steps {
                let uses = matches!(event, ImageEvent::Share | ImageEvent::Launch | ImageEvent::Copy);
                // Use takes an image that is there, and changes nothing.
                prop_assert!(!uses || (*before, *after) == (ImageState::Available, ImageState::Available));
                // Nothing comes back to life but what was disabled.
                let revives = *after == ImageState::Available && *before != ImageState::Available;
                prop_assert!(!revives || matches!(before, ImageState::Pending | ImageState::Disabled));
                // Asked twice is asked once.
                let again = matches!(event, ImageEvent::Disable | ImageEvent::Enable);
                prop_assert!(!again || after.after(*event) == Some(*after));
            }
        }
    }

    #[test]
    fn whatever_is_registered_can_be_withdrawn() {
        for state in ImageState::ALL {
            let withdrawn = state.after(ImageEvent::Deregister);
            assert_eq!(withdrawn.is_some(), *state != ImageState::Deregistered);
        }
    }
}
