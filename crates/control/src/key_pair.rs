//! Key pairs. Private keys are shown once; they are neither kept nor logged.

use aws_lc_rs::{
    digest,
    encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der},
    rsa::{self, KeySize, PublicKeyComponents},
    signature::KeyPair as _,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use cairn_model::{
    KeyPair, KeyPairId, ResourceType, TagsByType, filter::Filters, key_pair::KeyType,
};
use cairn_store::{Connection, Constraint, key_pair};
use md5::{Digest as _, Md5};
use ssh_key::{
    LineEnding, Mpint, PrivateKey, PublicKey,
    private::Ed25519Keypair,
    public::{Ed25519PublicKey, KeyData, RsaPublicKey},
};
use zeroize::Zeroizing;

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    answer::CreatedKeyPair,
    describe,
    request::{CreateKeyPair, DeleteKeyPair, Describe, ImportKeyPair},
};

/// The greatest length of a name, in characters.
const NAME_MAX: usize = 255;

/// The lengths of RSA keys that can be imported, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 1024..=4096;

impl Control {
    /// Makes a key pair: RSA of 2048 bits, or Ed25519.
    pub async fn create_key_pair(
        &self,
        caller: &Caller,
        request: CreateKeyPair,
    ) -> Result<CreatedKeyPair> {
        check_name(&request.key_name)?;
        let key_type = key_type(request.key_type.as_deref())?;
        check_format(request.key_format.as_deref())?;
        let tags = TagsByType::of(&request.tag_specifications, &[ResourceType::KeyPair])?;
        let conn = &mut *self.store().read().await?;
        refuse_duplicate(conn, caller, &request.key_name).await?;
        describe::refuse_dry_run(request.dry_run)?;
        let material = match key_type {
            KeyType::Rsa => Material::new_rsa()?,
            KeyType::Ed25519 => Material::new_ed25519(self)?,
        };
        let tags = tags.tags(ResourceType::KeyPair);
        let key_pair = self.key_pair(caller, request.key_name, key_type, material.public, tags);
        self.insert_key_pair(&key_pair).await?;
        Ok(CreatedKeyPair {
            key_pair,
            private_key: material.private,
        })
    }

    /// Takes in the public half of a key pair.
    pub async fn import_key_pair(
        &self,
        caller: &Caller,
        request: ImportKeyPair,
    ) -> Result<KeyPair> {
        check_name(&request.key_name)?;
        let (key_type, public) = imported(&request.public_key_material)?;
        let tags = TagsByType::of(&request.tag_specifications, &[ResourceType::KeyPair])?;
        let conn = &mut *self.store().read().await?;
        refuse_duplicate(conn, caller, &request.key_name).await?;
        describe::refuse_dry_run(request.dry_run)?;
        let tags = tags.tags(ResourceType::KeyPair);
        let key_pair = self.key_pair(caller, request.key_name, key_type, public, tags);
        self.insert_key_pair(&key_pair).await?;
        Ok(key_pair)
    }

    /// The key pairs of these ids and names, or all, that pass the filters; by name.
    pub async fn describe_key_pairs(
        &self,
        caller: &Caller,
        request: Describe,
    ) -> Result<Vec<KeyPair>> {
        let filters = Filters::of::<KeyPair>(&request.filters)?;
        let conn = &mut *self.store().read().await?;
        let all = key_pair::list(conn, &caller.account, caller.region).await?;
        let keys = describe::select(all, &request.ids, |key| key.id.as_str(), id_not_found)?;
        let keys = describe::select(keys, &request.names, |key| &key.name, not_found)?;
        describe::refuse_dry_run(request.dry_run)?;
        Ok(keys
            .into_iter()
            .filter(|key| filters.matches(key))
            .collect())
    }

    /// Forgets a key pair, by name or id. One that is not there is no error; its id is returned if
    /// there was one.
    pub async fn delete_key_pair(
        &self,
        caller: &Caller,
        request: DeleteKeyPair,
    ) -> Result<Option<KeyPairId>> {
        let mut tx = self.store().write().await?;
        let found = named(&mut tx, caller, &request).await?;
        describe::refuse_dry_run(request.dry_run)?;
        let Some(key_pair) = found else {
            return Ok(None);
        };
        key_pair::delete(&mut tx, &key_pair.id).await?;
        tx.commit().await?;
        Ok(Some(key_pair.id))
    }

    fn key_pair(
        &self,
        caller: &Caller,
        name: String,
        key_type: KeyType,
        public: Public,
        tags: cairn_model::Tags,
    ) -> KeyPair {
        KeyPair {
            id: KeyPairId::generate(self.entropy()),
            account: caller.account.clone(),
            region: caller.region,
            name,
            fingerprint: public.fingerprint,
            key_type,
            public_key: public.openssh,
            create_time: self.stamp(),
            tags,
        }
    }

    async fn insert_key_pair(&self, key_pair: &KeyPair) -> Result<()> {
        let mut tx = self.store().write().await?;
        key_pair::insert(&mut tx, key_pair)
            .await
            .map_err(|error| match error {
                cairn_store::Error::Constraint(Constraint::KeyPairName) => {
                    duplicate(&key_pair.name)
                }
                other => other.into(),
            })?;
        Ok(tx.commit().await?)
    }
}

