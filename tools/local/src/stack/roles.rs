//! Roles with their inline and attached policies.

use std::collections::BTreeMap;

use serde_json::Value;

use super::StackError;
use super::resources::Resolved;
use crate::iam::policy::Statement;

/// A role's ARN, its logical id, and the ARNs of its attached policies.
pub(super) type Attached = (String, String, Vec<String>);

/// The statements of a policy document at `path`.
pub(super) fn document(resource: &Resolved<'_>, path: &str, holder: &Value) -> Result<Vec<Statement>, StackError> {
    let document = holder.get("PolicyDocument").unwrap_or(&Value::Null);
    Statement::all_of(document).map_err(|why| resource.refuse(path, why))
}

/// The statements of a role's inline policies.
pub(super) fn inline_statements(role: &Resolved<'_>) -> Result<Vec<Statement>, StackError> {
    let mut statements = Vec::new();
    for policy in role.list("Policies")? {
        statements.extend(document(role, "Policies.PolicyDocument", policy)?);
    }
    Ok(statements)
}

/// The policies attached to a role, by their ARNs.
pub(super) fn attached(role: &Resolved<'_>) -> Result<Vec<String>, StackError> {
    let arns = role.list("ManagedPolicyArns")?.iter();
    arns.map(|it| it.as_str().map(str::to_owned).ok_or_else(|| role.refuse("ManagedPolicyArns", "expected a string")))
        .collect()
}

/// Adds the statements of the attached policies to each role.
pub(super) fn attach(
    roles: &mut BTreeMap<String, Vec<Statement>>,
    policies: &BTreeMap<String, Vec<Statement>>,
    attached: Vec<Attached>,
) -> Result<(), StackError> {
    for (role, resource, arns) in attached {
        for arn in arns {
            let statements = policies.get(&arn).ok_or_else(|| StackError::Property {
                resource: resource.clone(),
                property: "ManagedPolicyArns".to_owned(),
                why: format!("`{arn}` is not a policy of this template"),
            })?;
            roles.entry(role.clone()).or_default().extend(statements.iter().cloned());
        }
    }
    Ok(())
}
