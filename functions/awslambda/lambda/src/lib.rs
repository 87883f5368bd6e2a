//! The calls to AWS Lambda. The only place that names its SDK; it maps answers and decides nothing.

mod functions;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::operation::add_permission::AddPermissionError;
use aws_sdk_lambda::operation::get_policy::GetPolicyError;
use aws_sdk_lambda::operation::list_tags::ListTagsError;
use aws_sdk_lambda::operation::remove_permission::RemovePermissionError;
use aws_sdk_lambda::types::{FunctionConfiguration, FunctionUrlAuthType};
use aws_types::SdkConfig;
use futures_util::stream::{self, Stream};
use rectify_compliance::{ResourceKey, SetCall, ShapeError, Tags, Target};
use rectify_policy::{Document, PolicyParameters, PublicPolicy};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Connect, Fix, Found, List, Listed, Page, ReadFacts, read_each};

use rectify_awslambda::resources::function::{ADD, Function, REMOVE, RecordedFunction, TYPE};

pub use functions::{FUNCTIONS, OPERATIONS};

/// How many functions are read concurrently; each takes one call.
const CONCURRENCY: usize = 8;
/// How often a statement is removed at a new revision of the policy.
const ATTEMPTS: usize = 3;

/// The client of this crate's controls.
#[derive(Debug, Clone)]
pub struct Clients {
    lambda: Client,
}

impl Connect for Clients {
    fn connect(config: &SdkConfig) -> Self {
        Self { lambda: Client::new(config) }
    }
}

impl Clients {
    /// `GetPolicy`, and its revision. `None` without a policy; the service answers alike for a function that is gone.
    async fn policy(&self, name: &str) -> Result<Option<(Document, Option<String>)>, AwsError> {
        match self.lambda.get_policy().function_name(name).send().await {
            Ok(answer) => {
                let text = answer.policy.ok_or_else(|| ShapeError::missing("Policy", "a policy document"))?;
                Ok(Function::policy_of(&text)?.map(|policy| (policy, answer.revision_id)))
            }
            Err(error) if error.as_service_error().is_some_and(GetPolicyError::is_resource_not_found_exception) => {
                Ok(None)
            }
            Err(error) => Err(AwsError::call("lambda:GetPolicy", &error)),
        }
    }

    /// `ListTags`; `None` when there is no such function.
    async fn tags(&self, arn: &str) -> Result<Option<Tags>, AwsError> {
        match self.lambda.list_tags().resource(arn).send().await {
            Ok(answer) => Ok(Some(answer.tags.unwrap_or_default().into_iter().collect())),
            Err(error) if error.as_service_error().is_some_and(ListTagsError::is_resource_not_found_exception) => {
                Ok(None)
            }
            Err(error) => Err(AwsError::call("lambda:ListTags", &error)),
        }
    }

    /// A listed function with its policy, without its tags.
    async fn function(&self, name: &str, arn: &str) -> Result<Option<Function>, AwsError> {
        let policy = self.policy(name).await?.map(|(policy, _)| policy);
        Ok(Some(Function { name: name.to_owned(), arn: arn.to_owned(), policy, tags: Tags::new() }))
    }

    /// The functions of one page of `ListFunctions`, a few at a time.
    async fn functions(&self, listed: &[FunctionConfiguration]) -> Result<Vec<Listed<Function>>, AwsError> {
        // A loop, because a closure that returns these futures is not general enough for every lifetime.
        let mut reads = Vec::new();
        for function in listed {
            let arn = function.function_arn().ok_or_else(|| ShapeError::missing("Functions.FunctionArn", "an ARN"))?;
            let found = Found { resource: key(function)?, name: None };
            let name = function.function_name().unwrap_or_default();
            reads.push((found, self.function(name, arn)));
        }
        Ok(read_each(reads, CONCURRENCY).await)
    }

    /// `RemovePermission` at the revision of a policy in which the statement is public; idempotent. A statement that is
    /// gone or no longer public stays as it is.
    async fn remove(&self, arn: &str, name: &str, sid: &str) -> Result<(), AwsError> {
        for last in (0..ATTEMPTS).rev() {
            let Some((policy, revision)) = self.policy(name).await? else { return Ok(()) };
            if !Function::is_public(&policy, arn, sid) {
                return Ok(());
            }
            let call = self.lambda.remove_permission().function_name(name).statement_id(sid);
            let Err(error) = call.set_revision_id(revision).send().await else { return Ok(()) };
            match error.as_service_error() {
                Some(RemovePermissionError::ResourceNotFoundException(_)) => return Ok(()),
                Some(RemovePermissionError::PreconditionFailedException(_)) if last > 0 => {}
                _ => return Err(AwsError::call("lambda:RemovePermission", &error)),
            }
        }
        Ok(())
    }

