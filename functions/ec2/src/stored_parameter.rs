//! The right to read parameters that are kept in Systems Manager, for every control that has one.

use rectify_compliance::Permission;

/// `ssm:GetParameter` of those whose names begin with [`PREFIX`](rectify_compliance::json_parameter::PREFIX).
pub const GET: Permission = Permission::on(
    "ssm:GetParameter",
    "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/rectify/*",
);
