//! Whether a block holds nothing but zeros.

/// Bytes looked at together, so that the compiler can use vector registers.
const CHUNK: usize = 128;

/// Whether every byte is zero. An empty slice is.
pub fn is_zero(bytes: &[u8]) -> bool {
    let (chunks, rest) = bytes.as_chunks::<CHUNK>();
    chunks
        .iter()
        .all(|chunk| chunk.iter().fold(0, |seen, byte| seen | byte) == 0)
        && rest.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_position_counts() {
        for len in [0, 1, 127, 128, 129, 512] {
            let mut bytes = vec![0; len];
            assert!(is_zero(&bytes));
            for at in 0..len {
                bytes[at] = 1;
                assert!(!is_zero(&bytes), "length {len}, byte {at}");
                bytes[at] = 0;
            }
        }
    }
}