    /// `AddPermission`; idempotent: a statement with this id is there already.
    async fn add(&self, call: &SetCall) -> Result<(), AwsError> {
        let member = |name: &str| call.input.get(name).and_then(|it| it.as_str()).map(str::to_owned);
        let request = self
            .lambda
            .add_permission()
            .set_function_name(member("FunctionName"))
            .set_statement_id(member("StatementId"))
            .set_action(member("Action"))
            .set_principal(member("Principal"))
            .set_source_arn(member("SourceArn"))
            .set_source_account(member("SourceAccount"))
            .set_principal_org_id(member("PrincipalOrgID"))
            .set_event_source_token(member("EventSourceToken"))
            .set_function_url_auth_type(member("FunctionUrlAuthType").as_deref().map(FunctionUrlAuthType::from))
            .set_invoked_via_function_url(member("InvokedViaFunctionUrl").map(|it| it == "true"));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(AddPermissionError::is_resource_conflict_exception) => {
                Ok(())
            }
            Err(error) => Err(AwsError::call("lambda:AddPermission", &error)),
        }
    }
}

/// The function of a target; its id is the name.
fn arn(target: &Target) -> String {
    let Target { account, region, .. } = target;
    let resource = format!("function:{}", target.resource.id);
    region.partition().arn("lambda", region.as_str(), account.as_str(), &resource)
}

fn key(function: &FunctionConfiguration) -> Result<ResourceKey, ShapeError> {
    let name = function.function_name().ok_or_else(|| ShapeError::missing("Functions.FunctionName", "a name"))?;
    Ok(ResourceKey::new(TYPE, name))
}

impl ReadFacts<Clients> for PublicPolicy<Function> {
    async fn facts(
        &self,
        clients: &Clients,
        _target: &Target,
        recorded: &RecordedFunction,
        _params: &PolicyParameters,
    ) -> Result<Option<Option<Document>>, AwsError> {
        Ok(Some(clients.policy(&recorded.name).await?.map(|(policy, _)| policy)))
    }
}

impl List<Clients> for PublicPolicy<Function> {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        _place: &'a AccountRegion,
        _params: &'a PolicyParameters,
        from: Option<String>,
    ) -> impl Stream<Item = Result<Page<Function>, AwsError>> + Send + 'a {
        let pages = clients.lambda.list_functions().set_marker(from).into_paginator().send();
        stream::try_unfold(pages, move |mut pages| async move {
            let Some(page) = pages.next().await else { return Ok(None) };
            let page = page.map_err(|error| AwsError::call("lambda:ListFunctions", &error))?;
            let resources = clients.functions(page.functions()).await?;
            Ok(Some((Page { resources, next: page.next_marker.filter(|it| !it.is_empty()) }, pages)))
        })
    }

    fn keys<'a>(
        &'a self,
        clients: &'a Clients,
        _place: &'a AccountRegion,
        _params: &'a PolicyParameters,
    ) -> impl Stream<Item = Result<Vec<ResourceKey>, AwsError>> + Send + 'a {
        let pages = clients.lambda.list_functions().into_paginator().send();
        stream::try_unfold(pages, move |mut pages| async move {
            let Some(page) = pages.next().await else { return Ok(None) };
            let page = page.map_err(|error| AwsError::call("lambda:ListFunctions", &error))?;
            let keys = page.functions().iter().map(key).collect::<Result<Vec<_>, _>>()?;
            Ok(Some((keys, pages)))
        })
    }
}

impl Fix<Clients> for PublicPolicy<Function> {
    /// The tags show whether the function exists: the policy does not.
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &PolicyParameters,
    ) -> Result<Option<Function>, AwsError> {
        let (name, arn) = (&target.resource.id, arn(target));
        let Some(tags) = clients.tags(&arn).await? else { return Ok(None) };
        Ok(clients.function(name, &arn).await?.map(|function| Function { tags, ..function }))
    }

    /// Makes the calls of a fix and of an undo.
    async fn apply(&self, clients: &Clients, target: &Target, action: &SetCall) -> Result<(), AwsError> {
        let id = &target.resource.id;
        match action.value::<String>(REMOVE.member("StatementId"), id)? {
            Some(sid) => clients.remove(&arn(target), id, &sid).await,
            None if action.operation == ADD.name => clients.add(action).await,
            None => Err(ShapeError::new("call", "a call of this function", &action.operation).into()),
        }
    }
}
