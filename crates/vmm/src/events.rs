//! What happens to a machine, as QEMU tells it.

use serde_json::Value;
use tokio::sync::broadcast;

use crate::qmp::QmpEvent;

/// Something that happened to a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MachineEvent {
    /// The power button was pressed.
    Powerdown,
    /// The machine was reset.
    Reset {
        /// Whether the guest did it, by a reboot.
        by_guest: bool,
    },
    /// The machine is shutting down; the process ends next.
    Shutdown(ShutdownCause),
    /// The guest's kernel has panicked.
    Panicked,
    /// The guest has let go of a disk.
    DiskReleased {
        /// The volume.
        volume_id: String,
    },
}

/// Why a machine shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShutdownCause {
    /// The guest powered itself off.
    Guest,
    /// The guest's kernel panicked.
    GuestPanic,
    /// The server or a signal ended it.
    Host,
}

/// How a machine's process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It shut down, and said why.
    Shutdown(ShutdownCause),
    /// It was killed or crashed.
    Abrupt,
}

/// Events of one machine from the moment of the subscription on.
#[derive(Debug)]
pub struct MachineEvents(pub(crate) broadcast::Receiver<MachineEvent>);

impl MachineEvents {
    /// Returns the next event, or `None` after the last. Events that were not
    /// fetched before 64 newer ones had come are left out.
    pub async fn next(&mut self) -> Option<MachineEvent> {
        loop {
            match self.0.recv().await {
                Ok(event) => return Some(event),
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "a listener is too slow for the machine's events");
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

/// How the devices of disks are named, so that their events can be told apart.
pub(crate) const DISK_DEVICE_PREFIX: &str = "disk-";

impl MachineEvent {
    /// Translates an event of QEMU's; `None` for those that concern nobody.
    pub(crate) fn from_qmp(event: &QmpEvent) -> Option<Self> {
        match event.name.as_str() {
            "POWERDOWN" => Some(Self::Powerdown),
            "RESET" => Some(Self::Reset {
                by_guest: event.data["guest"] == Value::Bool(true),
            }),
            "SHUTDOWN" => Some(Self::Shutdown(shutdown_cause(&event.data))),
            "GUEST_PANICKED" => Some(Self::Panicked),
            // Without a name it is a part of a device that is itself released.
            "DEVICE_DELETED" => released_volume(&event.data),
            _ => None,
        }
    }
}

fn released_volume(data: &Value) -> Option<MachineEvent> {
    let device = data["device"].as_str()?;
    let volume_id = device.strip_prefix(DISK_DEVICE_PREFIX)?.to_owned();
    Some(MachineEvent::DiskReleased { volume_id })
}

/// Reads QEMU's `ShutdownCause` (qapi/run-state.json).
fn shutdown_cause(data: &Value) -> ShutdownCause {
    match data["reason"].as_str() {
        Some("guest-panic") => ShutdownCause::GuestPanic,
        Some("guest-shutdown" | "guest-reset" | "subsystem-reset") => ShutdownCause::Guest,
        _ => ShutdownCause::Host,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn translate(name: &str, data: Value) -> Option<MachineEvent> {
        MachineEvent::from_qmp(&QmpEvent {
            name: name.to_owned(),
            data,
        })
    }

    #[test]
    fn a_power_off_is_told_from_a_quit() {
        let guest = json!({"guest": true, "reason": "guest-shutdown"});
        let quit = json!({"guest": false, "reason": "host-qmp-quit"});
        let panic = json!({"guest": true, "reason": "guest-panic"});
        let event = |data| translate("SHUTDOWN", data);
        assert_eq!(
            event(guest),
            Some(MachineEvent::Shutdown(ShutdownCause::Guest))
        );
        assert_eq!(
            event(quit),
            Some(MachineEvent::Shutdown(ShutdownCause::Host))
        );
        assert_eq!(
            event(panic),
            Some(MachineEvent::Shutdown(ShutdownCause::GuestPanic))
        );
    }

    #[test]
    fn only_named_disks_are_released() {
        let disk = json!({"device": "disk-vol-0a1b", "path": "/machine/peripheral/disk-vol-0a1b"});
        let volume_id = "vol-0a1b".to_owned();
        let released = Some(MachineEvent::DiskReleased { volume_id });
        assert_eq!(translate("DEVICE_DELETED", disk), released);
        assert_eq!(
            translate("DEVICE_DELETED", json!({"path": "/machine/x/nvme-ns"})),
            None
        );
        assert_eq!(translate("DEVICE_DELETED", json!({"device": "net0"})), None);
        assert_eq!(translate("RTC_CHANGE", json!({"offset": 1})), None);
    }

    #[test]
    fn a_reset_says_who_did_it() {
        let by = |guest: bool| translate("RESET", json!({"guest": guest, "reason": "x"}));
        assert_eq!(by(true), Some(MachineEvent::Reset { by_guest: true }));
        assert_eq!(by(false), Some(MachineEvent::Reset { by_guest: false }));
    }
}
