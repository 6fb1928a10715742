//! Doors for the fuzz targets in `fuzz/`.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::ebs;

/// A token of EBS direct, as a client sends it back. What is accepted is a number and a seal.
pub fn ebs_token(text: &str) -> bool {
    let Some((number, seal)) = ebs::sealed_number(text) else {
        return false;
    };
    let bytes = [&number[..], &seal].concat();
    assert_eq!(STANDARD.encode(bytes), text, "another token than was read");
    true
}

/// A valid one.
pub fn sample_ebs_token() -> String {
    STANDARD.encode([7; 40])
}
