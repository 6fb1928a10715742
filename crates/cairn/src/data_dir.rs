//! The data directory, as far as commands other than `serve` read it: `endpoint` holds the
//! address of the server that runs there, `region` the region that it names, `credentials` the
//! first account's access key in the format of `~/.aws/credentials`.

use std::{
    env, fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use cairn_control::durable_file;

use crate::failure::{Failure, Result};

/// A data directory.
#[derive(Clone, Debug)]
pub(crate) struct DataDir(PathBuf);

/// An access key and its secret. The secret is left out of `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    /// Access key id.
    pub(crate) access_key_id: String,
    /// Secret access key.
    pub(crate) secret_access_key: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

impl DataDir {
    /// The directory of a name, or the one below the XDG data directory.
    pub(crate) fn named_or_default(name: Option<&Path>) -> Result<Self> {
        let path = match name {
            Some(path) => path.to_owned(),
            None => default_path()?,
        };
        std::path::absolute(&path)
            .map(Self)
            .map_err(|cause| Failure::Usage(format!("{}: {cause}", path.display())))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Fails if a server runs here. Whoever opens the directory finds that out, too; this is for what
    /// has to be done before.
    pub(crate) fn check_unused(&self) -> Result<()> {
        match fs::File::open(&self.0).map(|dir| dir.try_lock()) {
            Ok(Err(fs::TryLockError::WouldBlock)) => Err(Failure::InUse(format!(
                "the data directory {} is in use by another server; stop that one, or choose another with --data",
                self.0.display()
            ))),
            _ => Ok(()),
        }
    }

    /// Makes it, for nobody else to read, if it is not there.
    pub(crate) fn create(&self) -> io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0)
    }

    /// The address of the server that runs here, as it left it.
    pub(crate) fn endpoint(&self) -> Result<String> {
        match fs::read_to_string(self.0.join("endpoint")) {
            Ok(text) => Ok(text.trim().to_owned()),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                Err(Failure::Unreachable(format!(
                    "no server runs on {dir}; start one with `cairn serve --data {dir}`, or name its directory with --data",
                    dir = self.0.display()
                )))
            }
            Err(cause) => Err(Failure::failed(format!(
                "{}: {cause}",
                self.0.join("endpoint").display()
            ))),
        }
    }

    /// Leaves the address of the server that runs here. What a killed server left is kept if it is
    /// still right: a full disk has no room for it twice.
    pub(crate) fn write_endpoint(&self, endpoint: &str) -> io::Result<()> {
        if self.endpoint().is_ok_and(|left| left == endpoint) {
            return Ok(());
        }
        durable_file::replace(
            &self.0.join("endpoint"),
            format!("{endpoint}\n").as_bytes(),
            0o644,
        )
    }

    /// Takes the address away again.
    pub(crate) fn remove_endpoint(&self) -> io::Result<()> {
        match fs::remove_file(self.0.join("endpoint")) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
            _ => Ok(()),
        }
    }

    /// The region that the server which runs here names unless told otherwise, as it left it.
    pub(crate) fn region(&self) -> Option<String> {
        let text = fs::read_to_string(self.0.join("region")).ok()?;
        Some(text.trim().to_owned())
    }

    /// Leaves that region.
    pub(crate) fn write_region(&self, region: &str) -> io::Result<()> {
        if self.region().is_some_and(|left| left == region) {
            return Ok(());
        }
        durable_file::replace(
            &self.0.join("region"),
            format!("{region}\n").as_bytes(),
            0o644,
        )
    }

    /// Whether the first account's access key was kept here.
    pub(crate) fn has_credentials(&self) -> bool {
        self.0.join("credentials").exists()
    }

    /// The first account's access key.
    pub(crate) fn credentials(&self) -> Result<Credentials> {
        let path = self.0.join("credentials");
        let text = fs::read_to_string(&path)
            .map_err(|cause| Failure::failed(format!("{}: {cause}", path.display())))?;
        parse_credentials(&text).ok_or_else(|| {
            Failure::failed(format!(
                "{}: there is no access key in its first profile",
                path.display()
            ))
        })
    }

    /// Keeps the first account's access key, for its owner's eyes only.
    pub(crate) fn write_credentials(&self, credentials: &Credentials) -> io::Result<()> {
        let text = format!(
            "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            credentials.access_key_id, credentials.secret_access_key
        );
        durable_file::replace(&self.0.join("credentials"), text.as_bytes(), 0o600)
    }
}

/// `$XDG_DATA_HOME/cairn`, or `~/.local/share/cairn`.
fn default_path() -> Result<PathBuf> {
    let set = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    set("XDG_DATA_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".local/share")))
        .map(|base| base.join("cairn"))
        .ok_or_else(|| {
            Failure::Usage(
                "neither XDG_DATA_HOME nor HOME is set; name a directory with --data DIR".into(),
            )
        })
}

/// Reads the first profile of a shared credentials file.
fn parse_credentials(text: &str) -> Option<Credentials> {
    let value = |wanted: &str| {
        text.lines()
            .filter_map(|line| line.split_once('='))
            .find(|(key, _)| key.trim() == wanted)
            .map(|(_, value)| value.trim().to_owned())
    };
    Some(Credentials {
        access_key_id: value("aws_access_key_id")?,
        secret_access_key: value("aws_secret_access_key")?,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn directory() -> (tempfile::TempDir, DataDir) {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::named_or_default(Some(&temp.path().join("data"))).unwrap();
        dir.create().unwrap();
        (temp, dir)
    }

    fn some_credentials() -> Credentials {
        Credentials {
            access_key_id: "AKIAEXAMPLE".into(),
            secret_access_key: "a/b+c=".into(),
        }
    }

    #[test]
    fn credentials_come_back_and_nobody_else_can_read_them() {
        let (_temp, dir) = directory();
        dir.write_credentials(&some_credentials()).unwrap();
        assert_eq!(dir.credentials().unwrap(), some_credentials());
        let mode = fs::metadata(dir.path().join("credentials"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(
            fs::metadata(dir.path()).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }

    #[test]
    fn credentials_replace_a_leftover_that_others_could_read() {
        let (_temp, dir) = directory();
        let leftover = dir.path().join("credentials.new");
        fs::write(&leftover, "old").unwrap();
        fs::set_permissions(&leftover, fs::Permissions::from_mode(0o644)).unwrap();
        dir.write_credentials(&some_credentials()).unwrap();
        let mode = fs::metadata(dir.path().join("credentials"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_directory_without_a_server_says_how_to_start_one() {
        let (_temp, dir) = directory();
        let failure = dir.endpoint().unwrap_err();
        assert_eq!(failure.exit_code(), 5);
        assert!(
            failure.to_string().contains("cairn serve --data"),
            "{failure}"
        );
        dir.write_endpoint("http://127.0.0.1:8773").unwrap();
        assert_eq!(dir.endpoint().unwrap(), "http://127.0.0.1:8773");
        dir.remove_endpoint().unwrap();
        dir.remove_endpoint().unwrap();
        assert_eq!(dir.endpoint().unwrap_err().exit_code(), 5);
    }

    #[test]
    fn secrets_are_not_in_debug_output() {
        let shown = format!("{:?}", some_credentials());
        assert!(
            shown.contains("AKIAEXAMPLE") && !shown.contains("a/b+c="),
            "{shown}"
        );
    }
}