/// The caller's key pair of a name.
pub(crate) async fn find(conn: &mut Connection, caller: &Caller, name: &str) -> Result<KeyPair> {
    let found = key_pair::get_named(conn, &caller.account, caller.region, name).await?;
    found.ok_or_else(|| not_found(name))
}

async fn named(
    conn: &mut Connection,
    caller: &Caller,
    request: &DeleteKeyPair,
) -> Result<Option<KeyPair>> {
    match (&request.key_pair_id, &request.key_name) {
        (Some(id), _) => {
            let id = describe::parse_id(id, ErrorKind::InvalidParameterValue)?;
            let found = key_pair::get(conn, &id).await?;
            Ok(found.filter(|key| key.account == caller.account && key.region == caller.region))
        }
        (None, Some(name)) => {
            Ok(key_pair::get_named(conn, &caller.account, caller.region, name).await?)
        }
        (None, None) => Err(Error::new(
            ErrorKind::MissingParameter,
            "The request must contain the parameter KeyName or KeyPairId",
        )),
    }
}

async fn refuse_duplicate(conn: &mut Connection, caller: &Caller, name: &str) -> Result<()> {
    match key_pair::get_named(conn, &caller.account, caller.region, name).await? {
        Some(_) => Err(duplicate(name)),
        None => Ok(()),
    }
}

fn check_name(name: &str) -> Result<()> {
    let fits = !name.is_empty()
        && name.len() <= NAME_MAX
        && name.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
        && name.trim() == name;
    if fits {
        return Ok(());
    }
    let message = format!(
        "Value ({name}) for parameter KeyName is invalid. Up to {NAME_MAX} ASCII characters are allowed, without spaces at either end."
    );
    Err(Error::new(ErrorKind::InvalidParameterValue, message))
}

fn key_type(text: Option<&str>) -> Result<KeyType> {
    text.map_or(Ok(KeyType::Rsa), |text| {
        text.parse().map_err(|_| {
            let message = format!(
                "Value ({text}) for parameter keyType is invalid. Valid values are: rsa, ed25519"
            );
            Error::new(ErrorKind::InvalidParameterValue, message)
        })
    })
}

fn check_format(format: Option<&str>) -> Result<()> {
    match format {
        None | Some("pem") => Ok(()),
        Some("ppk") => Err(Error::new(
            ErrorKind::UnsupportedOperation,
            "Keys in the format 'ppk' are not supported yet; PuTTYgen makes one of a key in the format 'pem'.",
        )),
        Some(other) => {
            let message = format!(
                "Value ({other}) for parameter keyFormat is invalid. Valid values are: pem, ppk"
            );
            Err(Error::new(ErrorKind::InvalidParameterValue, message))
        }
    }
}

/// The public half: its OpenSSH form, and its fingerprint as EC2 computes it.
struct Public {
    openssh: String,
    fingerprint: String,
}

struct Material {
    private: Zeroizing<String>,
    public: Public,
}

impl Material {
    /// The library draws RSA keys by its own generator; no other can be given to it.
    fn new_rsa() -> Result<Self> {
        let pair = rsa::KeyPair::generate(KeySize::Rsa2048).map_err(Error::internal)?;
        let pkcs8 = pair
            .as_der()
            .map(|der: Pkcs8V1Der<'static>| Zeroizing::new(der.as_ref().to_vec()));
        let pkcs8 = pkcs8.map_err(Error::internal)?;
        let pkcs1 =
            pkcs1_of(&pkcs8).ok_or_else(|| Error::internal("a new RSA key is not PKCS#8"))?;
        let (n, e) = numbers_of(pair.public_key().as_ref())
            .ok_or_else(|| Error::internal("a new RSA key has no public half"))?;
        let openssh = openssh_rsa(n, e)?;
        // EC2: the SHA-1 of the private key as PKCS#8.
        let sha1 = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &pkcs8);
        Ok(Self {
            private: pem("RSA PRIVATE KEY", pkcs1),
            public: Public {
                openssh,
                fingerprint: colons(sha1.as_ref()),
            },
        })
    }

    fn new_ed25519(control: &Control) -> Result<Self> {
        let mut seed = Zeroizing::new([0; 32]);
        control.entropy().fill(&mut *seed);
        let pair = Ed25519Keypair::from_seed(&seed);
        let public = pair.public;
        let private = PrivateKey::from(pair)
            .to_openssh(LineEnding::LF)
            .map_err(Error::internal)?;
        Ok(Self {
            private,
            public: ed25519(&public)?,
        })
    }
}

