//! Encrypting and decrypting for clients, and random bytes.

use std::sync::Arc;

use cairn_model::{EncryptionContext, KeyOperation, KmsKey};
use zeroize::Zeroizing;

use super::{
    access::{Ask, admit, locate},
    ciphertext::{Ciphertext, PLAINTEXT_MAX},
    fault::{KmsFault, check_absent, check_only, check_range, refuse_dry_run},
};
use crate::{
    Caller, Control, Error, ErrorKind, Result,
    answer::kms::{DataKeyPair, Decrypted, Encrypted, ReEncrypted},
    engine::{EngineError, blocking},
    request::kms as asked,
};

/// The one algorithm that there is.
pub const ALGORITHM: &str = "SYMMETRIC_DEFAULT";
/// The most random bytes of a request.
const RANDOM_MAX: i32 = 1024;
/// The longest encryption context, in bytes.
const CONTEXT_MAX: usize = 8192;

impl Control {
    /// Encrypts a few bytes.
    pub async fn encrypt(&self, caller: &Caller, request: asked::Encrypt) -> Result<Encrypted> {
        check_algorithm(request.encryption_algorithm.as_deref())?;
        check_plaintext(&request.plaintext.0)?;
        let context = request.encryption_context;
        let ask = Ask::with(KeyOperation::Encrypt, &context);
        let key = self
            .usable_kms_key(caller, &request.key_id, ask, &request.grant_tokens)
            .await?;
        refuse_dry_run(request.dry_run)?;
        self.seal_under(&key, context.clone(), request.plaintext.0)
            .await
    }

    /// Decrypts what one of the operations here encrypted.
    pub async fn decrypt(&self, caller: &Caller, request: asked::Decrypt) -> Result<Decrypted> {
        check_algorithm(request.encryption_algorithm.as_deref())?;
        check_absent("Recipient", request.recipient.is_some())?;
        check_absent("DryRunModifiers", !request.dry_run_modifiers.is_empty())?;
        self.check_grant_tokens(&request.grant_tokens)?;
        let sealed = read(&request.ciphertext_blob.0)?;
        let context = request.encryption_context;
        let ask = Ask::with(KeyOperation::Decrypt, &context);
        let key = self
            .key_of(caller, &sealed, request.key_id.as_deref(), ask)
            .await?;
        let plaintext = self.open_under(&key, sealed, context.clone()).await?;
        refuse_dry_run(request.dry_run)?;
        Ok(Decrypted {
            key_arn: key.arn(),
            plaintext,
        })
    }

    /// Decrypts, and encrypts under another key or context; nobody sees what is between.
    pub async fn re_encrypt(
        &self,
        caller: &Caller,
        request: asked::ReEncrypt,
    ) -> Result<ReEncrypted> {
        check_algorithm(request.source_encryption_algorithm.as_deref())?;
        check_algorithm(request.destination_encryption_algorithm.as_deref())?;
        check_absent("DryRunModifiers", !request.dry_run_modifiers.is_empty())?;
        let sealed = read(&request.ciphertext_blob.0)?;
        let from = request.source_encryption_context;
        let ask = Ask::with(KeyOperation::ReEncryptFrom, &from);
        let source = self
            .key_of(caller, &sealed, request.source_key_id.as_deref(), ask)
            .await?;
        let to = request.destination_encryption_context;
        let ask = Ask::with(KeyOperation::ReEncryptTo, &to);
        let name = &request.destination_key_id;
        let key = self
            .usable_kms_key(caller, name, ask, &request.grant_tokens)
            .await?;
        let plaintext = self.open_under(&source, sealed, from.clone()).await?;
        refuse_dry_run(request.dry_run)?;
        Ok(ReEncrypted {
            source_key_arn: source.arn(),
            encrypted: self.seal_under(&key, to.clone(), plaintext).await?,
        })
    }

    /// Draws a data key, and encrypts it.
    pub async fn generate_data_key(
        &self,
        caller: &Caller,
        request: asked::GenerateDataKey,
    ) -> Result<DataKeyPair> {
        self.data_key_pair(caller, request, KeyOperation::GenerateDataKey)
            .await
    }

    /// The same for who is not to see it.
    pub async fn generate_data_key_without_plaintext(
        &self,
        caller: &Caller,
        request: asked::GenerateDataKey,
    ) -> Result<Encrypted> {
        let operation = KeyOperation::GenerateDataKeyWithoutPlaintext;
        Ok(self
            .data_key_pair(caller, request, operation)
            .await?
            .encrypted)
    }

    /// Draws bytes.
    pub fn generate_random(&self, request: &asked::GenerateRandom) -> Result<Zeroizing<Vec<u8>>> {
        check_absent("CustomKeyStoreId", request.custom_key_store_id.is_some())?;
        check_absent("Recipient", request.recipient.is_some())?;
        let length = request.number_of_bytes.ok_or_else(|| {
            KmsFault::Validation.of("NumberOfBytes says how many bytes there are to be.")
        })?;
        check_range("numberOfBytes", length, 1, RANDOM_MAX)?;
        Ok(self.draw(length))
    }

