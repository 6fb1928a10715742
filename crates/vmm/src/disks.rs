//! Disks, as QEMU is told of them: at the start on its command line, later over QMP.

use std::time::Duration;

use serde_json::{Value, json};

use crate::config::Config;
use crate::events::DISK_DEVICE_PREFIX;
use crate::spec::{Architecture, DiskSpec};

/// How many disks a machine can hold at once where each has a PCI Express port
/// of its own. EC2's Nitro instances take 28 attachments, network included.
pub(crate) const SLOTS: usize = 24;

/// The number of an I/O error.
const EIO: i32 = 5;

/// The name of a port, and so of the bus behind it; ports are counted from one.
pub(crate) fn slot_name(number: usize) -> String {
    format!("slot{number:02}")
}

/// Whether the machine has ports. A PC of the 32-bit age has one plain PCI bus,
/// where QEMU finds a free place itself.
pub(crate) fn has_slots(architecture: Architecture) -> bool {
    architecture != Architecture::I386
}

/// The name of a disk's device in QEMU.
pub(crate) fn device_id(volume_id: &str) -> String {
    format!("{DISK_DEVICE_PREFIX}{volume_id}")
}

/// The block node of a disk: an NBD client that outlives its server. A request
/// that meets a dead connection waits for the next one.
pub(crate) fn block_node(disk: &DiskSpec, config: &Config) -> Value {
    json!({
        "driver": "nbd",
        "node-name": disk.volume_id,
        "server": { "type": "unix", "path": disk.socket },
        "export": disk.export,
        "reconnect-delay": whole_seconds(config.disk_reconnect),
        "open-timeout": whole_seconds(config.disk_open),
        "read-only": disk.read_only,
        "discard": "unmap",
    })
}

/// The name of the node that takes the place of a disk's when it is cut off.
pub(crate) fn dead_node_name(volume_id: &str) -> String {
    format!("gone-{volume_id}")
}

/// A node of so many bytes that answers every request with an I/O error.
pub(crate) fn dead_node(volume_id: &str, size_bytes: u64) -> Value {
    let errors = ["read", "write", "write-zeroes", "discard", "flush"].map(
        |iotype| json!({ "event": "none", "iotype": iotype, "errno": EIO, "immediately": true }),
    );
    json!({
        "driver": "blkdebug",
        "node-name": dead_node_name(volume_id),
        "image": { "driver": "null-co", "size": size_bytes },
        "inject-error": errors,
    })
}

/// The disk as the guest sees it: an NVMe controller with one namespace.
pub(crate) fn device(disk: &DiskSpec, bus: Option<&str>) -> Value {
    let mut device = json!({
        "driver": "nvme",
        "id": device_id(&disk.volume_id),
        "serial": disk.serial(),
        "drive": disk.volume_id,
    });
    if let Some(bus) = bus {
        device["bus"] = json!(bus);
    }
    if disk.boot {
        device["bootindex"] = json!(0);
    }
    device
}

/// QEMU takes whole seconds in 32 bits.
fn whole_seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}
