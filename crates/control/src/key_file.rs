//! The server's signing key, in files of its own beside the metadata: it has to outlive a database
//! that is lost, or signatures given out could no longer be told from those of somebody else.

use std::{fs, io, os::unix::fs::PermissionsExt as _, path::Path};

use cairn_model::Entropy;
use zeroize::Zeroizing;

use crate::{OpenError, attest::SigningKey, durable_file};

/// The private half: its owner's alone.
pub(crate) const PRIVATE: &str = "signing-key.pem";

/// The public half, for whoever wants to check.
pub(crate) const PUBLIC: &str = "signing-key.pub";

/// The signing key of a data directory; made on first use, and then kept for good.
pub(crate) fn load_or_make(dir: &Path, entropy: &dyn Entropy) -> Result<SigningKey, OpenError> {
    let path = dir.join(PRIVATE);
    let key = match fs::read_to_string(&path).map(Zeroizing::new) {
        Ok(text) => {
            check_private(&path)?;
            SigningKey::from_pem(&text).ok_or_else(|| OpenError::SigningKey(path.clone()))?
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => make(dir, entropy)?,
        Err(cause) => return Err(failed("read the signing key", &path)(cause)),
    };
    let public = dir.join(PUBLIC);
    let pem = key.public().to_pem();
    if !fs::read_to_string(&public).is_ok_and(|there| there == pem) {
        durable_file::replace(&public, pem.as_bytes(), 0o644)
            .map_err(failed("write the public key", &public))?;
    }
    Ok(key)
}

fn make(dir: &Path, entropy: &dyn Entropy) -> Result<SigningKey, OpenError> {
    let path = dir.join(PRIVATE);
    let mut seed = Zeroizing::new([0; 32]);
    entropy.fill(&mut *seed);
    let key = SigningKey::from_seed(*seed).ok_or_else(|| OpenError::SigningKey(path.clone()))?;
    durable_file::replace(&path, key.to_pem().as_bytes(), 0o600)
        .map_err(failed("write the signing key", &path))?;
    Ok(key)
}

/// A key that others could read is no proof any more; the operator has to hear of it.
fn check_private(path: &Path) -> Result<(), OpenError> {
    let metadata = fs::metadata(path).map_err(failed("look at the signing key", path))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "others than its owner may read the signing key; chmod 600 it, and think about who did");
    }
    Ok(())
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    move |source| OpenError::Io { what, path, source }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::*;

    /// Each filling is another.
    #[derive(Debug)]
    struct Counting(AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0.fetch_add(1, Ordering::SeqCst));
        }
    }

    #[test]
    fn a_key_is_made_once_and_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let entropy = Counting(AtomicU8::new(1));
        let key = load_or_make(dir.path(), &entropy).unwrap();
        let mode = |name| {
            fs::metadata(dir.path().join(name))
                .unwrap()
                .permissions()
                .mode()
                & 0o777
        };
        assert_eq!((mode(PRIVATE), mode(PUBLIC)), (0o600, 0o644));
        fs::remove_file(dir.path().join(PUBLIC)).unwrap();
        let again = load_or_make(dir.path(), &entropy).unwrap();
        assert_eq!(again.public(), key.public());
        assert_eq!(
            fs::read_to_string(dir.path().join(PUBLIC)).unwrap(),
            key.public().to_pem()
        );
    }

    #[test]
    fn a_key_that_cannot_be_read_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(PRIVATE), "rubbish").unwrap();
        let refused = load_or_make(dir.path(), &Counting(AtomicU8::new(1)));
        assert!(matches!(refused, Err(OpenError::SigningKey(_))));
        let left = fs::read_to_string(dir.path().join(PRIVATE)).unwrap();
        assert_eq!(left, "rubbish");
    }
}
