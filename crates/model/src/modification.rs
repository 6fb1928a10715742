//! Changes of volumes that exist: what may become of one, and the states of the change.
//!
//! The rules are those of the pages on Elastic Volumes and on Multi-Attach of the EBS documentation.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    filter::{self, Filterable},
    ids::VolumeId,
    tag::Tags,
    time::Timestamp,
    volume::{Volume, VolumeState, VolumeType},
    volume_shape::{ShapeError, VolumeShape},
};

/// From the begin of a modification to the earliest begin of the next.
pub const COOLDOWN: Duration = Duration::from_secs(6 * 60 * 60);

/// The I/O operations of io1 and io2 when a change of type says nothing about them.
const PROVISIONED_IOPS: i32 = 3_000;

/// What a modification can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traits {
    /// Size in GiB.
    pub size_gib: i32,
    /// Type.
    pub volume_type: VolumeType,
    /// I/O operations per second, of types that have them.
    pub iops: Option<i32>,
    /// Throughput in MiB/s (gp3).
    pub throughput: Option<i32>,
    /// Whether several instances may attach it.
    pub multi_attach_enabled: bool,
}

impl Traits {
    /// Those that a volume has.
    pub fn of(volume: &Volume) -> Self {
        Self {
            size_gib: volume.size_gib,
            volume_type: volume.volume_type,
            iops: volume.iops,
            throughput: volume.throughput,
            multi_attach_enabled: volume.multi_attach_enabled,
        }
    }

    /// Gives them to a volume.
    pub fn apply(&self, volume: &mut Volume) {
        volume.size_gib = self.size_gib;
        volume.volume_type = self.volume_type;
        volume.iops = self.iops;
        volume.throughput = self.throughput;
        volume.multi_attach_enabled = self.multi_attach_enabled;
    }
}

/// What a request wants of a volume; what it leaves out stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Size in GiB.
    pub size_gib: Option<i32>,
    /// Type.
    pub volume_type: Option<VolumeType>,
    /// I/O operations per second.
    pub iops: Option<i32>,
    /// Throughput in MiB/s.
    pub throughput: Option<i32>,
    /// Whether several instances may attach it.
    pub multi_attach_enabled: Option<bool>,
}

/// Why a volume cannot be changed like this.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ChangeError {
    /// The request wants nothing.
    #[error(
        "The request must contain at least one of the parameters size, volumeType, iops, throughput and multiAttachEnabled"
    )]
    Nothing,
    /// Volumes do not become smaller.
    #[error("New size cannot be smaller than existing size")]
    Smaller,
    /// There is no such volume.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The type does not go to several instances.
    #[error("Multi-Attach is supported for io1 and io2 volumes, and not for {0} volumes.")]
    NoMultiAttach(VolumeType),
    /// What it is for several instances cannot change while one has it.
    #[error("Multi-Attach cannot be enabled or disabled while the volume '{0}' is attached.")]
    Attached(VolumeId),
    /// What cannot change of a volume that several instances may attach.
    #[error(
        "The {what} of the volume '{id}' cannot be modified, because Multi-Attach is enabled for it."
    )]
    Shared {
        /// `type`, or whatever else.
        what: &'static str,
        /// The volume.
        id: VolumeId,
    },
    /// io1 is for several instances from the beginning, or never.
    #[error("Multi-Attach of io1 volumes is chosen when they are created, and cannot be modified.")]
    Fixed,
}

impl Change {
    /// What a volume is to become.
    ///
    /// # Errors
    /// Whatever EBS does not allow.
    pub fn target(&self, volume: &Volume) -> Result<Traits, ChangeError> {
        if *self == Self::default() {
            return Err(ChangeError::Nothing);
        }
        let size_gib = self.size_gib.unwrap_or(volume.size_gib);
        if size_gib < volume.size_gib {
            return Err(ChangeError::Smaller);
        }
        let shape = self.shape(volume, size_gib)?;
        let target = Traits {
            size_gib,
            volume_type: shape.volume_type,
            iops: shape.iops,
            throughput: shape.throughput,
            multi_attach_enabled: self
                .multi_attach_enabled
                .unwrap_or(volume.multi_attach_enabled),
        };
        check_multi_attach(volume, &target)?;
        Ok(target)
    }