    async fn data_key_pair(
        &self,
        caller: &Caller,
        request: asked::GenerateDataKey,
        operation: KeyOperation,
    ) -> Result<DataKeyPair> {
        check_absent("Recipient", request.recipient.is_some())?;
        let length = data_key_length(request.key_spec.as_deref(), request.number_of_bytes)?;
        let context = request.encryption_context;
        let ask = Ask::with(operation, &context);
        let key = self
            .usable_kms_key(caller, &request.key_id, ask, &request.grant_tokens)
            .await?;
        refuse_dry_run(request.dry_run)?;
        let plaintext = self.draw(length);
        let encrypted = self
            .seal_under(&key, context.clone(), plaintext.clone())
            .await?;
        Ok(DataKeyPair {
            encrypted,
            plaintext,
        })
    }

    fn draw(&self, length: i32) -> Zeroizing<Vec<u8>> {
        let length = usize::try_from(length).unwrap_or_default();
        let mut bytes = Zeroizing::new(vec![0; length]);
        self.entropy().fill(&mut bytes);
        bytes
    }

    /// The key of a name, to be used with a context.
    async fn usable_kms_key(
        &self,
        caller: &Caller,
        name: &str,
        ask: Ask<'_>,
        tokens: &[String],
    ) -> Result<KmsKey> {
        check_context(ask.context)?;
        self.check_grant_tokens(tokens)?;
        self.kms_key(caller, name, ask).await
    }

    /// The key of a ciphertext, which has to be the named one if one is named.
    async fn key_of(
        &self,
        caller: &Caller,
        sealed: &Ciphertext,
        name: Option<&str>,
        ask: Ask<'_>,
    ) -> Result<KmsKey> {
        check_context(ask.context)?;
        let conn = &mut *self.store().read().await?;
        if let Some(name) = name {
            let named = locate(conn, caller, name).await?;
            if named.id != sealed.key {
                return Err(KmsFault::IncorrectKey.of(
                    "The key ID in the request does not identify a CMK that can perform this operation.",
                ));
            }
        }
        let key = cairn_store::kms_key::get(conn, &sealed.key).await?;
        let key = key
            .filter(|key| key.region == caller.region)
            .ok_or_else(no_such_key)?;
        admit(conn, caller, &key, ask)
            .await
            .map_err(|error| match error.kind {
                ErrorKind::Kms(KmsFault::AccessDenied) => no_such_key(),
                _ => error,
            })?;
        Ok(key)
    }

    async fn seal_under(
        &self,
        key: &KmsKey,
        context: EncryptionContext,
        plaintext: Zeroizing<Vec<u8>>,
    ) -> Result<Encrypted> {
        let (keys, id) = (Arc::clone(self.keys()), key.id.clone());
        let sealed = blocking(move || keys.encrypt(&id, &context, &plaintext)).await?;
        Ok(Encrypted {
            key_arn: key.arn(),
            ciphertext: sealed.to_bytes(),
        })
    }

    async fn open_under(
        &self,
        key: &KmsKey,
        sealed: Ciphertext,
        context: EncryptionContext,
    ) -> Result<Zeroizing<Vec<u8>>> {
        let (keys, id) = (Arc::clone(self.keys()), key.id.clone());
        let open = move || Ok::<_, EngineError>(keys.decrypt(&id, &sealed, &context)?);
        blocking(open).await?.ok_or_else(invalid_ciphertext)
    }
}

fn read(blob: &[u8]) -> Result<Ciphertext> {
    if blob.is_empty() {
        return Err(KmsFault::Validation.of("CiphertextBlob must have at least one byte."));
    }
    Ciphertext::read(blob).ok_or_else(invalid_ciphertext)
}

fn check_algorithm(asked: Option<&str>) -> Result<()> {
    check_only("EncryptionAlgorithm", asked, ALGORITHM)
}

fn check_plaintext(bytes: &[u8]) -> Result<()> {
    match (1..=PLAINTEXT_MAX).contains(&bytes.len()) {
        true => Ok(()),
        false => {
            Err(KmsFault::Validation.of(format!("Plaintext must have 1 to {PLAINTEXT_MAX} bytes.")))
        }
    }
}

fn check_context(context: &EncryptionContext) -> Result<()> {
    let length: usize = context
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum();
    match length <= CONTEXT_MAX {
        true => Ok(()),
        false => Err(KmsFault::Validation.of(format!(
            "The encryption context must have up to {CONTEXT_MAX} bytes."
        ))),
    }
}

fn data_key_length(spec: Option<&str>, bytes: Option<i32>) -> Result<i32> {
    match (spec, bytes) {
        (Some("AES_256"), None) => Ok(32),
        (Some("AES_128"), None) => Ok(16),
        (None, Some(bytes)) => check_range("numberOfBytes", bytes, 1, RANDOM_MAX).map(|()| bytes),
        _ => Err(KmsFault::Validation
            .of("Say either KeySpec, AES_256 or AES_128, or NumberOfBytes, and not both.")),
    }
}

fn invalid_ciphertext() -> Error {
    KmsFault::InvalidCiphertext.of(
        "The ciphertext is not one that was made here with this encryption context, or it was changed.",
    )
}

fn no_such_key() -> Error {
    KmsFault::AccessDenied.of(
        "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.",
    )
}
