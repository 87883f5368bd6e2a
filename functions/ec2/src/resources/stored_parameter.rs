//! Values stored in Systems Manager Parameter Store: the permission to read them, and the values once read.

use rectify_compliance::Permission;
use rectify_compliance::json_parameter::JsonParameter;

/// `ssm:GetParameter` for names that begin with [`PREFIX`](rectify_compliance::json_parameter::PREFIX).
pub const GET_PARAMETER: Permission = Permission::on(
    "ssm:GetParameter",
    "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/rectify/*",
);

/// The value of a parameter, given inline or stored.
///
/// # Errors
/// The stored value was not read: it never counts as absent.
pub fn known<'a, T>(parameter: Option<&'a JsonParameter<T>>, read: Option<&'a T>) -> Result<Option<&'a T>, String> {
    let Some(parameter) = parameter else { return Ok(None) };
    let value = parameter.value(read);
    value.map(Some).ok_or_else(|| format!("`ssm:{}` was not read", parameter.stored().unwrap_or_default()))
}