    fn shape(&self, volume: &Volume, size_gib: i32) -> Result<VolumeShape, ShapeError> {
        let volume_type = self.volume_type.unwrap_or(volume.volume_type);
        let same_type = volume_type == volume.volume_type;
        let kept = |value: Option<i32>| value.filter(|_| same_type);
        let iops = match volume_type {
            VolumeType::Io1 | VolumeType::Io2 => {
                self.iops.or(kept(volume.iops)).or(Some(PROVISIONED_IOPS))
            }
            VolumeType::Gp3 => self.iops.or(kept(volume.iops)),
            // What gp2 has follows from its size, and is not asked for.
            _ => self.iops,
        };
        let throughput = self.throughput.or(kept(volume.throughput));
        VolumeShape::new(volume_type, size_gib, iops, throughput)
    }
}

fn check_multi_attach(volume: &Volume, target: &Traits) -> Result<(), ChangeError> {
    let (before, shared) = (Traits::of(volume), volume.multi_attach_enabled);
    let changes_type = target.volume_type != before.volume_type;
    if target.multi_attach_enabled != shared {
        if !target.volume_type.has_multi_attach() {
            return Err(ChangeError::NoMultiAttach(target.volume_type));
        }
        if before.volume_type == VolumeType::Io1 || changes_type {
            return Err(ChangeError::Fixed);
        }
        if !volume.attachments.is_empty() {
            return Err(ChangeError::Attached(volume.id.clone()));
        }
    }
    let refuse = |what| {
        Err(ChangeError::Shared {
            what,
            id: volume.id.clone(),
        })
    };
    match shared {
        true if changes_type => refuse("type"),
        true if before.volume_type == VolumeType::Io1 && target.size_gib != before.size_gib => {
            refuse("size")
        }
        true if before.volume_type == VolumeType::Io1 && target.iops != before.iops => {
            refuse("iops")
        }
        _ => Ok(()),
    }
}

/// States of a modification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the states of EC2, by their names")]
pub enum ModificationState {
    Modifying,
    Optimizing,
    Completed,
    Failed,
}

/// What happens to a modification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModificationEvent {
    /// The volume is what it was to become.
    Applied,
    /// Whoever uses it sees that.
    Settled,
    /// It could not be changed, and is as it was.
    GivenUp,
}

impl ModificationEvent {
    /// Every event.
    pub const ALL: &'static [Self] = &[Self::Applied, Self::Settled, Self::GivenUp];
}

impl ModificationState {
    /// The state that follows an event; none if the event is not one of this state.
    #[must_use]
    pub fn after(self, event: ModificationEvent) -> Option<Self> {
        use ModificationEvent as E;
        match (self, event) {
            (Self::Modifying, E::Applied) => Some(Self::Optimizing),
            (Self::Modifying, E::GivenUp) => Some(Self::Failed),
            (Self::Optimizing, E::Settled) => Some(Self::Completed),
            _ => None,
        }
    }

    /// Whether nothing follows.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

/// The newest modification of a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modification {
    /// What the volume was.
    pub original: Traits,
    /// What it is to be.
    pub target: Traits,
    /// State.
    pub state: ModificationState,
    /// What there is to say of the state.
    pub status_message: Option<String>,
    /// Whether a guest that runs has to let go of the volume before it can see the new size.
    pub awaits_guest: bool,
    /// When it was asked for.
    pub start_time: Timestamp,
    /// When it was over.
    pub end_time: Option<Timestamp>,
}

/// Why the next modification has to wait.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooSoon {
    /// The last one is not over.
    #[error(
        "Volume {id} is currently in modification state '{state}'. Please wait for it to complete."
    )]
    UnderWay {
        /// The volume.
        id: VolumeId,
        /// State of the last one.
        state: ModificationState,
    },
    /// It was too short a time ago.
    #[error(
        "You've reached the maximum modification rate per volume limit. Wait at least 6 hours between modifications per EBS volume: until {0}."
    )]
    Cooldown(Timestamp),
}

impl Modification {
    /// A modification that begins.
    pub fn begin(volume: &Volume, target: Traits, now: Timestamp) -> Self {
        Self {
            original: Traits::of(volume),
            target,
            state: ModificationState::Modifying,
            status_message: None,
            awaits_guest: false,
            start_time: now,
            end_time: None,
        }
    }

    /// Takes it to the state that follows an event; one that is none of its state changes nothing.
    pub fn advance(&mut self, event: ModificationEvent, now: Timestamp) {
        let Some(state) = self.state.after(event) else {
            return;
        };
        self.state = state;
        if state.is_over() {
            self.end_time = Some(now);
        }
    }

    /// How much is done, in percent.
    pub fn progress(&self) -> i64 {
        match self.state {
            ModificationState::Modifying | ModificationState::Failed => 0,
            ModificationState::Optimizing => 99,
            ModificationState::Completed => 100,
        }
    }

