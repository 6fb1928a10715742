//! Writing XML, as the query protocols answer.

use std::fmt::{Display, Write as _};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use cairn_model::Timestamp;

use crate::query::Blob;

/// A value that can stand in an element.
pub trait ToXml {
    /// Writes what stands between the element's tags.
    fn to_xml(&self, xml: &mut XmlWriter);
}

/// Whether XML 1.0 can carry a character.
pub(crate) fn can_carry(c: char) -> bool {
    !matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}

/// A document being written.
#[derive(Debug)]
pub struct XmlWriter(String);

impl XmlWriter {
    /// Begins a document.
    #[allow(
        clippy::new_without_default,
        reason = "a document is begun, not defaulted"
    )]
    pub fn new() -> Self {
        Self("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned())
    }

    /// The document.
    pub fn finish(self) -> String {
        self.0
    }

    /// Writes an element in a namespace with what `inside` writes.
    pub fn root(&mut self, name: &str, namespace: &str, inside: impl FnOnce(&mut Self)) {
        self.0.push_str(&format!("<{name} xmlns=\"{namespace}\">"));
        inside(self);
        self.close(name);
    }

    /// Writes an element with what `inside` writes.
    pub fn element(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
        inside(self);
        self.close(name);
    }

    /// Writes an element with a value, or nothing.
    pub fn member<T: ToXml + ?Sized>(&mut self, name: &str, value: Option<&T>) {
        if let Some(value) = value {
            self.element(name, |xml| value.to_xml(xml));
        }
    }

    /// Writes an element of items, which may be none.
    pub fn list<T: ToXml>(&mut self, name: &str, item: &str, items: &[T]) {
        self.element(name, |xml| {
            items.iter().for_each(|value| xml.member(item, Some(value)));
        });
    }

    /// Writes an element of items if there are some.
    pub fn list_if_any<T: ToXml>(&mut self, name: &str, item: &str, items: &[T]) {
        if !items.is_empty() {
            self.list(name, item, items);
        }
    }

    /// Writes an element of items, which may be none, or nothing.
    pub fn list_if_there<T: ToXml>(&mut self, name: &str, item: &str, items: Option<&[T]>) {
        if let Some(items) = items {
            self.list(name, item, items);
        }
    }

    /// Writes text. A character that XML 1.0 cannot carry becomes U+FFFD, as there is no escape
    /// for it; a carriage return is escaped, or readers would take it for a line feed.
    pub fn text(&mut self, text: &str) {
        // Most of the text of most answers.
        if text
            .bytes()
            .all(|b| matches!(b, b' '..=b'~') && !b"&<>\"".contains(&b))
        {
            self.0.push_str(text);
            return;
        }
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\r' => self.0.push_str("&#13;"),
                c if can_carry(c) => self.0.push(c),
                _ => self.0.push('\u{fffd}'),
            }
        }
    }

    fn close(&mut self, name: &str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    /// Writes a value whose text needs no escaping.
    fn plain(&mut self, value: impl Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{value}");
    }
}

impl ToXml for str {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.text(self);
    }
}

impl ToXml for String {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.text(self);
    }
}

impl ToXml for bool {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.plain(self);
    }
}

impl ToXml for i32 {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.plain(self);
    }
}

impl ToXml for i64 {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.plain(self);
    }
}

impl ToXml for f64 {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.plain(self);
    }
}

impl ToXml for Timestamp {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.plain(self);
    }
}

impl ToXml for Blob {
    fn to_xml(&self, xml: &mut XmlWriter) {
        xml.plain(BASE64_STANDARD.encode(&self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(inside: impl FnOnce(&mut XmlWriter)) -> String {
        let mut xml = XmlWriter::new();
        inside(&mut xml);
        xml.finish().lines().skip(1).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn text_is_escaped_and_always_valid() {
        let text = body(|xml| xml.text("a<b>&\"c\r\u{1}\u{0}\u{b}\u{ffff}\tሴ\u{1f9f1}"));
        assert_eq!(
            text,
            "a&lt;b&gt;&amp;&quot;c&#13;\u{fffd}\u{fffd}\u{fffd}\u{fffd}\tሴ\u{1f9f1}"
        );
    }

    #[test]
    fn lists_wrap_their_items() {
        let items = ["a".to_owned(), "b".to_owned()];
        assert_eq!(
            body(|xml| xml.list("set", "item", &items)),
            "<set><item>a</item><item>b</item></set>"
        );
        assert_eq!(
            body(|xml| xml.list::<String>("set", "item", &[])),
            "<set></set>"
        );
        assert_eq!(
            body(|xml| xml.list_if_any::<String>("set", "item", &[])),
            ""
        );
    }

    #[test]
    fn values_are_written_as_ec2_does() {
        assert_eq!(
            body(|xml| xml.member("t", Some(&Timestamp(1_767_323_045_000_000)))),
            "<t>2026-01-02T03:04:05.000Z</t>"
        );
        assert_eq!(body(|xml| xml.member("b", Some(&true))), "<b>true</b>");
        assert_eq!(
            body(|xml| xml.member("d", Some(&Blob(b"hi".to_vec())))),
            "<d>aGk=</d>"
        );
        assert_eq!(body(|xml| xml.member::<bool>("b", None)), "");
    }
}
