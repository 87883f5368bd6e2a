//! Parameters that are kept in Systems Manager: the permission to read them, and their values once read.

use rectify_compliance::Permission;
use rectify_compliance::json_parameter::JsonParameter;

/// `ssm:GetParameter` of those whose names begin with [`PREFIX`](rectify_compliance::json_parameter::PREFIX).
pub const GET_PARAMETER: Permission = Permission::on(
    "ssm:GetParameter",
    "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/rectify/*",
);

/// A value that may be kept elsewhere.
///
/// # Errors
/// That it was not read: it never counts as absent.
pub fn known<'a, T>(parameter: Option<&'a JsonParameter<T>>, read: Option<&'a T>) -> Result<Option<&'a T>, String> {
    let Some(parameter) = parameter else { return Ok(None) };
    let value = parameter.value(read);
    value.map(Some).ok_or_else(|| format!("`ssm:{}` was not read", parameter.stored().unwrap_or_default()))
}
