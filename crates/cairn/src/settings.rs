//! The server's settings: flags over environment (both by way of the command line's definition)
//! over `config.toml` in the data directory, over what is built in.

use std::{fs, io, net::SocketAddr, path::PathBuf, time::Duration};

use cairn_control::collect::CollectionOptions;
use cairn_control::scrub::ScrubOptions;
use cairn_model::Region;
use serde::Deserialize;

use crate::{
    cli::{AcceleratorChoice, EgressChoice, Serve},
    data_dir::DataDir,
    failure::{Failure, Result},
};

/// Where the server listens unless told otherwise.
const DEFAULT_LISTEN: &str = "127.0.0.1:8773";

/// The region that is named unless told otherwise.
pub(crate) const DEFAULT_REGION: &str = "us-east-1";

/// The size of the file of cached blocks in each region unless told otherwise, where there is space.
const DEFAULT_CACHE_FILE_MIB: u32 = 1024;

/// The server's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The address to listen on.
    pub(crate) listen: SocketAddr,
    /// The region that the printed lines name.
    pub(crate) region: Region,
    /// What runs the machines' processors.
    pub(crate) accelerator: AcceleratorChoice,
    /// What guests may reach.
    pub(crate) egress: EgressChoice,
    /// How packs are scrubbed.
    pub(crate) scrub: ScrubOptions,
    /// How garbage is collected.
    pub(crate) collection: CollectionOptions,
    /// The file of the root key, if it is not the one in the data directory.
    pub(crate) root_key: Option<PathBuf>,
    /// Bytes of decoded blocks that are cached in a file, in each region that is in use.
    pub(crate) block_cache_file_bytes: u64,
    /// Whether volumes are held to the I/O operations and the throughput that they have on EBS.
    pub(crate) enforce_limits: bool,
    /// How long a guest may take to shut down, if not as long as is built in.
    pub(crate) shutdown_deadline: Option<Duration>,
}

/// `config.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<String>,
    region: Option<String>,
    accelerator: Option<AcceleratorChoice>,
    egress: Option<EgressChoice>,
    #[serde(default)]
    scrub: ScrubFile,
    #[serde(default)]
    collection: Collection,
    #[serde(default)]
    keys: KeysFile,
    #[serde(default)]
    cache: CacheFile,
    #[serde(default)]
    volumes: VolumesFile,
    #[serde(default)]
    instances: InstancesFile,
}

/// `[instances]` in `config.toml`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct InstancesFile {
    /// After that a guest is ended.
    shutdown_seconds: Option<u32>,
}

/// `[volumes]` in `config.toml`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct VolumesFile {
    #[serde(default)]
    enforce_limits: bool,
}

/// `[keys]` in `config.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeysFile {
    root_key: Option<PathBuf>,
}

/// `[scrub]` in `config.toml`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScrubFile {
    /// 0: only when asked for.
    interval_days: Option<u32>,
    /// 0: as fast as it goes.
    mib_per_second: Option<u32>,
}

impl ScrubFile {
    fn options(self) -> ScrubOptions {
        let built_in = ScrubOptions::default();
        let some = |number: u32| (number > 0).then_some(u64::from(number));
        ScrubOptions {
            every: self.interval_days.map_or(built_in.every, |days| {
                some(days).map(|days| Duration::from_secs(days * 24 * 60 * 60))
            }),
            bytes_per_second: self
                .mib_per_second
                .map_or(built_in.bytes_per_second, |mib| {
                    some(mib).map(|mib| mib << 20)
                }),
        }
    }
}

/// The table `collection` of `config.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Collection {
    enabled: Option<bool>,
    interval_seconds: Option<u64>,
    grace_seconds: Option<u64>,
    repack_below_percent: Option<u8>,
}

