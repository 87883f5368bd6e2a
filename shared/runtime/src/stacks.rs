//! CloudFormation, asked for the stack of a resource.

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{ResourceStatus, StackResource};
use aws_types::SdkConfig;
use aws_types::region::Region;
use rectify_compliance::PhysicalId;

use crate::{AwsError, Error};

const OPERATION: &str = "cloudformation:DescribeStackResources";

/// What a stack without a name in the answer is called.
const UNNAMED: &str = "unknown";

/// The stacks of an account.
#[derive(Debug, Clone)]
pub struct Stacks {
    sdk: SdkConfig,
}

impl Stacks {
    /// CloudFormation in the region of `sdk`. No call is made, and no client built: few functions need one.
    pub fn new(sdk: &SdkConfig) -> Self {
        Self { sdk: sdk.clone() }
    }

    /// The stack that manages a resource, by name; `None` where none does.
    ///
    /// A physical id is unique within a type only, and the answer names one stack: a resource of another type that has the
    /// same id counts as well, so that in doubt a stack manages it.
    ///
    /// # Errors
    /// [`Error::Aws`] when CloudFormation does not answer: whether a stack manages it is never guessed.
    pub async fn managing(&self, resource: &PhysicalId) -> Result<Option<String>, Error> {
        let mut sdk = self.sdk.to_builder();
        if let Some(region) = &resource.region {
            sdk = sdk.region(Region::new(region.as_str().to_owned()));
        }
        let client = Client::new(&sdk.build());
        match client.describe_stack_resources().physical_resource_id(&resource.id).send().await {
            Ok(answer) => Ok(manager(&resource.id, answer.stack_resources())),
            Err(error) => {
                let error = AwsError::call(OPERATION, &error);
                if is_no_stack(&error) { Ok(None) } else { Err(error.into()) }
            }
        }
    }
}

/// CloudFormation has no error code of its own for it: `ValidationError`, "Stack for <id> does not exist".
fn is_no_stack(error: &AwsError) -> bool {
    match error {
        AwsError::Call(call) => call.code == "ValidationError" && call.message.ends_with("does not exist"),
        AwsError::Shape(_) => false,
    }
}

/// The stack that still holds the resource. The answer lists the first hundred resources of the stack, so one in which the
/// resource does not show names its stack all the same.
fn manager(id: &str, resources: &[StackResource]) -> Option<String> {
    let name = |it: &StackResource| it.stack_name().unwrap_or(UNNAMED).to_owned();
    let shown: Vec<&StackResource> = resources.iter().filter(|it| it.physical_resource_id() == Some(id)).collect();
    if shown.is_empty() {
        return resources.first().map(name);
    }
    shown.into_iter().find(|it| !is_released(it)).map(name)
}

/// Whether the stack has let go of the resource: with the stack, or kept by `DeletionPolicy: Retain`.
fn is_released(resource: &StackResource) -> bool {
    matches!(resource.resource_status(), Some(ResourceStatus::DeleteComplete | ResourceStatus::DeleteSkipped))
}
