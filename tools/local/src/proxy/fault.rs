//! Faults a test asks for: which call goes wrong, how often, and in what way.

use std::time::Duration;

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Refused as too fast; nothing reaches the backend.
    Throttle,
    /// Refused as not allowed; nothing reaches the backend.
    AccessDenied,
    /// The service fails; nothing reaches the backend.
    Http500,
    /// The call takes effect and the caller never learns it: the connection breaks instead of an answer.
    TimeoutAfterApply,
    /// The call arrives, later by this much.
    Delay(Duration),
    /// The call takes effect at once; its answer comes later by this much.
    AnswerLate(Duration),
}

/// One rule of disturbance. The oldest rule that matches and has times left applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The service, e.g. `ec2`.
    pub service: String,
    /// The operation, e.g. `RevokeSecurityGroupIngress`, or `*` for each of the service.
    pub operation: String,
    /// Only calls of this caller (a function's name); `None` for everyone's.
    pub caller: Option<String>,
    /// How many calls it hits before it is used up.
    pub times: u32,
    /// What happens to them.
    pub kind: FaultKind,
}

impl Fault {
    /// A rule for every caller.
    #[must_use]
    pub fn new(service: &str, operation: &str, times: u32, kind: FaultKind) -> Self {
        Self { service: service.to_owned(), operation: operation.to_owned(), caller: None, times, kind }
    }

    fn matches(&self, service: &str, operation: &str, caller: &str) -> bool {
        self.times > 0
            && self.service == service
            && (self.operation == "*" || self.operation == operation)
            && self.caller.as_ref().is_none_or(|only| only == caller)
    }
}

/// Takes one use of the first rule that matches.
pub(super) fn take(faults: &mut Vec<Fault>, service: &str, operation: &str, caller: &str) -> Option<FaultKind> {
    let position = faults.iter().position(|fault| fault.matches(service, operation, caller))?;
    let fault = faults.get_mut(position)?;
    let kind = fault.kind;
    fault.times -= 1;
    if fault.times == 0 {
        faults.remove(position);
    }
    Some(kind)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_used_up_in_order_and_only_by_their_caller() {
        let mut faults = vec![
            Fault { caller: Some("rectify-a".to_owned()), ..Fault::new("ec2", "*", 1, FaultKind::AccessDenied) },
            Fault::new("ec2", "DescribeVpcs", 2, FaultKind::Throttle),
        ];
        let mut next = |operation: &str, caller: &str| take(&mut faults, "ec2", operation, caller);
        assert_eq!(next("DescribeVpcs", "rectify-b"), Some(FaultKind::Throttle));
        assert_eq!(next("DescribeVpcs", "rectify-a"), Some(FaultKind::AccessDenied));
        assert_eq!(next("DescribeSubnets", "rectify-a"), None);
        assert_eq!(next("DescribeVpcs", "rectify-a"), Some(FaultKind::Throttle));
        assert_eq!(next("DescribeVpcs", "rectify-a"), None);
        assert_eq!(faults, []);
    }
}
