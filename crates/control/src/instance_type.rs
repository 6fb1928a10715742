//! Instance types.

use cairn_model::{InstanceType, Paged, page::Bounds};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    describe::{self, Question},
    request::Describe,
};

/// The types that do not pay for bursts unless they are told to.
pub(crate) const STANDARD_BY_DEFAULT: &str = "t2.";

/// What MaxResults of DescribeInstanceTypes may be.
const PAGE: Bounds = Bounds { min: 5, max: 100 };

impl Control {
    /// The types of these names, or all, that pass the filters; by name.
    pub async fn describe_instance_types(
        &self,
        caller: &Caller,
        request: Describe,
    ) -> Result<Paged<InstanceType>> {
        let types = describe::select(
            InstanceType::all().to_vec(),
            &request.names,
            |t| t.name,
            |name| {
                let message =
                    format!("The following supplied instance types do not exist: [{name}]");
                Error::new(ErrorKind::InstanceTypeInvalid, message)
            },
        )?;
        Question {
            control: self,
            caller,
            operation: "DescribeInstanceTypes",
            bounds: PAGE,
            request: &request,
        }
        .answer(types, |t| t.name.to_owned())
    }
}