    /// Refuses the next modification of a volume while it is too soon for one.
    ///
    /// # Errors
    /// Whatever has to be waited for.
    pub fn check_next(&self, id: &VolumeId, now: Timestamp) -> Result<(), TooSoon> {
        if !self.state.is_over() {
            return Err(TooSoon::UnderWay {
                id: id.clone(),
                state: self.state,
            });
        }
        // One that failed changed nothing.
        let next = self.start_time.after(COOLDOWN);
        match self.state {
            ModificationState::Completed if now < next => Err(TooSoon::Cooldown(next)),
            _ => Ok(()),
        }
    }
}

/// A modification with its volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeModification {
    /// The volume.
    pub volume_id: VolumeId,
    /// Its newest modification.
    pub modification: Modification,
}

impl VolumeModification {
    /// That of a volume that was ever modified.
    pub fn of(volume: &Volume) -> Option<Self> {
        Some(Self {
            volume_id: volume.id.clone(),
            modification: volume.modification.clone()?,
        })
    }
}

impl Filterable for VolumeModification {
    const FILTERS: &'static [&'static str] = &[
        "modification-state",
        "original-iops",
        "original-size",
        "original-volume-type",
        "originalMultiAttachEnabled",
        "start-time",
        "target-iops",
        "target-size",
        "target-volume-type",
        "targetMultiAttachEnabled",
        "volume-id",
    ];
    const HAS_TAGS: bool = false;

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        let Modification {
            original, target, ..
        } = &self.modification;
        match name {
            "modification-state" => filter::one(self.modification.state),
            "original-iops" => filter::maybe(original.iops),
            "original-size" => filter::one(original.size_gib),
            "original-volume-type" => filter::one(original.volume_type),
            "originalMultiAttachEnabled" => filter::one(original.multi_attach_enabled),
            "start-time" => filter::time(self.modification.start_time),
            "target-iops" => filter::maybe(target.iops),
            "target-size" => filter::one(target.size_gib),
            "target-volume-type" => filter::one(target.volume_type),
            "targetMultiAttachEnabled" => filter::one(target.multi_attach_enabled),
            "volume-id" => filter::one(&self.volume_id),
            _ => None,
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        None
    }
}

