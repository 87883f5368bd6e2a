//! The controls of the AWS Foundational Security Best Practices standard, as its page listed them in mid 2026.

/// By service, the numbers of its controls: `("IAM", &[1])` is `IAM.1`. Two services are written in two ways, as on the
/// page.
#[rustfmt::skip]
const LISTED: &[(&str, &[u16])] = &[
    ("Account", &[1]),
    ("ACM", &[1, 2]),
    ("APIGateway", &[1, 2, 3, 4, 5, 8, 9, 10, 11]),
    ("AppSync", &[1, 2, 5, 6]),
    ("Athena", &[4]),
    ("AutoScaling", &[1, 2, 3, 6, 9]),
    ("Autoscaling", &[5]),
    ("Backup", &[1]),
    ("BedrockAgentCore", &[1, 2, 5, 6]),
    ("CloudFormation", &[3, 4]),
    ("CloudFront", &[1, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 15, 16, 17]),
    ("CloudTrail", &[1, 2, 4, 5]),
    ("CodeBuild", &[1, 2, 3, 4, 7]),
    ("Cognito", &[2, 3, 4, 5, 6]),
    ("Config", &[1]),
    ("Connect", &[2]),
    ("DataFirehose", &[1]),
    ("DataSync", &[1]),
    ("DMS", &[1, 6, 7, 8, 9, 10, 11, 12, 13]),
    ("DocumentDB", &[1, 2, 3, 4, 5, 6]),
    ("DynamoDB", &[1, 2, 3, 6, 7]),
    ("EC2", &[1, 2, 3, 4, 6, 7, 8, 9, 10, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 51, 55, 56, 57, 58, 60, 170, 171, 172, 173, 180, 181, 182, 183]),
    ("ECR", &[1, 2, 3]),
    ("ECS", &[2, 3, 4, 5, 8, 9, 10, 12, 16, 18, 19, 20, 21]),
    ("EFS", &[1, 2, 3, 4, 7, 8]),
    ("EKS", &[1, 2, 3, 8, 9]),
    ("ElastiCache", &[1, 2, 3, 4, 5, 6, 7]),
    ("ElasticBeanstalk", &[1, 2, 3]),
    ("ELB", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 17, 18, 21, 22]),
    ("EMR", &[1, 2, 3, 4]),
    ("ES", &[1, 2, 3, 4, 5, 6, 7, 8]),
    ("EventBridge", &[3]),
    ("FSx", &[1, 2, 3, 4, 5]),
    ("Glue", &[3, 4]),
    ("GuardDuty", &[1, 5, 6, 7, 8, 9, 10, 11, 12, 13]),
    ("IAM", &[1, 2, 3, 4, 5, 6, 7, 8, 21]),
    ("Inspector", &[1, 2, 3, 4]),
    ("Kinesis", &[1, 3]),
    ("KMS", &[1, 2, 3, 5]),
    ("Lambda", &[1, 2, 5]),
    ("Macie", &[1, 2]),
    ("MQ", &[2]),
    ("MSK", &[1, 3, 4, 5, 6]),
    ("Neptune", &[1, 2, 3, 4, 5, 6, 7, 8]),
    ("NetworkFirewall", &[2, 3, 4, 5, 6, 9, 10]),
    ("Opensearch", &[1, 2, 3, 4, 5, 6, 7, 8, 10]),
    ("PCA", &[1]),
    ("RDS", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 24, 25, 27, 34, 35, 36, 37, 40, 41, 42, 43, 44, 45, 46, 47, 48, 50, 51]),
    ("Redshift", &[1, 2, 3, 4, 6, 7, 8, 10, 15, 18]),
    ("RedshiftServerless", &[1, 2, 3, 5, 6]),
    ("Route53", &[2]),
    ("S3", &[1, 2, 3, 5, 6, 8, 9, 12, 13, 19, 24, 25]),
    ("SageMaker", &[1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19]),
    ("SecretsManager", &[1, 2, 3, 4]),
    ("ServiceCatalog", &[1]),
    ("SES", &[3]),
    ("SNS", &[4]),
    ("SQS", &[1, 3]),
    ("SSM", &[1, 2, 3, 4, 6, 7]),
    ("StepFunctions", &[1]),
    ("Transfer", &[2, 3]),
    ("WAF", &[1, 2, 3, 4, 6, 7, 8, 10, 12]),
    ("WorkSpaces", &[1, 2]),
];

/// Whether the standard lists this control.
pub(super) fn lists(id: &str) -> bool {
    let Some((service, number)) = id.split_once('.') else { return false };
    LISTED.iter().any(|(name, numbers)| *name == service && numbers.iter().any(|it| it.to_string() == number))
}

/// The number of listed controls.
pub fn len() -> usize {
    LISTED.iter().map(|(_, numbers)| numbers.len()).sum()
}