impl Collection {
    fn options(&self) -> Result<CollectionOptions> {
        let built_in = CollectionOptions::default();
        let interval = self.interval_seconds.map(Duration::from_secs);
        if interval == Some(Duration::ZERO) {
            return Err(Failure::Usage(
                "config.toml: collection.interval_seconds has to be at least 1; to collect only by hand, set collection.enabled = false".into(),
            ));
        }
        let repack_below_percent = self
            .repack_below_percent
            .unwrap_or(built_in.repack_below_percent);
        if repack_below_percent > 100 {
            return Err(Failure::Usage(format!(
                "config.toml: collection.repack_below_percent is {repack_below_percent}, which is more than 100"
            )));
        }
        Ok(CollectionOptions {
            interval: interval
                .or(built_in.interval)
                .filter(|_| self.enabled.unwrap_or(true)),
            grace: self
                .grace_seconds
                .map_or(built_in.grace, Duration::from_secs),
            repack_below_percent,
        })
    }
}

/// The table `cache` of `config.toml`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CacheFile {
    /// 0: none.
    file_mib: Option<u32>,
}

impl CacheFile {
    fn bytes(self) -> u64 {
        u64::from(self.file_mib.unwrap_or(DEFAULT_CACHE_FILE_MIB)) << 20
    }
}

impl Settings {
    /// What holds for this server.
    pub(crate) fn load(flags: &Serve, dir: &DataDir) -> Result<Self> {
        let file = read_file(dir)?;
        let listen = flags
            .listen
            .clone()
            .or(file.listen)
            .unwrap_or_else(|| DEFAULT_LISTEN.into());
        let region = flags
            .region
            .clone()
            .or(file.region)
            .unwrap_or_else(|| DEFAULT_REGION.into());
        Ok(Self {
            listen: parse_listen(&listen)?,
            region: parse_region(&region)?,
            accelerator: flags
                .accelerator
                .or(file.accelerator)
                .unwrap_or(AcceleratorChoice::Auto),
            egress: flags
                .egress
                .or(file.egress)
                .unwrap_or(EgressChoice::Isolated),
            scrub: file.scrub.options(),
            collection: file.collection.options()?,
            root_key: root_key_of(file.keys, dir),
            block_cache_file_bytes: file.cache.bytes(),
            enforce_limits: file.volumes.enforce_limits,
            shutdown_deadline: file
                .instances
                .shutdown_seconds
                .map(|seconds| Duration::from_secs(seconds.into())),
        })
    }
}

/// The file of the root key that `config.toml` of a data directory names, for those who are no server.
pub(crate) fn root_key(dir: &DataDir) -> Result<Option<PathBuf>> {
    Ok(root_key_of(read_file(dir)?.keys, dir))
}

/// A relative path is one in the data directory.
fn root_key_of(keys: KeysFile, dir: &DataDir) -> Option<PathBuf> {
    keys.root_key.map(|path| dir.path().join(path))
}

/// The region of a name, or a sentence that lists those there are.
pub(crate) fn parse_region(name: &str) -> Result<Region> {
    Region::named(name).ok_or_else(|| {
        let known: Vec<_> = Region::all().map(Region::name).collect();
        Failure::Usage(format!(
            "no region is named {name:?}; there are {}",
            known.join(", ")
        ))
    })
}

fn parse_listen(text: &str) -> Result<SocketAddr> {
    text.parse().map_err(|_| {
        Failure::Usage(format!(
            "--listen {text}: give an IP address and a port, such as 127.0.0.1:8773 or [::1]:8773"
        ))
    })
}