/// What an imported key is: OpenSSH's form or the base64 of its blob, SSH2 (RFC 4716), or a
/// SubjectPublicKeyInfo as PEM, base64 or DER.
fn imported(material: &[u8]) -> Result<(KeyType, Public)> {
    let text = std::str::from_utf8(material).ok().map(str::trim);
    if let Some(key) = text.and_then(|text| PublicKey::from_openssh(text).ok()) {
        return of_key_data(key.key_data());
    }
    let bytes = text
        .and_then(unarmoured)
        .unwrap_or_else(|| material.to_vec());
    if let Ok(key) = PublicKey::from_bytes(&bytes) {
        return of_key_data(key.key_data());
    }
    let key = rsa::PublicKey::from_der(&bytes).map_err(|_| invalid_format())?;
    let (n, e) = numbers_of(key.as_ref()).ok_or_else(invalid_format)?;
    imported_rsa(n, e)
}

/// The bytes between the lines of PEM or SSH2, or of plain base64.
fn unarmoured(text: &str) -> Option<Vec<u8>> {
    let inner = text
        .lines()
        .filter(|line| !line.starts_with("----") && !line.contains(':'));
    let joined: String = inner.flat_map(str::split_whitespace).collect();
    STANDARD.decode(joined).ok()
}

fn of_key_data(key: &KeyData) -> Result<(KeyType, Public)> {
    match key {
        KeyData::Ed25519(key) => Ok((KeyType::Ed25519, ed25519(key)?)),
        KeyData::Rsa(key) => {
            let n = key.n.as_positive_bytes().ok_or_else(invalid_format)?;
            let e = key.e.as_positive_bytes().ok_or_else(invalid_format)?;
            imported_rsa(n, e)
        }
        _ => Err(invalid_format()),
    }
}

fn imported_rsa(n: &[u8], e: &[u8]) -> Result<(KeyType, Public)> {
    if !RSA_BITS.contains(&(n.len() * 8)) {
        return Err(invalid_format());
    }
    let components = PublicKeyComponents { n, e };
    let spki: PublicKeyX509Der<'_> = components.as_der().map_err(|_| invalid_format())?;
    // EC2: the MD5 of the public key as SubjectPublicKeyInfo.
    let fingerprint = colons(&Md5::digest(spki.as_ref()));
    Ok((
        KeyType::Rsa,
        Public {
            openssh: openssh_rsa(n, e)?,
            fingerprint,
        },
    ))
}

fn ed25519(key: &Ed25519PublicKey) -> Result<Public> {
    let key = PublicKey::from(KeyData::Ed25519(*key));
    let blob = key.to_bytes().map_err(Error::internal)?;
    // EC2: the fingerprint of OpenSSH, but with padding and without its prefix.
    let fingerprint = STANDARD.encode(digest::digest(&digest::SHA256, &blob));
    Ok(Public {
        openssh: key.to_openssh().map_err(Error::internal)?,
        fingerprint,
    })
}

fn openssh_rsa(n: &[u8], e: &[u8]) -> Result<String> {
    let number = |bytes| Mpint::from_positive_bytes(bytes).map_err(Error::internal);
    let key = RsaPublicKey {
        e: number(e)?,
        n: number(n)?,
    };
    PublicKey::from(KeyData::Rsa(key))
        .to_openssh()
        .map_err(Error::internal)
}

/// The RSAPrivateKey inside a PrivateKeyInfo (RFC 5958): a sequence of version, algorithm, and an
/// octet string with the key.
fn pkcs1_of(pkcs8: &[u8]) -> Option<&[u8]> {
    let (_, info, _) = der_value(pkcs8)?;
    let (_, _version, rest) = der_value(info)?;
    let (_, _algorithm, rest) = der_value(rest)?;
    let (tag, key, _) = der_value(rest)?;
    (tag == 0x04).then_some(key)
}

/// Modulus and exponent of an RSAPublicKey (RFC 8017), without leading zeros.
fn numbers_of(pkcs1: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, numbers, _) = der_value(pkcs1)?;
    let (_, n, rest) = der_value(numbers)?;
    let (_, e, _) = der_value(rest)?;
    let positive = |number: &'_ [u8]| number.iter().take_while(|byte| **byte == 0).count();
    Some((&n[positive(n)..], &e[positive(e)..]))
}

/// The tag and the content of the first DER value, and what follows it.
fn der_value(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = bytes.split_first_chunk()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (
                length
                    .iter()
                    .fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
                rest,
            )
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(der));
    let mut text = Zeroizing::new(String::with_capacity(body.len() + body.len() / 64 + 80));
    text.push_str(&format!("-----BEGIN {label}-----\n"));
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END {label}-----"));
    text
}

fn colons(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .join(":")
}

fn invalid_format() -> Error {
    Error::new(
        ErrorKind::KeyFormatInvalid,
        "Key is not in valid OpenSSH public key format",
    )
}

fn duplicate(name: &str) -> Error {
    Error::new(
        ErrorKind::KeyPairDuplicate,
        format!("The keypair '{name}' already exists."),
    )
}

fn not_found(name: &str) -> Error {
    Error::new(
        ErrorKind::KeyPairNotFound,
        format!("The key pair '{name}' does not exist"),
    )
}

fn id_not_found(id: &str) -> Error {
    Error::new(
        ErrorKind::KeyPairNotFound,
        format!("The key pair ID '{id}' does not exist"),
    )
}
