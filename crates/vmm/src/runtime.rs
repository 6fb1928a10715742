//! Where sockets are, so that their paths fit.

use std::fs::{DirBuilder, Metadata};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;

use crate::error::MachineError;

/// The longest path of a unix socket, in bytes, without the closing zero
/// (`sun_path` in unix(7) has 108).
pub const SOCKET_PATH_MAX: usize = 107;

/// What a file name in the directory may take, its slash included.
const SOCKET_NAME_MAX: usize = 40;

/// Returns a directory for the sockets of the server whose data is in
/// `data_dir`: `run` below it if a socket's path then fits, otherwise one named
/// by a hash of `data_dir` below `XDG_RUNTIME_DIR` or `/tmp`. The directory is
/// made if it is not there; it belongs to this user and is closed to others.
///
/// # Errors
/// [`MachineError::RuntimeDirNotPrivate`] if somebody else made it.
pub fn runtime_dir(data_dir: &Path) -> Result<PathBuf, MachineError> {
    let base = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    runtime_dir_below(data_dir, base.as_deref())
}

fn runtime_dir_below(data_dir: &Path, base: Option<&Path>) -> Result<PathBuf, MachineError> {
    let data_dir = std::path::absolute(data_dir).map_err(MachineError::io("resolve", data_dir))?;
    let name = format!("cairn-{}", short_hash(&data_dir));
    let candidates = [
        Some(data_dir.join("run")),
        base.filter(|base| base.is_absolute())
            .map(|base| base.join(&name)),
        Some(Path::new("/tmp").join(&name)),
    ];
    let path = candidates
        .into_iter()
        .flatten()
        .find(|path| path.as_os_str().len() + SOCKET_NAME_MAX <= SOCKET_PATH_MAX)
        .ok_or(MachineError::SocketPathTooLong { path: data_dir })?;
    make_private_dir(&path)?;
    Ok(path)
}

/// Fails if the path of a socket does not fit its address.
pub(crate) fn check_socket_path(path: &Path) -> Result<(), MachineError> {
    if path.as_os_str().len() > SOCKET_PATH_MAX {
        return Err(MachineError::SocketPathTooLong {
            path: path.to_owned(),
        });
    }
    Ok(())
}

fn short_hash(path: &Path) -> String {
    let digest = digest::digest(&digest::SHA256, path.as_os_str().as_bytes());
    hex::encode(&digest.as_ref()[..8])
}

fn make_private_dir(path: &Path) -> Result<(), MachineError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(MachineError::io("create", path)(error)),
    }
    // Not following a link: in /tmp anybody may have put one under this name.
    let found = path
        .symlink_metadata()
        .map_err(MachineError::io("inspect", path))?;
    match privacy_fault(&found, rustix::process::geteuid().as_raw()) {
        None => Ok(()),
        Some(reason) => Err(MachineError::RuntimeDirNotPrivate {
            path: path.to_owned(),
            reason,
        }),
    }
}

fn privacy_fault(found: &Metadata, user: u32) -> Option<&'static str> {
    if !found.is_dir() {
        Some("it is not a directory")
    } else if found.uid() != user {
        Some("it belongs to another user")
    } else if found.mode() & 0o077 != 0 {
        Some("others may enter it")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_short_data_dir_holds_its_own_sockets() {
        let data = tempfile::tempdir().unwrap();
        let dir = runtime_dir_below(data.path(), None).unwrap();
        assert_eq!(dir, data.path().join("run"));
        assert_eq!(dir.metadata().unwrap().mode() & 0o777, 0o700);
        assert_eq!(
            runtime_dir_below(data.path(), None).unwrap(),
            dir,
            "a second call finds it"
        );
    }

    #[test]
    fn a_long_data_dir_gets_a_short_one_of_its_own() {
        let base = tempfile::tempdir().unwrap();
        let long = base.path().join("x".repeat(80));
        let other = base.path().join("y".repeat(80));
        let dir = runtime_dir_below(&long, Some(base.path())).unwrap();
        assert_eq!(dir.parent(), Some(base.path()));
        assert!(dir.as_os_str().len() + SOCKET_NAME_MAX <= SOCKET_PATH_MAX);
        assert_ne!(dir, runtime_dir_below(&other, Some(base.path())).unwrap());
    }

    #[test]
    fn a_directory_that_others_may_enter_is_refused() {
        let data = tempfile::tempdir().unwrap();
        let run = data.path().join("run");
        std::fs::create_dir(&run).unwrap();
        std::fs::set_permissions(&run, std::fs::Permissions::from_mode(0o755)).unwrap();
        let error = runtime_dir_below(data.path(), None).unwrap_err();
        assert!(
            matches!(error, MachineError::RuntimeDirNotPrivate { .. }),
            "{error}"
        );
    }

    #[test]
    fn a_link_in_the_place_of_the_directory_is_refused() {
        let data = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), data.path().join("run")).unwrap();
        let error = runtime_dir_below(data.path(), None).unwrap_err();
        assert!(error.to_string().contains("not a directory"), "{error}");
    }

    #[test]
    fn a_directory_of_another_user_is_refused() {
        let data = tempfile::tempdir().unwrap();
        let dir = runtime_dir_below(data.path(), None).unwrap();
        let found = dir.symlink_metadata().unwrap();
        assert_eq!(privacy_fault(&found, found.uid()), None);
        assert_eq!(
            privacy_fault(&found, found.uid() + 1),
            Some("it belongs to another user")
        );
    }
}
