//! What volumes of each type do in a second: the figures of the EBS volume types page of the EBS
//! documentation.

use crate::volume::{Volume, VolumeType};

/// A limit, as a bucket that fills at a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolumeLimit {
    /// Of what.
    pub of: LimitOf,
    /// How many a second.
    pub per_second: u64,
    /// How many may come at once after a pause.
    pub burst: u64,
}

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitOf {
    /// I/O operations; one has up to so many bytes.
    Operations {
        /// The bytes of one.
        bytes: u64,
    },
    /// Bytes.
    Bytes,
}

const MIB: u64 = 1 << 20;
const TIB: u64 = 1 << 40;
/// The greatest I/O operation of SSD volumes.
const SSD_OPERATION: u64 = 256 << 10;
/// The greatest I/O operation of HDD volumes.
const HDD_OPERATION: u64 = MIB;
/// The credits that a gp2 volume can save up, and the rate at which it can spend them.
const GP2_CREDITS: u64 = 5_400_000;
const GP2_BURST_IOPS: u64 = 3_000;

/// What a volume may do in a second, and after a pause. All limits hold at once.
pub fn limits(volume: &Volume) -> Vec<VolumeLimit> {
    let iops = volume.iops.and_then(|iops| u64::try_from(iops).ok());
    let iops = iops.unwrap_or_default();
    let gib = u64::try_from(volume.size_gib).unwrap_or_default();
    match volume.volume_type {
        VolumeType::Gp3 => {
            let mib = volume.throughput.and_then(|mib| u64::try_from(mib).ok());
            vec![ssd(iops), bytes(mib.unwrap_or(125) * MIB)]
        }
        VolumeType::Gp2 => gp2(iops, gib),
        // 256 KiB for each operation, and never more than an instance takes.
        VolumeType::Io1 => vec![ssd(iops), bytes((iops * SSD_OPERATION).min(1_000 * MIB))],
        VolumeType::Io2 => vec![ssd(iops), bytes((iops * SSD_OPERATION).min(4_000 * MIB))],
        VolumeType::St1 => hdd(gib, 40, 250, 500),
        VolumeType::Sc1 => hdd(gib, 12, 80, 250),
        VolumeType::Standard => vec![operations(100, 200, SSD_OPERATION), bytes(90 * MIB)],
    }
}

/// A baseline, credits on top of it, and a rate at which they can be spent.
fn gp2(baseline: u64, gib: u64) -> Vec<VolumeLimit> {
    let peak = baseline.max(GP2_BURST_IOPS);
    let mib = if gib <= 170 { 128 } else { 250 };
    let mut limits = vec![ssd(peak), bytes(mib * MIB)];
    if baseline < GP2_BURST_IOPS {
        limits.push(operations(baseline, GP2_CREDITS, SSD_OPERATION));
    }
    limits
}

/// Credits of a TiB for each TiB, filled at a base rate and spent at a burst rate, in MiB/s for each TiB.
fn hdd(gib: u64, base: u64, burst: u64, most: u64) -> Vec<VolumeLimit> {
    let of = |mib_per_tib: u64| (gib * mib_per_tib * MIB / 1_024).clamp(1, most * MIB);
    let saved = VolumeLimit {
        of: LimitOf::Bytes,
        per_second: of(base),
        burst: gib * (TIB / 1_024),
    };
    vec![
        operations(most, most, HDD_OPERATION),
        bytes(of(burst)),
        saved,
    ]
}

fn ssd(per_second: u64) -> VolumeLimit {
    operations(per_second, per_second, SSD_OPERATION)
}

fn operations(per_second: u64, burst: u64, bytes: u64) -> VolumeLimit {
    VolumeLimit {
        of: LimitOf::Operations { bytes },
        per_second,
        burst,
    }
}

fn bytes(per_second: u64) -> VolumeLimit {
    VolumeLimit {
        of: LimitOf::Bytes,
        per_second,
        burst: per_second,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::tests::volume;
    use VolumeType::*;

    fn of(volume_type: VolumeType, size_gib: i32, iops: Option<i32>) -> Vec<(LimitOf, u64)> {
        let volume = Volume {
            volume_type,
            size_gib,
            iops,
            throughput: (volume_type == Gp3).then_some(250),
            ..volume()
        };
        let limits = limits(&volume);
        limits
            .iter()
            .map(|limit| (limit.of, limit.per_second))
            .collect()
    }

    #[test]
    fn figures_are_those_of_ebs() {
        let ssd = |iops| (LimitOf::Operations { bytes: 262_144 }, iops);
        let bytes = |mib: u64| (LimitOf::Bytes, mib << 20);
        assert_eq!(of(Gp3, 100, Some(4_000)), [ssd(4_000), bytes(250)]);
        assert_eq!(of(Gp2, 100, Some(300)), [ssd(3_000), bytes(128), ssd(300)]);
        assert_eq!(of(Gp2, 2_000, Some(6_000)), [ssd(6_000), bytes(250)]);
        assert_eq!(of(Io1, 100, Some(400)), [ssd(400), bytes(100)]);
        assert_eq!(of(Io2, 1_000, Some(100_000)), [ssd(100_000), bytes(4_000)]);
        let hdd = (LimitOf::Operations { bytes: 1 << 20 }, 500);
        assert_eq!(of(St1, 1_024, None), [hdd, bytes(250), bytes(40)]);
        assert_eq!(of(St1, 16_384, None), [hdd, bytes(500), bytes(500)]);
    }
}
