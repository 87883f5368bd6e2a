//! Roles with everything that is attached to them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::WiringError;
use super::resources::Resolved;
use crate::iam::policy::Statement;

/// A role's ARN, its id in the template, and the ARNs of the policies attached to it.
pub(super) type Attached<'a> = (String, &'a str, Vec<String>);

/// The statements of a policy document below `path`.
pub(super) fn document(resource: &Resolved<'_>, path: &str, holder: &Value) -> Result<Vec<Statement>, WiringError> {
    let document = holder.get("PolicyDocument").unwrap_or(&Value::Null);
    Statement::all_of(document).map_err(|why| resource.refuse(path, why))
}

/// The statements of a role's inline policies.
pub(super) fn own_statements(role: &Resolved<'_>) -> Result<Vec<Statement>, WiringError> {
    let mut statements = Vec::new();
    for policy in role.list("Policies")? {
        statements.extend(document(role, "Policies.PolicyDocument", policy)?);
    }
    Ok(statements)
}

/// The policies attached to a role, by their ARNs.
pub(super) fn attached(role: &Resolved<'_>) -> Result<Vec<String>, WiringError> {
    let arns = role.list("ManagedPolicyArns")?.iter();
    arns.map(|it| it.as_str().map(str::to_owned).ok_or_else(|| role.refuse("ManagedPolicyArns", "expected a text")))
        .collect()
}

/// Adds to each role what the policies attached to it say.
pub(super) fn attach(
    roles: &mut BTreeMap<String, Vec<Statement>>,
    policies: &BTreeMap<String, Vec<Statement>>,
    attached: Vec<Attached<'_>>,
) -> Result<(), WiringError> {
    for (role, resource, arns) in attached {
        for arn in arns {
            let statements = policies.get(&arn).ok_or_else(|| WiringError::Property {
                resource: resource.to_owned(),
                property: "ManagedPolicyArns".to_owned(),
                why: format!("`{arn}` is no policy of this template"),
            })?;
            roles.entry(role.clone()).or_default().extend(statements.iter().cloned());
        }
    }
    Ok(())
}
