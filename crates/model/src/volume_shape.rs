//! What volumes of each type may be: sizes, I/O operations and throughput.
//!
//! The figures are those of the EBS volume types page of the EC2 documentation; the sentences are
//! those of EC2.

use crate::volume::VolumeType;

/// Type, size and performance of a volume, each within its bounds and with its default filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolumeShape {
    /// Type.
    pub volume_type: VolumeType,
    /// Size in GiB.
    pub size_gib: i32,
    /// Provisioned (io1, io2, gp3) or baseline (gp2) I/O operations per second; other types have
    /// none.
    pub iops: Option<i32>,
    /// Throughput in MiB/s; gp3 alone has one.
    pub throughput: Option<i32>,
}

/// Why there is no such volume.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ShapeError {
    /// The size is below the least of its type.
    #[error("Volume of {size}GiB is too small; minimum is {min}GiB.")]
    TooSmall {
        /// GiB asked for.
        size: i32,
        /// The least.
        min: i32,
    },
    /// The size is above the greatest of its type.
    #[error("Volume of {size}GiB is too large; maximum is {max}GiB.")]
    TooLarge {
        /// GiB asked for.
        size: i32,
        /// The greatest.
        max: i32,
    },
    /// Too few I/O operations or too little throughput.
    #[error("Volume {what} of {value} is too low; minimum is {min}.")]
    TooLow {
        /// `iops` or `throughput`.
        what: &'static str,
        /// What was asked for.
        value: i32,
        /// The least.
        min: i32,
    },
    /// Too many I/O operations or too much throughput.
    #[error("Volume {what} of {value} is too high; maximum is {max}.")]
    TooHigh {
        /// `iops` or `throughput`.
        what: &'static str,
        /// What was asked for.
        value: i32,
        /// The greatest.
        max: i32,
    },
    /// Too many I/O operations for the size.
    #[error("Iops to volume size ratio of {ratio:.6} is too high; maximum is {max}")]
    IopsRatio {
        /// Operations per GiB asked for.
        ratio: f64,
        /// The greatest.
        max: i32,
    },
    /// Too much throughput for the I/O operations.
    #[error("Throughput (MiBps) to iops ratio of {ratio:.6} is too high; maximum is 0.250000")]
    ThroughputRatio {
        /// MiB/s per operation asked for.
        ratio: f64,
    },
    /// The type has to be told its I/O operations.
    #[error("The parameter iops must be specified for {0} volumes.")]
    MissingIops(VolumeType),
    /// The type does not have this.
    #[error("The parameter {what} is not supported for {volume_type} volumes.")]
    NotSupported {
        /// `iops` or `throughput`.
        what: &'static str,
        /// The type.
        volume_type: VolumeType,
    },
}

impl VolumeType {
    /// The least and the greatest size in GiB.
    pub fn size_range(self) -> (i32, i32) {
        match self {
            Self::Gp2 => (1, 16_384),
            Self::Gp3 => (1, 65_536),
            Self::Io1 => (4, 16_384),
            Self::Io2 => (4, 65_536),
            Self::St1 | Self::Sc1 => (125, 16_384),
            Self::Standard => (1, 1_024),
        }
    }

    /// Whether volumes of this type can be attached to several instances at once.
    pub fn has_multi_attach(self) -> bool {
        matches!(self, Self::Io1 | Self::Io2)
    }

    /// The least and the greatest I/O operations per second that can be asked for, and the
    /// greatest per GiB.
    fn iops_range(self) -> Option<(i32, i32, i32)> {
        match self {
            Self::Gp3 => Some((3_000, 80_000, 500)),
            Self::Io1 => Some((100, 64_000, 50)),
            Self::Io2 => Some((100, 256_000, 1_000)),
            Self::Gp2 | Self::St1 | Self::Sc1 | Self::Standard => None,
        }
    }
}

/// The least throughput of gp3 in MiB/s, which is also what it has when nothing else is said.
const THROUGHPUT_MIN: i32 = 125;
/// The greatest.
const THROUGHPUT_MAX: i32 = 2_000;
/// The I/O operations of gp3 when nothing else is said; they come with every size.
const GP3_IOPS: i32 = 3_000;

impl VolumeShape {
    /// Checks what is asked for and fills in what is left open.
    ///
    /// # Errors
    /// Whatever the type does not allow.
    pub fn new(
        volume_type: VolumeType,
        size_gib: i32,
        iops: Option<i32>,
        throughput: Option<i32>,
    ) -> Result<Self, ShapeError> {
        let (min, max) = volume_type.size_range();
        if size_gib < min {
            return Err(ShapeError::TooSmall {
                size: size_gib,
                min,
            });
        }
        if size_gib > max {
            return Err(ShapeError::TooLarge {
                size: size_gib,
                max,
            });
        }
        let iops = shaped_iops(volume_type, size_gib, iops)?;
        let throughput = shaped_throughput(volume_type, iops, throughput)?;
        Ok(Self {
            volume_type,
            size_gib,
            iops,
            throughput,
        })
    }
}