/// Whether a volume in this state can be modified.
pub fn is_modifiable(state: VolumeState) -> bool {
    matches!(state, VolumeState::Available | VolumeState::InUse)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::volume::tests::{attachment, volume};
    use VolumeType::*;

    fn of_type(volume_type: VolumeType, size_gib: i32) -> Volume {
        let iops = matches!(volume_type, Io1 | Io2).then_some(200);
        let shape = VolumeShape::new(volume_type, size_gib, iops, None).expect("a shape");
        Volume {
            volume_type,
            size_gib,
            iops: shape.iops,
            throughput: shape.throughput,
            ..volume()
        }
    }

    #[test]
    fn what_is_left_out_stays_or_is_the_default_of_the_type() {
        let change = |volume: &Volume, change: Change| {
            let target = change.target(volume).expect("a change");
            (target.size_gib, target.iops, target.throughput)
        };
        let to = |volume_type| Change {
            volume_type: Some(volume_type),
            ..Change::default()
        };
        let grow = |size| Change {
            size_gib: Some(size),
            ..Change::default()
        };
        let gp2 = of_type(Gp2, 100);
        assert_eq!(
            change(&gp2, grow(200)),
            (200, Some(600), None),
            "it follows from the size"
        );
        assert_eq!(change(&gp2, to(Gp3)), (100, Some(3_000), Some(125)));
        assert_eq!(change(&gp2, to(Io2)), (100, Some(3_000), None));
        assert_eq!(change(&gp2, to(Standard)), (100, None, None));
        let gp3 = Volume {
            iops: Some(4_000),
            throughput: Some(500),
            ..of_type(Gp3, 100)
        };
        assert_eq!(change(&gp3, grow(101)), (101, Some(4_000), Some(500)));
        assert_eq!(change(&gp3, to(Gp2)), (100, Some(300), None));
        assert_eq!(
            change(&of_type(Io1, 100), to(Io2)),
            (100, Some(3_000), None)
        );
        assert_eq!(Change::default().target(&gp2), Err(ChangeError::Nothing));
        assert_eq!(grow(99).target(&gp2), Err(ChangeError::Smaller));
        assert!(matches!(
            grow(2_000).target(&of_type(Standard, 1)),
            Err(ChangeError::Shape(_))
        ));
    }

    #[test]
    fn multi_attach_changes_for_io2_that_nobody_has() {
        let flag = |enabled| Change {
            multi_attach_enabled: Some(enabled),
            ..Change::default()
        };
        let io2 = of_type(Io2, 100);
        assert!(
            flag(true)
                .target(&io2)
                .is_ok_and(|t| t.multi_attach_enabled)
        );
        assert_eq!(
            flag(true).target(&of_type(Gp3, 100)),
            Err(ChangeError::NoMultiAttach(Gp3))
        );
        assert_eq!(
            flag(true).target(&of_type(Io1, 100)),
            Err(ChangeError::Fixed)
        );
        assert!(
            flag(false).target(&of_type(Gp3, 100)).is_ok(),
            "it is so already"
        );
        let attached = Volume {
            attachments: vec![attachment()],
            ..io2.clone()
        };
        assert_eq!(
            flag(true).target(&attached),
            Err(ChangeError::Attached(io2.id.clone()))
        );
        let shared = Volume {
            multi_attach_enabled: true,
            ..io2
        };
        assert!(
            flag(false)
                .target(&shared)
                .is_ok_and(|t| !t.multi_attach_enabled)
        );
        let to_io1 = Change {
            volume_type: Some(Io1),
            ..Change::default()
        };
        assert!(matches!(
            to_io1.target(&shared),
            Err(ChangeError::Shared { what: "type", .. })
        ));
    }

    #[test]
    fn the_next_one_waits_for_the_last_one_and_then_for_six_hours() {
        let volume = volume();
        let begin = Timestamp(1_000_000);
        let change = Change {
            size_gib: Some(volume.size_gib + 1),
            ..Change::default()
        };
        let target = change.target(&volume).expect("a change");
        let mut modification = Modification::begin(&volume, target, begin);
        let check = |m: &Modification, now| m.check_next(&volume.id, now);
        let late = begin.after(COOLDOWN);
        assert!(matches!(
            check(&modification, late),
            Err(TooSoon::UnderWay { .. })
        ));
        modification.advance(ModificationEvent::Applied, begin);
        assert!(matches!(
            check(&modification, late),
            Err(TooSoon::UnderWay { .. })
        ));
        modification.advance(ModificationEvent::Settled, begin);
        assert_eq!(
            check(&modification, Timestamp(late.0 - 1)),
            Err(TooSoon::Cooldown(late))
        );
        assert_eq!(check(&modification, late), Ok(()));
        let mut failed = Modification::begin(&volume, target, begin);
        failed.advance(ModificationEvent::GivenUp, begin);
        assert_eq!(check(&failed, begin), Ok(()));
    }

    proptest! {
        /// Whatever happens in whatever order: what is over stays over, and progress never falls but
        /// when the modification fails.
        #[test]
        fn states_go_one_way(events in prop::collection::vec(0..3_usize, 0..12)) {
            let volume = volume();
            let mut it = Modification::begin(&volume, Traits::of(&volume), Timestamp(0));
            for (at, event) in (1..).zip(events) {
                let before = it.clone();
                it.advance(ModificationEvent::ALL[event], Timestamp(at));
                prop_assert!(!before.state.is_over() || it == before);
                prop_assert!(it.progress() >= before.progress());
                prop_assert_eq!(it.end_time.is_some(), it.state.is_over());
            }
        }

        /// No change makes a volume smaller, or one that could not have been created.
        #[test]
        fn targets_are_volumes_that_could_be_created(
            from in 0..7_usize,
            size in 125..1_024_i32,
            to in prop::option::of(0..7_usize),
            grown in prop::option::of(1..70_000_i32),
            iops in prop::option::of(50..300_000_i32),
            throughput in prop::option::of(100..2_100_i32),
        ) {
            let volume = of_type(VolumeType::ALL[from], size);
            let change = Change {
                size_gib: grown,
                volume_type: to.map(|to| VolumeType::ALL[to]),
                iops,
                throughput,
                multi_attach_enabled: None,
            };
            if let Ok(target) = change.target(&volume) {
                prop_assert!(target.size_gib >= volume.size_gib);
                let asked = target.iops.filter(|_| target.volume_type != Gp2);
                let shape = VolumeShape::new(target.volume_type, target.size_gib, asked, target.throughput);
                prop_assert_eq!(shape.map(|s| (s.iops, s.throughput)), Ok((target.iops, target.throughput)));
            }
        }
    }
}
