//! Structs of requests, with `FromQuery`.

use std::fmt::Write as _;

use super::{
    HEADER,
    model::{Kind, Model, RequestMember, RequestShape},
    names::{field, rust_type, test_name},
};

/// The text of `generated/request.rs`.
pub(crate) fn module(model: &Model) -> String {
    let mut out = format!("{HEADER}\n//! Requests of EC2.\n\n");
    out.push_str("use cairn_model::Timestamp;\n\nuse crate::query::{Blob, FromQuery, Group, QueryError, Shape};\n\n");
    let _ = writeln!(
        out,
        "/// The version of the API.\npub const API_VERSION: &str = {:?};\n",
        model.api_version
    );
    operations(&mut out, model);
    for (name, shape) in &model.requests {
        structure(&mut out, name, shape);
        from_query(&mut out, name, shape);
    }
    out
}

fn operations(out: &mut String, model: &Model) {
    out.push_str("/// Every operation, and the request it takes.\npub const OPERATIONS: &[(&str, &str)] = &[\n");
    for (name, operation) in &model.operations.0 {
        let _ = writeln!(out, "    ({name:?}, {:?}),", operation.request);
    }
    out.push_str("];\n\n");
    out.push_str("/// Parses a request of the named operation and shows what was understood.\n#[cfg(test)]\n");
    out.push_str("pub(crate) fn understood(operation: &str, group: &Group) -> Option<Result<serde_json::Value, QueryError>> {\n");
    out.push_str("    fn show<T: FromQuery + serde::Serialize>(group: &Group) -> Result<serde_json::Value, QueryError> {\n");
    out.push_str("        T::from_query(group).map(|request| serde_json::to_value(request).unwrap())\n    }\n");
    out.push_str("    Some(match operation {\n");
    for (name, operation) in &model.operations.0 {
        let _ = writeln!(
            out,
            "        {name:?} => show::<{}>(group),",
            operation.request
        );
    }
    out.push_str("        _ => return None,\n    })\n}\n");
}

fn structure(out: &mut String, name: &str, shape: &RequestShape) {
    let _ = writeln!(out, "\n#[derive(Clone, Debug, Default, PartialEq)]");
    let _ = writeln!(
        out,
        "#[cfg_attr(test, derive(serde::Serialize), serde(rename_all = \"PascalCase\"))]"
    );
    let _ = writeln!(out, "pub struct {name} {{");
    for (member, about) in &shape.members.0 {
        test_name(out, member);
        let _ = writeln!(out, "    pub {}: {},", field(member), member_type(about));
    }
    out.push_str("}\n");
}

fn member_type(about: &RequestMember) -> String {
    let rust = rust_type(&about.kind);
    match about.kind {
        Kind::List { .. } => rust,
        _ if about.required => rust,
        _ => format!("Option<{rust}>"),
    }
}

fn from_query(out: &mut String, name: &str, shape: &RequestShape) {
    let _ = write!(out, "\nimpl FromQuery for {name} {{\n");
    out.push_str("    fn from_query(group: &Group) -> Result<Self, QueryError> {\n        group.check(&Shape {\n");
    let used: Vec<&str> = shape
        .members
        .0
        .iter()
        .map(|(_, about)| about.wire.as_str())
        .collect();
    let _ = writeln!(out, "            used: &{used:?},");
    let _ = writeln!(out, "            ignored: &{:?},", shape.ignored);
    let _ = writeln!(out, "            refused: &{:?},", shape.refused);
    let only: Vec<String> = shape
        .only
        .iter()
        .map(|(wire, values)| format!("({wire:?}, &{values:?})"))
        .collect();
    let _ = writeln!(out, "            only: &[{}],", only.join(", "));
    out.push_str("        })?;\n        Ok(Self {\n");
    for (member, about) in &shape.members.0 {
        let _ = writeln!(
            out,
            "            {}: group.{}({:?})?,",
            field(member),
            reader(about),
            about.wire
        );
    }
    out.push_str("        })\n    }\n}\n");
}

fn reader(about: &RequestMember) -> &'static str {
    match (&about.kind, about.required, about.keep_empty) {
        (Kind::List { .. }, true, _) => "required_list",
        (Kind::List { .. }, false, _) => "list",
        (_, true, _) => "required",
        (_, false, true) => "kept",
        (_, false, false) => "optional",
    }
}
