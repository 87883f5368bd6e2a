//! All controls with their calls to AWS.

use rectify_runtime::operations::Operations;
use rectify_runtime::serve::Function;

/// The functions of all controls, by the name of their program.
pub fn functions() -> impl Iterator<Item = &'static Function> {
    [
        rectify_ec2_lambda::FUNCTIONS,
        rectify_s3_lambda::FUNCTIONS,
        rectify_iam_lambda::FUNCTIONS,
        rectify_rds_lambda::FUNCTIONS,
        rectify_cloudtrail_lambda::FUNCTIONS,
        rectify_logs_lambda::FUNCTIONS,
        rectify_kms_lambda::FUNCTIONS,
        rectify_sns_lambda::FUNCTIONS,
        rectify_sqs_lambda::FUNCTIONS,
        rectify_awslambda_lambda::FUNCTIONS,
        rectify_config_lambda::FUNCTIONS,
        rectify_dynamodb_lambda::FUNCTIONS,
        rectify_elb_lambda::FUNCTIONS,
        rectify_ssm_lambda::FUNCTIONS,
        rectify_efs_lambda::FUNCTIONS,
    ]
    .into_iter()
    .flatten()
}

/// The operations of all controls with a remediation: live reads, plans and undo.
pub fn operations() -> impl Iterator<Item = Operations> {
    [
        rectify_ec2_lambda::OPERATIONS,
        rectify_s3_lambda::OPERATIONS,
        rectify_iam_lambda::OPERATIONS,
        rectify_rds_lambda::OPERATIONS,
        rectify_cloudtrail_lambda::OPERATIONS,
        rectify_logs_lambda::OPERATIONS,
        rectify_kms_lambda::OPERATIONS,
        rectify_sns_lambda::OPERATIONS,
        rectify_sqs_lambda::OPERATIONS,
        rectify_awslambda_lambda::OPERATIONS,
        rectify_config_lambda::OPERATIONS,
        rectify_dynamodb_lambda::OPERATIONS,
        rectify_elb_lambda::OPERATIONS,
        rectify_ssm_lambda::OPERATIONS,
        rectify_efs_lambda::OPERATIONS,
    ]
    .into_iter()
    .flatten()
    .map(|operations| operations())
}
