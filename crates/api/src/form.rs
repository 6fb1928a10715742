//! Decoding of `application/x-www-form-urlencoded`, as bodies and query strings carry it.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The greatest number of parameters of one request.
pub const PARAMETERS_MAX: usize = 10_000;
/// The greatest length of a parameter's name, in bytes.
pub const NAME_LENGTH_MAX: usize = 512;

/// A form that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// Not text once decoded.
    #[error("The query string is not valid UTF-8.")]
    NotText,
    /// A `%` without two hexadecimal digits.
    #[error(
        "The query string contains a syntax error: a % is not followed by two hexadecimal digits."
    )]
    BadEscape,
    /// More than [`PARAMETERS_MAX`] parameters.
    #[error("The query string has more than {PARAMETERS_MAX} parameters.")]
    TooMany,
    /// A name longer than [`NAME_LENGTH_MAX`].
    #[error("The query string has a parameter whose name is longer than {NAME_LENGTH_MAX} bytes.")]
    NameTooLong,
}

/// Decodes the pairs of a form, in order. A parameter without `=` has an empty value.
///
/// # Errors
///
/// If an escape is broken, a name or value is no UTF-8, or a bound is exceeded.
pub fn decode(form: &[u8]) -> Result<Vec<(String, String)>, FormError> {
    let form = std::str::from_utf8(form).map_err(|_| FormError::NotText)?;
    let mut pairs = Vec::new();
    for pair in form.split('&').filter(|pair| !pair.is_empty()) {
        if pairs.len() == PARAMETERS_MAX {
            return Err(FormError::TooMany);
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        pairs.push((component(name)?, component(value)?));
        if pairs
            .last()
            .is_some_and(|(name, _)| name.len() > NAME_LENGTH_MAX)
        {
            return Err(FormError::NameTooLong);
        }
    }
    Ok(pairs)
}

/// Decodes one name or value: `+` is a space, `%41` is `A`.
///
/// # Errors
///
/// If an escape is broken or the bytes are no UTF-8.
pub fn component(text: &str) -> Result<String, FormError> {
    if !escapes_are_whole(text) {
        return Err(FormError::BadEscape);
    }
    let spaced = plus_to_space(text);
    percent_decode_str(&spaced)
        .decode_utf8()
        .map(Cow::into_owned)
        .map_err(|_| FormError::NotText)
}

/// Replaces every `+`, which stands for a space in forms and query strings.
pub(crate) fn plus_to_space(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        Cow::Owned(text.replace('+', " "))
    } else {
        Cow::Borrowed(text)
    }
}

fn escapes_are_whole(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| {
        let digits = rest.as_bytes();
        digits.len() >= 2 && digits[..2].iter().all(u8::is_ascii_hexdigit)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        decode(text.as_bytes()).unwrap()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn pairs_are_decoded_in_order() {
        assert_eq!(
            pairs("b=1&a=x+y%2Bz&c"),
            [pair("b", "1"), pair("a", "x y+z"), pair("c", "")]
        );
        assert_eq!(pairs("&&a==%3D&"), [pair("a", "==")]);
        assert_eq!(pairs("tag%3AName=%E1%88%B4"), [pair("tag:Name", "ሴ")]);
        assert_eq!(pairs(""), []);
    }

    #[test]
    fn broken_forms_are_refused() {
        for (form, error) in [
            (&b"a=%4"[..], FormError::BadEscape),
            (b"a=%zz", FormError::BadEscape),
            (b"a=%", FormError::BadEscape),
            (b"a=%+41", FormError::BadEscape),
            (b"a=%ff", FormError::NotText),
            (b"\xff=1", FormError::NotText),
        ] {
            assert_eq!(decode(form), Err(error), "{form:?}");
        }
    }

    #[test]
    fn bounds_hold() {
        let at = "a=1&".repeat(PARAMETERS_MAX);
        assert_eq!(pairs(&at).len(), PARAMETERS_MAX);
        assert_eq!(
            decode(format!("{at}a=1").as_bytes()),
            Err(FormError::TooMany)
        );
        assert_eq!(
            decode("n".repeat(NAME_LENGTH_MAX + 1).as_bytes()),
            Err(FormError::NameTooLong)
        );
        assert_eq!(pairs(&"n".repeat(NAME_LENGTH_MAX)).len(), 1);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(form in proptest::collection::vec(any::<u8>(), 0..300)) {
            // The answer does not matter here, only that there is one.
            drop(decode(&form));
        }

        #[test]
        fn what_is_encoded_is_decoded(pairs in proptest::collection::vec((".{1,20}", ".{0,40}"), 0..20)) {
            let encode = |text: &str| {
                percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
            };
            let form: Vec<_> = pairs.iter().map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect();
            prop_assert_eq!(decode(form.join("&").as_bytes()).unwrap(), pairs);
        }
    }
}
