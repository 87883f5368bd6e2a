//! Constraints of the service model, with AWS's own error messages.
//!
//! AWS first validates the whole request against the model and lists every violation in one `ValidationException`.

use super::error::ApiError;

/// The violations in one request.
#[derive(Debug, Default)]
pub(super) struct Violations(Vec<String>);

impl Violations {
    /// A required string; if it is missing, returns the empty string so that validation continues.
    pub(super) fn required<'a>(&mut self, at: &str, value: Option<&'a str>) -> &'a str {
        if value.is_none() {
            self.add("null", at, "Member must not be null");
        }
        value.unwrap_or_default()
    }

    /// A required member that is not a string.
    pub(super) fn present<T>(&mut self, at: &str, value: Option<&T>) {
        if value.is_none() {
            self.add("null", at, "Member must not be null");
        }
    }

    /// The length of a string in characters.
    pub(super) fn length(&mut self, at: &str, value: &str, min: usize, max: usize) {
        let characters = value.chars().count();
        self.bounds(&format!("'{value}'"), at, "length", characters, min, max);
    }

    /// The number of members of a list.
    pub(super) fn count(&mut self, at: &str, members: usize, min: usize, max: usize) {
        // AWS prints the members here; their number is more useful and cannot leak their content.
        self.bounds(&format!("'[{members} members]'"), at, "length", members, min, max);
    }

    /// The value of a number.
    pub(super) fn range(&mut self, at: &str, value: i64, min: i64, max: i64) {
        if value < min {
            self.add(&format!("'{value}'"), at, &format!("Member must have value greater than or equal to {min}"));
        }
        if value > max {
            self.add(&format!("'{value}'"), at, &format!("Member must have value less than or equal to {max}"));
        }
    }

    /// One of the names of an enumeration.
    pub(super) fn one_of(&mut self, at: &str, value: &str, names: &[&str]) {
        if !names.contains(&value) {
            let set = names.join(", ");
            self.add(&format!("'{value}'"), at, &format!("Member must satisfy enum value set: [{set}]"));
        }
    }

    /// A resource type that AWS Config could record: `AWS::Service::Kind`.
    pub(super) fn recordable_type(&mut self, at: &str, value: &str) {
        if !is_resource_type(value) || value.contains("::::") {
            self.add(&format!("'{value}'"), at, "Member must satisfy enum value set: the resource types of AWS Config");
        }
    }

    /// Succeeds, or fails with one exception that lists all violations.
    pub(super) fn finish(self) -> Result<(), ApiError> {
        let Self(found) = self;
        if found.is_empty() {
            return Ok(());
        }
        let errors = if found.len() == 1 { "error" } else { "errors" };
        let message = format!("{} validation {errors} detected: {}", found.len(), found.join("; "));
        Err(ApiError::new("ValidationException", message))
    }

    fn bounds(&mut self, value: &str, at: &str, what: &str, actual: usize, min: usize, max: usize) {
        if actual < min {
            self.add(value, at, &format!("Member must have {what} greater than or equal to {min}"));
        }
        if actual > max {
            self.add(value, at, &format!("Member must have {what} less than or equal to {max}"));
        }
    }

    fn add(&mut self, value: &str, at: &str, constraint: &str) {
        let shown: String = value.chars().take(200).collect();
        self.0.push(format!("Value {shown} at '{at}' failed to satisfy constraint: {constraint}"));
    }
}

/// `AWS::Service::Kind`, and `AWS::::Account` for results about the account itself.
pub(super) fn is_resource_type(name: &str) -> bool {
    let segments: Vec<&str> = name.split("::").collect();
    let word = |segment: &str| segment.chars().all(|character| character.is_ascii_alphanumeric());
    matches!(segments.as_slice(), ["AWS", service, kind] if word(service) && word(kind) && !kind.is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn violation_has_the_message_of_aws() {
        let mut violations = Violations::default();
        violations.count("evaluations", 101, 0, 100);
        assert_eq!(
            violations.finish().unwrap_err(),
            ApiError::new(
                "ValidationException",
                "1 validation error detected: Value '[101 members]' at 'evaluations' failed to satisfy constraint: \
                 Member must have length less than or equal to 100"
            )
        );
    }

    #[test]
    fn one_exception_lists_all_violations() {
        let mut violations = Violations::default();
        violations.required("resultToken", None);
        violations.range("limit", -1, 0, 100);
        violations.one_of("mode", "LOUD", &["QUIET"]);
        let message = violations.finish().unwrap_err().message;
        assert_eq!(
            message,
            "3 validation errors detected: Value null at 'resultToken' failed to satisfy constraint: Member must not be null; \
             Value '-1' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 0; \
             Value 'LOUD' at 'mode' failed to satisfy constraint: Member must satisfy enum value set: [QUIET]"
        );
    }

    #[test]
    fn resource_types_have_three_segments() {
        for name in ["AWS::S3::Bucket", "AWS::::Account", "AWS::ElasticLoadBalancingV2::LoadBalancer"] {
            assert!(is_resource_type(name), "{name}");
        }
        for name in
            ["", "Bucket", "AWS::S3", "AWS::S3::", "aws::s3::bucket", "AWS::S3::Bucket::Policy", "AWS::S3::Buc ket"]
        {
            assert!(!is_resource_type(name), "{name}");
        }
    }
}
