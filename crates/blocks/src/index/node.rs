//! A node in memory and its encoding.
//!
//! ```text
//!  0  4  magic "cidx"
//!  4  1  format version, 1
//!  5  1  level: 0 leaf, 1 mid, 2 root
//!  6  2  zero
//!  8     presence bitmap, bit n of byte n / 8: 32 bytes in leaf and mid nodes, 256 in the root
//!        SHA-256 of each child present, in order: of the plaintext of a block below a leaf, of
//!        the encoding of a node elsewhere
//! ```
//!
//! A leaf or mid node without children does not exist; its parent lacks it instead. An empty
//! root does exist, and is the index of a volume of zeros.

use crate::types::Digest;

const MAGIC: [u8; 4] = *b"cidx";
const VERSION: u8 = 1;
const PREFIX_LEN: usize = 8;
const HASH_LEN: usize = 32;

/// How high a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Leaf,
    Mid,
    Root,
}

impl Level {
    /// How many children a node of this level can have.
    pub(crate) fn fan_out(self) -> usize {
        match self {
            Self::Leaf | Self::Mid => 256,
            Self::Root => 2048,
        }
    }

    /// How many blocks a child covers.
    pub(crate) fn child_blocks(self) -> u64 {
        match self {
            Self::Leaf => 1,
            Self::Mid => 1 << 8,
            Self::Root => 1 << 16,
        }
    }

    /// The level of the children; `None` below a leaf, whose children are blocks.
    pub(crate) fn below(self) -> Option<Self> {
        match self {
            Self::Leaf => None,
            Self::Mid => Some(Self::Leaf),
            Self::Root => Some(Self::Mid),
        }
    }

    /// How many blocks a node of this level covers.
    pub(crate) fn blocks(self) -> u64 {
        self.child_blocks() * self.fan_out() as u64
    }

    fn code(self) -> u8 {
        match self {
            Self::Leaf => 0,
            Self::Mid => 1,
            Self::Root => 2,
        }
    }

    fn bitmap_len(self) -> usize {
        self.fan_out() / 8
    }
}

/// A node: which children there are, and their hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    level: Level,
    /// Bit n of word n / 64 tells whether child n is there.
    present: Vec<u64>,
    /// The hashes of the children that are there, in order.
    hashes: Vec<Digest>,
}

impl Node {
    /// A node without children.
    pub(crate) fn empty(level: Level) -> Self {
        Self {
            level,
            present: vec![0; level.fan_out() / 64],
            hashes: Vec::new(),
        }
    }

    /// A node with the given children, in rising order.
    pub(crate) fn from_children(
        level: Level,
        children: impl IntoIterator<Item = (usize, Digest)>,
    ) -> Self {
        let mut node = Self::empty(level);
        for (at, hash) in children {
            node.present[at / 64] |= 1 << (at % 64);
            node.hashes.push(hash);
        }
        node
    }

    pub(crate) fn level(&self) -> Level {
        self.level
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// How many children there are.
    pub(crate) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// The hash of a child, `None` if there is none.
    pub(crate) fn child(&self, at: usize) -> Option<Digest> {
        let (word, bit) = (self.present[at / 64], 1u64 << (at % 64));
        if word & bit == 0 {
            return None;
        }
        let before: u32 = self.present[..at / 64]
            .iter()
            .map(|word| word.count_ones())
            .sum();
        let rank = before + (word & (bit - 1)).count_ones();
        self.hashes.get(rank as usize).copied()
    }

    /// The children that are there, in order.
    pub(crate) fn children(&self) -> impl Iterator<Item = (usize, Digest)> {
        let present =
            (0..self.level.fan_out()).filter(|at| self.present[at / 64] & (1 << (at % 64)) != 0);
        present.zip(self.hashes.iter().copied())
    }

    /// The last child that is there.
    pub(crate) fn last_child(&self) -> Option<usize> {
        let (at, word) = self
            .present
            .iter()
            .enumerate()
            .rev()
            .find(|(_, word)| **word != 0)?;
        Some(at * 64 + word.ilog2() as usize)
    }

    /// Bytes in memory, roughly.
    pub(crate) fn weight(&self) -> usize {
        size_of::<Self>() + self.present.len() * 8 + self.hashes.len() * HASH_LEN
    }

    /// The bytes whose SHA-256 names the node.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes =
            Vec::with_capacity(PREFIX_LEN + self.level.bitmap_len() + self.hashes.len() * HASH_LEN);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[VERSION, self.level.code(), 0, 0]);
        self.present
            .iter()
            .for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
        self.hashes
            .iter()
            .for_each(|hash| bytes.extend_from_slice(&hash.0));
        bytes
    }

    /// The name of the node.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&self.encode())
    }

    /// Decodes a node that has to be of `level`. The error says what is wrong.
    pub(crate) fn decode(level: Level, bytes: &[u8]) -> Result<Self, &'static str> {
        let prefix = [MAGIC.as_slice(), &[VERSION, level.code(), 0, 0]].concat();
        let rest = bytes
            .strip_prefix(prefix.as_slice())
            .ok_or("its magic, version or level is wrong")?;
        let (bitmap, rest) = rest
            .split_at_checked(level.bitmap_len())
            .ok_or("it ends within its bitmap")?;
        let (hashes, []) = rest.as_chunks::<HASH_LEN>() else {
            return Err("it ends within a hash");
        };
        let (words, _) = bitmap.as_chunks::<8>();
        let node = Self {
            level,
            present: words.iter().map(|word| u64::from_le_bytes(*word)).collect(),
            hashes: hashes.iter().map(|hash| Digest(*hash)).collect(),
        };
        let present: u32 = node.present.iter().map(|word| word.count_ones()).sum();
        if present as usize != node.len() {
            return Err("its bitmap and its hashes differ in number");
        }
        if node.is_empty() && level != Level::Root {
            return Err("it has no children");
        }
        Ok(node)
    }
}

