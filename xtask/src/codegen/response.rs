//! Structs of responses, with `ToXml`.

use std::fmt::Write as _;

use super::{
    HEADER,
    model::{Kind, Model, ResponseMember, ResponseShape},
    names::{field, rust_type, test_name},
};

/// The text of `generated/response.rs`.
pub(crate) fn module(model: &Model) -> String {
    let mut out = format!("{HEADER}\n//! Responses of EC2.\n\nuse cairn_model::Timestamp;\n\n");
    out.push_str("use crate::{BLOBxml::{ToXml, XmlWriter}};\n\n");
    let _ = writeln!(
        out,
        "/// The namespace of responses.\npub const NAMESPACE: &str = {:?};",
        model.xml_namespace
    );
    for (name, shape) in &model.responses {
        structure(&mut out, name, shape);
        to_xml(&mut out, name, shape);
    }
    roots(&mut out, model);
    let blob = if out.contains("<Blob>") {
        "query::Blob, "
    } else {
        ""
    };
    out.replacen("BLOB", blob, 1)
}

fn structure(out: &mut String, name: &str, shape: &ResponseShape) {
    let _ = writeln!(out, "\n#[derive(Clone, Debug, Default, PartialEq)]");
    let _ = writeln!(
        out,
        "#[cfg_attr(test, derive(serde::Deserialize), serde(default, rename_all = \"PascalCase\"))]"
    );
    let _ = writeln!(out, "pub struct {name} {{");
    for (member, about) in &shape.members.0 {
        test_name(out, member);
        let _ = writeln!(out, "    pub {}: {},", field(member), member_type(about));
    }
    out.push_str("}\n");
}

fn member_type(about: &ResponseMember) -> String {
    let rust = rust_type(&about.kind);
    match about.kind {
        Kind::List { .. } if !about.optional => rust,
        _ => format!("Option<{rust}>"),
    }
}

fn to_xml(out: &mut String, name: &str, shape: &ResponseShape) {
    let _ = write!(
        out,
        "\nimpl ToXml for {name} {{\n    fn to_xml(&self, xml: &mut XmlWriter) {{\n"
    );
    for (member, about) in &shape.members.0 {
        let (field, wire) = (field(member), &about.wire);
        let _ = match &about.kind {
            Kind::List { item, .. } if about.optional => {
                writeln!(
                    out,
                    "        xml.list_if_there({wire:?}, {item:?}, self.{field}.as_deref());"
                )
            }
            Kind::List { list, item } => {
                let method = if is_tags(list) { "list_if_any" } else { "list" };
                writeln!(
                    out,
                    "        xml.{method}({wire:?}, {item:?}, &self.{field});"
                )
            }
            _ => writeln!(out, "        xml.member({wire:?}, self.{field}.as_ref());"),
        };
    }
    out.push_str("    }\n}\n");
}

/// A resource without tags has no tag set at all, where other sets are empty elements.
fn is_tags(item: &Kind) -> bool {
    matches!(item, Kind::Structure { structure } if structure == "Tag")
}

/// What tests need: the operations, and a response of each from JSON.
fn roots(out: &mut String, model: &Model) {
    out.push_str(
        "\n/// Every operation, and the structure it answers with; none is a plain `return`.\n",
    );
    out.push_str("pub const OPERATIONS: &[(&str, Option<&str>)] = &[\n");
    for (name, operation) in &model.operations.0 {
        let _ = writeln!(out, "    ({name:?}, {:?}),", operation.response);
    }
    out.push_str("];\n\n/// Writes a response of the named operation.\n#[cfg(test)]\n");
    out.push_str("pub(crate) fn written(operation: &str, response: serde_json::Value) -> Option<Box<dyn ToXml>> {\n");
    out.push_str("    fn read<T: ToXml + serde::de::DeserializeOwned + 'static>(value: serde_json::Value) -> Box<dyn ToXml> {\n");
    out.push_str("        Box::new(serde_json::from_value::<T>(value).unwrap())\n    }\n");
    out.push_str("    Some(match operation {\n");
    for (name, operation) in &model.operations.0 {
        if let Some(shape) = &operation.response {
            let _ = writeln!(out, "        {name:?} => read::<{shape}>(response),");
        }
    }
    out.push_str("        _ => return None,\n    })\n}\n");
}
