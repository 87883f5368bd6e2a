//! The error codes for an operation in progress on a resource.
//!
//! The operation in progress may be the call itself: an earlier request may have been applied although its answer was
//! lost. Such a call counts neither as a permanent failure nor as a call that did nothing; a live read decides.

/// Service, code in the answer, and where the code is documented.
const CODES: &[(&str, &str, &str)] = &[
    ("rds", "InvalidDBInstanceState", "API_ModifyDBInstance, errors"),
    ("rds", "InvalidDBInstanceStateFault", "older SDK models of the same error"),
    ("rds", "InvalidDBClusterStateFault", "API_ModifyDBCluster, errors"),
    ("rds", "InvalidDBSnapshotState", "API_ModifyDBSnapshotAttribute, errors"),
    ("rds", "InvalidDBClusterSnapshotStateFault", "API_ModifyDBClusterSnapshotAttribute, errors"),
    ("s3", "OperationAborted", "S3 API, error responses: a conflicting conditional operation is in progress, 409"),
    ("s3", "ConditionalRequestConflict", "S3 API, error responses: 409"),
    ("s3", "RequestTimeout", "S3 API, error responses: the connection was not read or written in time, 400"),
    ("ec2", "IncorrectState", "EC2 API, error codes"),
    ("ec2", "IncorrectInstanceState", "EC2 API, error codes"),
    ("ec2", "IncorrectModificationState", "EC2 API, error codes"),
    ("ec2", "ConcurrentTagAccess", "EC2 API, error codes: wait and retry"),
    ("iam", "ConcurrentModification", "IAM API, common to its operations: wait and submit again, 409"),
    ("iam", "ConcurrentModificationException", "IAM API, the name of the same exception in the models"),
    ("iam", "EntityTemporarilyUnmodifiable", "IAM API, API_UpdateUser: try again after several minutes, 409"),
    ("kms", "KMSInvalidStateException", "KMS API, API_EnableKeyRotation; also while a key is created or updated"),
    ("cloudtrail", "ConflictException", "API_UpdateTrail: another operation is modifying the resource"),
    ("logs", "OperationAbortedException", "API_PutRetentionPolicy: concurrent requests were in conflict"),
    ("sns", "ConcurrentAccess", "API_CreateTopic: operations on one topic at the same time"),
    ("sns", "ConcurrentAccessException", "the name of the same exception in the models"),
    ("ssm", "TooManyUpdates", "API_UpdateServiceSetting: concurrent updates of a resource that supports one at a time"),
    ("config", "ResourceInUseException", "Config API: the resource is being changed or deleted, try again later"),
    ("config", "ResourceConcurrentModificationException", "Config API: two requests at the same time"),
];

/// Whether `code` means an operation in progress. The service is not compared: a code with this meaning in one service
/// is not a reliable answer in another.
pub(crate) fn is(code: &str) -> bool {
    CODES.iter().any(|(_, it, _)| *it == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_that_is_changed_is_listed_with_a_source() {
        for service in ["rds", "s3", "ec2", "iam", "kms", "cloudtrail", "logs", "sns", "ssm", "config"] {
            assert!(CODES.iter().any(|(it, _, _)| *it == service), "{service}");
        }
        assert!(CODES.iter().all(|(_, code, source)| !code.is_empty() && !source.is_empty()));
        assert!(is("InvalidDBInstanceState") && !is("InvalidParameterValue") && !is("DBInstanceNotFound"));
    }
}