fn read_file(dir: &DataDir) -> Result<File> {
    let path = dir.path().join("config.toml");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        // What is wrong with a directory that is none, whoever makes it finds out.
        Err(cause)
            if matches!(
                cause.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(File::default());
        }
        Err(cause) => return Err(Failure::Usage(format!("{}: {cause}", path.display()))),
    };
    toml::from_str(&text).map_err(|cause| Failure::Usage(format!("{}: {cause}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(flags: &Serve, config: Option<&str>) -> Result<Settings> {
        let temp = tempfile::tempdir().unwrap();
        if let Some(config) = config {
            fs::write(temp.path().join("config.toml"), config).unwrap();
        }
        Settings::load(
            flags,
            &DataDir::named_or_default(Some(temp.path())).unwrap(),
        )
    }

    const NO_FLAGS: Serve = Serve {
        listen: None,
        region: None,
        accelerator: None,
        egress: None,
    };

    #[test]
    fn the_server_listens_on_loopback_unless_told_otherwise() {
        let settings = load(&NO_FLAGS, None).unwrap();
        assert!(settings.listen.ip().is_loopback());
        assert_eq!(settings.listen.port(), 8773);
        assert_eq!(settings.region.name(), "us-east-1");
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_what_is_built_in() {
        let file = Some("listen = '127.0.0.1:1'\nregion = 'eu-west-1'\naccelerator = 'tcg'\n");
        let settings = load(
            &Serve {
                listen: Some("127.0.0.1:2".into()),
                ..NO_FLAGS
            },
            file,
        )
        .unwrap();
        assert_eq!(settings.listen.port(), 2);
        assert_eq!(settings.region.name(), "eu-west-1");
        assert_eq!(settings.accelerator, AcceleratorChoice::Tcg);
    }

    #[test]
    fn scrubs_are_weekly_unless_the_file_says_otherwise() {
        let built_in = load(&NO_FLAGS, None).unwrap().scrub;
        assert_eq!(built_in, ScrubOptions::default());
        let file = "[scrub]\ninterval_days = 1\nmib_per_second = 3\n";
        let set = load(&NO_FLAGS, Some(file)).unwrap().scrub;
        assert_eq!(set.every, Some(Duration::from_secs(86_400)));
        assert_eq!(set.bytes_per_second, Some(3 << 20));
        let off = "[scrub]\ninterval_days = 0\nmib_per_second = 0\n";
        let off = load(&NO_FLAGS, Some(off)).unwrap().scrub;
        assert_eq!((off.every, off.bytes_per_second), (None, None));
    }

    #[test]
    fn a_gibibyte_of_blocks_is_cached_unless_told_otherwise() {
        let bytes = |file| load(&NO_FLAGS, file).unwrap().block_cache_file_bytes;
        assert_eq!(bytes(None), 1 << 30);
        assert_eq!(bytes(Some("[cache]\nfile_mib = 64")), 64 << 20);
        assert_eq!(bytes(Some("[cache]\nfile_mib = 0")), 0);
    }

    #[test]
    fn guests_have_the_time_to_shut_down_that_the_file_says() {
        let deadline = |file| load(&NO_FLAGS, file).unwrap().shutdown_deadline;
        assert_eq!(deadline(None), None);
        let set = deadline(Some("[instances]\nshutdown_seconds = 7"));
        assert_eq!(set, Some(Duration::from_secs(7)));
    }

    #[test]
    fn volumes_are_as_fast_as_they_can_unless_told_otherwise() {
        let enforced = |file| load(&NO_FLAGS, file).unwrap().enforce_limits;
        assert!(!enforced(None));
        assert!(enforced(Some("[volumes]\nenforce_limits = true")));
    }

    #[test]
    fn garbage_is_collected_every_hour_unless_told_otherwise() {
        assert_eq!(
            load(&NO_FLAGS, None).unwrap().collection,
            CollectionOptions::default()
        );
        let hour = Some(Duration::from_secs(3600));
        assert_eq!(CollectionOptions::default().interval, hour);
        let file =
            "[collection]\ninterval_seconds = 60\ngrace_seconds = 0\nrepack_below_percent = 0\n";
        let expected = CollectionOptions {
            interval: Some(Duration::from_secs(60)),
            grace: Duration::ZERO,
            repack_below_percent: 0,
        };
        assert_eq!(load(&NO_FLAGS, Some(file)).unwrap().collection, expected);
        let off = load(
            &NO_FLAGS,
            Some("[collection]\nenabled = false\ninterval_seconds = 60"),
        );
        assert_eq!(off.unwrap().collection.interval, None);
    }

    #[test]
    fn what_cannot_be_read_is_a_usage_error() {
        let unreadable = [
            "listen = 8773",
            "lisen = '127.0.0.1:1'",
            "listen = 'localhost'",
            "region = 'mars-1'",
            "[collection]\ninterval_seconds = 0",
            "[collection]\nrepack_below_percent = 101",
            "[collection]\ngrace_seconds = -1",
            "[collection]\ninterval = 5",
            "listen",
            "[scrub]\ninterval = 7",
            "[scrub]\ninterval_days = -1",
        ];
        for config in unreadable {
            assert_eq!(
                load(&NO_FLAGS, Some(config)).unwrap_err().exit_code(),
                2,
                "{config}"
            );
        }
    }
}
