//! CloudFormation: the stack of a resource.

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{ResourceStatus, StackResource};
use aws_types::SdkConfig;
use aws_types::region::Region;
use rectify_compliance::PhysicalId;

use crate::{AwsError, Error};

const OPERATION: &str = "cloudformation:DescribeStackResources";

/// The name of a stack whose name is missing in the answer.
const UNNAMED: &str = "unknown";

/// The stacks of an account.
#[derive(Debug, Clone)]
pub struct Stacks {
    sdk: SdkConfig,
}

impl Stacks {
    /// CloudFormation in the region of `sdk`. No client is built yet: few functions need one.
    pub fn new(sdk: &SdkConfig) -> Self {
        Self { sdk: sdk.clone() }
    }

    /// The name of the stack that manages a resource; `None` if none does.
    ///
    /// A physical id is unique within a type only, and the answer names one stack. A resource of another type with the
    /// same id counts, too, so that in doubt a stack manages it.
    ///
    /// # Errors
    /// [`Error::Aws`] when CloudFormation does not answer: the stack is never guessed.
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

/// CloudFormation has no specific error code for it, only `ValidationError`, "Stack for <id> does not exist".
fn is_no_stack(error: &AwsError) -> bool {
    match error {
        AwsError::Call(call) => call.code == "ValidationError" && call.message.ends_with("does not exist"),
        AwsError::Shape(_) => false,
    }
}

/// The stack that still contains the resource. The answer lists only the first hundred resources of the stack, so a
/// stack counts even if the resource is not listed.
fn manager(id: &str, resources: &[StackResource]) -> Option<String> {
    let name = |it: &StackResource| it.stack_name().unwrap_or(UNNAMED).to_owned();
    let shown: Vec<&StackResource> = resources.iter().filter(|it| it.physical_resource_id() == Some(id)).collect();
    if shown.is_empty() {
        return resources.first().map(name);
    }
    shown.into_iter().find(|it| !is_released(it)).map(name)
}

/// Whether the stack no longer manages the resource: deleted, or retained by `DeletionPolicy: Retain`.
fn is_released(resource: &StackResource) -> bool {
    matches!(resource.resource_status(), Some(ResourceStatus::DeleteComplete | ResourceStatus::DeleteSkipped))
}
