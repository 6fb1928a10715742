//! What the REST dialects have in common: path segments, and parameters that stand in headers.

use http::HeaderMap;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// The segments of a path. It is split before it is decoded: an encoded slash does not split.
pub(crate) fn segments(path: &str) -> Result<Vec<String>, Problem> {
    let path = path.strip_prefix('/').ok_or(Problem::OperationUnknown)?;
    path.split('/')
        .map(|segment| {
            let decoded = percent_decode_str(segment).decode_utf8();
            decoded
                .map(std::borrow::Cow::into_owned)
                .map_err(|_| Problem::OperationUnknown)
        })
        .collect()
}

/// A header's value, if it is there and not empty.
pub(crate) fn header(headers: &HeaderMap, name: &str) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match value.to_str() {
            Ok(text) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
            Err(_) => Err(wrong(name, "text")),
        },
        (Some(_), Some(_)) => Err(Problem::FieldRepeated(name.to_owned())),
    }
}

/// A header that must be there.
pub(crate) fn required_header(headers: &HeaderMap, name: &str) -> Result<String, Problem> {
    header(headers, name)?.ok_or_else(|| Problem::FieldMissing(name.to_owned()))
}

/// A number where text may or may not be.
pub(crate) fn number<T: std::str::FromStr>(
    name: &str,
    text: Option<String>,
) -> Result<Option<T>, Problem> {
    text.map(|text| text.parse().map_err(|_| wrong(name, "an integer")))
        .transpose()
}

/// A parameter of the wrong type.
pub(crate) fn wrong(name: &str, expected: &'static str) -> Problem {
    Problem::FieldInvalid {
        name: name.to_owned(),
        expected,
    }
}

/// A JSON body; an empty one is an empty object.
pub(crate) fn body<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body)
        .map_err(|error| Problem::Json(format!("The request body is not valid: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_split_before_they_are_decoded() {
        assert_eq!(segments("/tags/arn%3Aa%2Fb").unwrap(), ["tags", "arn:a/b"]);
        assert_eq!(segments("/").unwrap(), [""]);
        assert_eq!(segments("*"), Err(Problem::OperationUnknown));
        assert_eq!(segments("/%ff"), Err(Problem::OperationUnknown));
    }

    #[test]
    fn headers_occur_once() {
        let mut headers = HeaderMap::new();
        headers.append("x-a", " 1 ".parse().unwrap());
        headers.append("x-b", "".parse().unwrap());
        assert_eq!(header(&headers, "x-a").unwrap().as_deref(), Some("1"));
        assert_eq!(header(&headers, "x-b").unwrap(), None);
        assert_eq!(
            required_header(&headers, "x-b"),
            Err(Problem::FieldMissing("x-b".to_owned()))
        );
        headers.append("x-a", "2".parse().unwrap());
        assert_eq!(
            header(&headers, "x-a"),
            Err(Problem::FieldRepeated("x-a".to_owned()))
        );
    }
}
