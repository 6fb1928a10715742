//! Digests of blocks in rows. Whoever can read a digest can tell whether a block is one that they
//! know, so those of encrypted blocks are sealed: AES-256-GCM-SIV (RFC 8452) under a key derived from the
//! domain's, bound to snapshot and index. The nonce is always zero, which that mode allows: the same
//! digest at the same place looks the same, and nothing else is told.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use cairn_blocks::{Digest, DomainId, KeyError, Keyring, Secrecy};
use cairn_model::SnapshotId;

use crate::{
    Control,
    engine::{EngineError, blocking},
};

/// How the digests of an upload's blocks stand in rows.
#[derive(Clone, Debug)]
pub(crate) enum RowSeal {
    /// As they are.
    Plain,
    /// Sealed.
    Sealed(Arc<LessSafeKey>),
    /// Under a key that is gone.
    Erased,
}

/// A row that does not say what it has to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the row of a block holds no digest that can be read")]
pub(crate) struct UnreadableRow;

impl RowSeal {
    /// How digests of a domain stand in rows. May read a file.
    pub(crate) fn of(keyring: &dyn Keyring, domain: DomainId) -> Result<Self, cairn_blocks::Error> {
        Ok(match keyring.secrecy(domain)? {
            Secrecy::Plain => Self::Plain,
            Secrecy::Erased => Self::Erased,
            Secrecy::Sealed(data_key) => {
                let key = data_key.derive::<32>(&[b"cairn digests in rows"]);
                let key = UnboundKey::new(&AES_256_GCM_SIV, &*key).map_err(|_| KeyError {
                    domain,
                    reason: "it has the wrong length".to_owned(),
                })?;
                Self::Sealed(Arc::new(LessSafeKey::new(key)))
            }
        })
    }

    /// What the row of a block says.
    pub(crate) fn seal(
        &self,
        snapshot: &SnapshotId,
        block_index: u64,
        digest: Digest,
    ) -> Result<Vec<u8>, UnreadableRow> {
        let mut row = digest.0.to_vec();
        match self {
            Self::Plain => Ok(row),
            Self::Erased => Err(UnreadableRow),
            Self::Sealed(key) => {
                key.seal_in_place_append_tag(nonce(), aad(snapshot, block_index), &mut row)
                    .map_err(|_| UnreadableRow)?;
                Ok(row)
            }
        }
    }

    /// The digest that a row holds.
    pub(crate) fn open(
        &self,
        snapshot: &SnapshotId,
        block_index: u64,
        row: &[u8],
    ) -> Result<Digest, UnreadableRow> {
        let mut row = row.to_vec();
        let digest = match self {
            Self::Plain => row.as_slice(),
            Self::Erased => return Err(UnreadableRow),
            Self::Sealed(key) => key
                .open_in_place(nonce(), aad(snapshot, block_index), &mut row)
                .map_err(|_| UnreadableRow)?,
        };
        digest.try_into().map(Digest).map_err(|_| UnreadableRow)
    }
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

fn aad(snapshot: &SnapshotId, block_index: u64) -> Aad<String> {
    Aad::from(format!("block {block_index} of {snapshot}"))
}

impl Control {
    /// How digests of a domain stand in rows.
    pub(crate) async fn row_seal(&self, domain: DomainId) -> Result<RowSeal, EngineError> {
        let keys = Arc::clone(self.keys());
        blocking(move || RowSeal::of(&*keys, domain)).await
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::aead::UnboundKey;

    use super::*;

    #[test]
    fn a_sealed_digest_is_bound_to_its_place() {
        let key = UnboundKey::new(&AES_256_GCM_SIV, &[7; 32]).unwrap();
        let seal = RowSeal::Sealed(Arc::new(LessSafeKey::new(key)));
        let one: SnapshotId = "snap-0123456789abcdef0".parse().unwrap();
        let two: SnapshotId = "snap-0123456789abcdef1".parse().unwrap();
        let digest = Digest([9; 32]);
        let row = seal.seal(&one, 5, digest).unwrap();
        assert!(row.windows(4).all(|part| part != [9; 4]), "{row:?}");
        assert_eq!(seal.open(&one, 5, &row), Ok(digest));
        assert_eq!(seal.open(&one, 6, &row), Err(UnreadableRow));
        assert_eq!(seal.open(&two, 5, &row), Err(UnreadableRow));
        assert_eq!(seal.open(&one, 5, &digest.0), Err(UnreadableRow));
        assert_eq!(RowSeal::Plain.open(&one, 5, &row), Err(UnreadableRow));
        assert_eq!(RowSeal::Erased.open(&one, 5, &row), Err(UnreadableRow));
    }
}