#[cfg(test)]
#[allow(clippy::assertions_on_result_states)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn level() -> impl Strategy<Value = Level> {
        prop_oneof![Just(Level::Leaf), Just(Level::Mid), Just(Level::Root)]
    }

    fn node() -> impl Strategy<Value = Node> {
        level().prop_flat_map(|level| {
            let children =
                prop::collection::btree_map(0..level.fan_out(), any::<[u8; 32]>(), 1..40);
            children.prop_map(move |children| {
                Node::from_children(
                    level,
                    children.into_iter().map(|(at, hash)| (at, Digest(hash))),
                )
            })
        })
    }

    proptest! {
        #[test]
        fn decodes_what_it_encodes(node in node()) {
            prop_assert_eq!(Node::decode(node.level(), &node.encode()), Ok(node));
        }

        #[test]
        fn a_child_is_the_one_listed(node in node()) {
            let listed: Vec<_> = node.children().collect();
            let asked: Vec<_> = (0..node.level().fan_out()).filter_map(|at| Some((at, node.child(at)?))).collect();
            prop_assert_eq!(node.last_child(), listed.last().map(|(at, _)| *at));
            prop_assert_eq!(asked, listed);
        }

        /// Arbitrary bytes either are refused or are the encoding of what they decode to.
        #[test]
        fn decoding_is_canonical(level in level(), bytes in prop::collection::vec(any::<u8>(), 0..600), valid_prefix in any::<bool>()) {
            let prefix = [MAGIC.as_slice(), &[VERSION, level.code(), 0, 0]].concat();
            let bytes = if valid_prefix { [prefix, bytes].concat() } else { bytes };
            if let Ok(node) = Node::decode(level, &bytes) {
                prop_assert_eq!(node.encode(), bytes);
            }
        }
    }

    #[test]
    fn every_flip_is_refused_or_another_node() {
        let node = Node::from_children(Level::Leaf, [(0, Digest([1; 32])), (200, Digest([2; 32]))]);
        let bytes = node.encode();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                match Node::decode(Level::Leaf, &flipped) {
                    Err(_) => {}
                    // Only hashes can change unseen here, and the digest of the node shows it.
                    Ok(other) => assert!(
                        at >= PREFIX_LEN + 32 && other.digest() != node.digest(),
                        "byte {at}"
                    ),
                }
            }
        }
    }

    #[test]
    fn wrong_levels_lengths_and_empty_nodes_are_refused() {
        let bytes = Node::from_children(Level::Leaf, [(0, Digest([1; 32]))]).encode();
        assert!(Node::decode(Level::Mid, &bytes).is_err());
        assert!(Node::decode(Level::Leaf, &bytes[..bytes.len() - 1]).is_err());
        assert!(Node::decode(Level::Leaf, &[bytes.as_slice(), &[0; 32]].concat()).is_err());
        assert!(Node::decode(Level::Leaf, &Node::empty(Level::Leaf).encode()).is_err());
        assert!(Node::decode(Level::Root, &Node::empty(Level::Root).encode()).is_ok());
    }
}
