//! Injected faults: the calls they hit, how often, and their effect.

use std::time::Duration;

/// The effect of a fault on a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The call is throttled; nothing reaches the backend.
    Throttle,
    /// The call is denied; nothing reaches the backend.
    AccessDenied,
    /// The service fails; nothing reaches the backend.
    Http500,
    /// The call takes effect, but the connection breaks before the answer.
    TimeoutAfterApply,
    /// The call is forwarded after this delay.
    Delay(Duration),
    /// The call takes effect at once; its answer is delayed by this much.
    AnswerLate(Duration),
}

/// An injected fault. The oldest fault that matches and is not used up applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The service, e.g. `ec2`.
    pub service: String,
    /// The operation, e.g. `RevokeSecurityGroupIngress`, or `*` for every operation of the service.
    pub operation: String,
    /// Only calls of this caller (a function's name); `None` for every caller.
    pub caller: Option<String>,
    /// The number of calls it hits before it is used up.
    pub times: u32,
    /// Its effect.
    pub kind: FaultKind,
}

impl Fault {
    /// A fault for every caller.
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

/// Uses the first fault that matches once.
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
    fn faults_are_used_in_order_and_only_for_their_caller() {
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
