//! The API operations that sources name, and the IAM actions they require.

pub use rectify_local::iam::actions::actions;

/// Builder methods that pass a role to a service. IAM then requires `iam:PassRole` on the role as well, which is not an
/// operation. The method decides, since the operation requires it only if it passes a role.
const PASSING: &[&str] = &[
    ".cloud_watch_logs_role_arn(", // of cloudtrail:UpdateTrail
];

/// Whether a source passes a role to a service.
pub fn passes_a_role(source: &str) -> bool {
    PASSING.iter().any(|builder| source.contains(builder))
}

/// The operations a source names: string literals of the form `service:Operation`, sorted, without duplicates.
pub fn named_in(source: &str) -> std::collections::BTreeSet<String> {
    source.split('"').skip(1).step_by(2).filter(|text| is_operation(text)).map(str::to_owned).collect()
}

fn is_operation(text: &str) -> bool {
    text.split_once(':').is_some_and(|(service, operation)| {
        !service.is_empty()
            && service.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-')
            && operation.starts_with(|it: char| it.is_ascii_uppercase())
            && operation.chars().all(|it| it.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_found_among_other_strings() {
        let source = r#"call("ec2:DescribeVpcs", &e); log("a:b"); ("s3:ListBuckets"); "AWS::EC2::VPC"; "http://x""#;
        let expected = ["ec2:DescribeVpcs".to_owned(), "s3:ListBuckets".to_owned()];
        assert_eq!(named_in(source), expected.into());
    }
}
