//! The codes by which services say that they are busy with a resource.
//!
//! A call that is answered with one of them may be the one the service is busy with: its first request may have been carried
//! out without an answer. It ends neither as a failure for good nor as a call that did nothing; a live read decides.

/// Service, code as it stands in the answer, and where the code is documented.
const CODES: &[(&str, &str, &str)] = &[
    ("rds", "InvalidDBInstanceState", "API_ModifyDBInstance, errors"),
    ("rds", "InvalidDBInstanceStateFault", "older SDK models of the same fault"),
    ("rds", "InvalidDBClusterStateFault", "API_ModifyDBCluster, errors"),
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
    ("config", "ResourceInUseException", "Config API: the resource is being changed or deleted, try again later"),
    ("config", "ResourceConcurrentModificationException", "Config API: two requests at the same time"),
];

/// Whether `code` says that something is under way. The service is not compared: what means "busy" at one is no answer to rely
/// on at another.
pub(crate) fn is(code: &str) -> bool {
    CODES.iter().any(|(_, it, _)| *it == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_whose_resources_are_changed_is_there_with_a_source() {
        for service in ["rds", "s3", "ec2", "iam", "kms", "cloudtrail", "logs", "sns", "config"] {
            assert!(CODES.iter().any(|(it, _, _)| *it == service), "{service}");
        }
        assert!(CODES.iter().all(|(_, code, source)| !code.is_empty() && !source.is_empty()));
        assert!(is("InvalidDBInstanceState") && !is("InvalidParameterValue") && !is("DBInstanceNotFound"));
    }
}
