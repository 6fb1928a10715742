//! Little-endian fields, written and read with bounds.

use cairn_blocks::{Digest, Root};

use crate::types::EpochTag;

/// Appends fields.
#[derive(Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn u8(&mut self, n: u8) {
        self.0.push(n);
    }

    pub(crate) fn u32(&mut self, n: u32) {
        self.0.extend_from_slice(&n.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, n: u64) {
        self.0.extend_from_slice(&n.to_le_bytes());
    }

    pub(crate) fn i64(&mut self, n: i64) {
        self.0.extend_from_slice(&n.to_le_bytes());
    }

    pub(crate) fn u128(&mut self, n: u128) {
        self.0.extend_from_slice(&n.to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// A string of at most 255 bytes, after its length.
    pub(crate) fn text(&mut self, text: &str) {
        debug_assert!(text.len() <= 255);
        self.u8(u8::try_from(text.len()).unwrap_or(u8::MAX));
        self.bytes(text.as_bytes());
    }

    pub(crate) fn tag(&mut self, tag: &EpochTag) {
        self.text(tag.as_str());
    }

    pub(crate) fn root(&mut self, root: &Root) {
        self.bytes(&root.node.0);
        self.u64(root.size_bytes);
    }

    /// A digest, or the absence of one, which stands for zeros: one byte and 32.
    pub(crate) fn block(&mut self, digest: Option<Digest>) {
        self.u8(u8::from(digest.is_some()));
        self.bytes(&digest.map_or([0; 32], |digest| digest.0));
    }
}

/// Takes fields off the front; `None` when they are not there or not valid.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    pub(crate) fn u128(&mut self) -> Option<u128> {
        self.array().map(u128::from_le_bytes)
    }

    /// One byte that is 0 or 1.
    pub(crate) fn flag(&mut self) -> Option<bool> {
        match self.u8()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(crate) fn text(&mut self) -> Option<String> {
        let len = self.u8()?;
        String::from_utf8(self.bytes(usize::from(len))?.to_vec()).ok()
    }

    pub(crate) fn tag(&mut self) -> Option<EpochTag> {
        EpochTag::new(self.text()?).ok()
    }

    pub(crate) fn root(&mut self) -> Option<Root> {
        Some(Root {
            node: Digest(self.array()?),
            size_bytes: self.u64()?,
        })
    }

    pub(crate) fn block(&mut self) -> Option<Option<Digest>> {
        let present = self.flag()?;
        let digest = self.array()?;
        Some(present.then_some(Digest(digest)))
    }

    /// Succeeds when nothing is left.
    pub(crate) fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}
