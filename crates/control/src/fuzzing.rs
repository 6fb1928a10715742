//! Doors for the fuzz targets in `fuzz/`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cairn_model::{
    EncryptionContext, Entropy, KeyOperation, KmsKeyId,
    kms_policy::{KeyRequest, Policy, Verdict},
};

use crate::{
    ebs,
    keys::{ciphertext::Ciphertext, vault::Secret},
};

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

/// A ciphertext of KMS, as a client sends it back. What has its form is written as it was read, and is not
/// opened by another key.
pub fn kms_ciphertext(bytes: &[u8]) -> bool {
    let Some(read) = Ciphertext::read(bytes) else {
        return false;
    };
    assert_eq!(read.to_bytes(), bytes, "another ciphertext than was read");
    let opened = read.open(&Secret::new([0; 32]), &EncryptionContext::new());
    assert!(opened.is_none(), "a ciphertext that another key opens");
    true
}

/// A valid one.
pub fn sample_kms_ciphertext() -> Vec<u8> {
    #[derive(Debug)]
    struct Sevens;
    impl Entropy for Sevens {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }
    let (secret, key) = (Secret::new([1; 32]), KmsKeyId::of_bytes(&[2; 16]));
    let sealed = Ciphertext::seal(&secret, &key, &EncryptionContext::new(), b"sample", &Sevens);
    sealed.map(|sealed| sealed.to_bytes()).unwrap_or_default()
}

/// A policy of a key, as a client puts it.
pub fn kms_policy(text: &str) -> bool {
    let Ok(policy) = serde_json::from_str::<Policy>(text) else {
        return false;
    };
    if policy.check().is_err() {
        return false;
    }
    let Ok(account) = "123456789012".parse() else {
        return false;
    };
    let verdict = policy.verdict(&KeyRequest {
        account: &account,
        operation: KeyOperation::Decrypt,
        key_arn: "arn:aws:kms:us-east-1:123456789012:key/02020202-0202-0202-0202-020202020202",
        via: None,
        context: &EncryptionContext::new(),
    });
    assert!(
        verdict != Verdict::Allowed || text.contains("Allow"),
        "allowed by a policy that allows nothing"
    );
    true
}

/// A valid one.
pub const SAMPLE_KMS_POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [{"Sid": "a", "Effect": "Allow",
"Principal": {"AWS": ["arn:aws:iam::123456789012:root", "*"]}, "Action": ["kms:De*", "kms:Encrypt"], "Resource": "*",
"Condition": {"StringLike": {"kms:ViaService": "ec2.*"}, "Bool": {"kms:GrantIsForAWSResource": true}}}]}"#;
