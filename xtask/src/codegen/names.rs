//! Names of the wire as Rust writes them.

use super::model::{Kind, Scalar};

/// `KmsKeyId` → `kms_key_id`; a keyword becomes a raw identifier.
pub(crate) fn field(member: &str) -> String {
    let snake = snake(&member.replace("MiB", "Mib"));
    match snake.as_str() {
        "return" | "type" => format!("r#{snake}"),
        _ => snake,
    }
}

/// Gives a member its own name in tests, where serde would make another one of the field's.
pub(crate) fn test_name(out: &mut String, member: &str) {
    let pascal: String = snake_words(member).map(|word| capital(&word)).collect();
    if pascal != member {
        out.push_str(&format!(
            "    #[cfg_attr(test, serde(rename = {member:?}))]\n"
        ));
    }
}

fn snake_words(member: &str) -> impl Iterator<Item = String> {
    let field = field(member).trim_start_matches("r#").to_owned();
    field
        .split('_')
        .map(str::to_owned)
        .collect::<Vec<_>>()
        .into_iter()
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(word.len().min(1));
    first.to_ascii_uppercase() + rest
}

fn snake(camel: &str) -> String {
    let letters: Vec<char> = camel.chars().collect();
    let mut out = String::new();
    for (i, letter) in letters.iter().enumerate() {
        if letter.is_uppercase() && i > 0 && begins_word(&letters, i) {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// Whether the capital at `i` begins a word: after a small letter or digit, or before a small
/// letter (the `R` of `AAAARecord`).
fn begins_word(letters: &[char], i: usize) -> bool {
    !letters[i - 1].is_uppercase() || letters.get(i + 1).is_some_and(|next| next.is_lowercase())
}

/// The Rust type of a value.
pub(crate) fn rust_type(kind: &Kind) -> String {
    match kind {
        Kind::Scalar(scalar) => scalar_type(*scalar).to_owned(),
        Kind::List { list, .. } => format!("Vec<{}>", rust_type(list)),
        Kind::Structure { structure } => structure.clone(),
    }
}

fn scalar_type(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::String => "String",
        Scalar::Boolean => "bool",
        Scalar::Integer => "i32",
        Scalar::Long => "i64",
        Scalar::Float | Scalar::Double => "f64",
        Scalar::Timestamp => "Timestamp",
        Scalar::Blob => "Blob",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_as_words() {
        for (wire, rust) in [
            ("KmsKeyId", "kms_key_id"),
            ("VCpuInfo", "v_cpu_info"),
            ("SizeInMiB", "size_in_mib"),
            (
                "EnableResourceNameDnsAAAARecord",
                "enable_resource_name_dns_aaaa_record",
            ),
            (
                "EnableResourceNameDnsARecord",
                "enable_resource_name_dns_a_record",
            ),
            ("Ipv4AddressesPerInterface", "ipv4_addresses_per_interface"),
            ("Return", "r#return"),
        ] {
            assert_eq!(field(wire), rust);
        }
    }
}