fn shaped_iops(
    volume_type: VolumeType,
    size_gib: i32,
    iops: Option<i32>,
) -> Result<Option<i32>, ShapeError> {
    let Some((min, max, per_gib)) = volume_type.iops_range() else {
        return match iops {
            Some(_) => Err(ShapeError::NotSupported {
                what: "iops",
                volume_type,
            }),
            None if volume_type == VolumeType::Gp2 => Ok(Some((3 * size_gib).clamp(100, 16_000))),
            None => Ok(None),
        };
    };
    let Some(value) = iops else {
        return match volume_type {
            VolumeType::Gp3 => Ok(Some(GP3_IOPS)),
            _ => Err(ShapeError::MissingIops(volume_type)),
        };
    };
    within("iops", value, min, max)?;
    let included = volume_type == VolumeType::Gp3 && value == GP3_IOPS;
    if !included && i64::from(value) > i64::from(per_gib) * i64::from(size_gib) {
        return Err(ShapeError::IopsRatio {
            ratio: f64::from(value) / f64::from(size_gib),
            max: per_gib,
        });
    }
    Ok(Some(value))
}

fn shaped_throughput(
    volume_type: VolumeType,
    iops: Option<i32>,
    throughput: Option<i32>,
) -> Result<Option<i32>, ShapeError> {
    if volume_type != VolumeType::Gp3 {
        return match throughput {
            Some(_) => Err(ShapeError::NotSupported {
                what: "throughput",
                volume_type,
            }),
            None => Ok(None),
        };
    }
    let value = throughput.unwrap_or(THROUGHPUT_MIN);
    within("throughput", value, THROUGHPUT_MIN, THROUGHPUT_MAX)?;
    let iops = iops.unwrap_or(GP3_IOPS);
    if 4 * value > iops {
        return Err(ShapeError::ThroughputRatio {
            ratio: f64::from(value) / f64::from(iops),
        });
    }
    Ok(Some(value))
}

fn within(what: &'static str, value: i32, min: i32, max: i32) -> Result<(), ShapeError> {
    if value < min {
        return Err(ShapeError::TooLow { what, value, min });
    }
    if value > max {
        return Err(ShapeError::TooHigh { what, value, max });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use VolumeType::*;

    fn iops(volume_type: VolumeType, size: i32, iops: Option<i32>) -> Result<Option<i32>, String> {
        VolumeShape::new(volume_type, size, iops, None)
            .map(|s| s.iops)
            .map_err(|e| e.to_string())
    }

    #[test]
    fn defaults_are_filled_in() {
        assert_eq!(iops(Gp2, 1, None), Ok(Some(100)));
        assert_eq!(iops(Gp2, 100, None), Ok(Some(300)));
        assert_eq!(iops(Gp2, 16_384, None), Ok(Some(16_000)));
        assert_eq!(iops(Standard, 1, None), Ok(None));
        let gp3 = VolumeShape::new(Gp3, 1, None, None).expect("a gp3 volume");
        assert_eq!((gp3.iops, gp3.throughput), (Some(3_000), Some(125)));
        assert_eq!(
            iops(Gp3, 1, Some(3_000)),
            Ok(Some(3_000)),
            "these come with every size"
        );
    }

    #[test]
    fn bounds_are_those_of_ebs() {
        let size = |t, s| {
            VolumeShape::new(t, s, None, None)
                .expect_err("out of bounds")
                .to_string()
        };
        assert_eq!(
            size(Gp2, 0),
            "Volume of 0GiB is too small; minimum is 1GiB."
        );
        assert_eq!(
            size(Io1, 3),
            "Volume of 3GiB is too small; minimum is 4GiB."
        );
        assert_eq!(
            size(St1, 124),
            "Volume of 124GiB is too small; minimum is 125GiB."
        );
        assert_eq!(
            size(Standard, 1_025),
            "Volume of 1025GiB is too large; maximum is 1024GiB."
        );
        assert_eq!(
            iops(Io1, 10, Some(99)),
            Err("Volume iops of 99 is too low; minimum is 100.".to_owned())
        );
        assert_eq!(iops(Io1, 10, Some(500)), Ok(Some(500)));
        let ratio = "Iops to volume size ratio of 50.100000 is too high; maximum is 50".to_owned();
        assert_eq!(iops(Io1, 10, Some(501)), Err(ratio));
        assert_eq!(
            iops(Io2, 4, None),
            Err("The parameter iops must be specified for io2 volumes.".to_owned())
        );
        assert_eq!(
            iops(Gp2, 4, Some(100)),
            Err("The parameter iops is not supported for gp2 volumes.".to_owned())
        );
    }

    #[test]
    fn throughput_belongs_to_gp3_and_to_its_iops() {
        let throughput = |t, iops, v| VolumeShape::new(t, 100, iops, Some(v)).map(|s| s.throughput);
        assert_eq!(throughput(Gp3, None, 750), Ok(Some(750)));
        assert_eq!(
            throughput(Gp3, None, 751),
            Err(ShapeError::ThroughputRatio {
                ratio: 751.0 / 3_000.0
            })
        );
        assert_eq!(throughput(Gp3, Some(8_000), 2_000), Ok(Some(2_000)));
        assert!(matches!(
            throughput(Gp3, Some(80_000), 2_001),
            Err(ShapeError::IopsRatio { .. })
        ));
        assert!(matches!(
            throughput(Gp3, None, 124),
            Err(ShapeError::TooLow { .. })
        ));
        assert!(matches!(
            throughput(Gp2, None, 125),
            Err(ShapeError::NotSupported { .. })
        ));
    }
}
