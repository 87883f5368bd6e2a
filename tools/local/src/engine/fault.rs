//! Injected faults: the next calls of an operation fail as AWS can fail.

use std::collections::{HashMap, VecDeque};
use std::fmt;

use super::error::ApiError;

/// The operations that this engine implements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are AWS's own")]
pub enum Operation {
    BatchGetResourceConfig,
    DeleteConfigRule,
    DescribeComplianceByConfigRule,
    DescribeConfigRules,
    DescribeConfigurationRecorderStatus,
    DescribeConfigurationRecorders,
    DescribeDeliveryChannelStatus,
    DescribeDeliveryChannels,
    GetComplianceDetailsByConfigRule,
    GetComplianceDetailsByResource,
    GetDiscoveredResourceCounts,
    GetResourceConfigHistory,
    ListDiscoveredResources,
    PutConfigRule,
    PutConfigurationRecorder,
    PutDeliveryChannel,
    PutEvaluations,
    StartConfigRulesEvaluation,
    StartConfigurationRecorder,
    StopConfigurationRecorder,
}

impl Operation {
    /// All operations, by name.
    pub const ALL: [Self; 20] = [
        Self::BatchGetResourceConfig,
        Self::DeleteConfigRule,
        Self::DescribeComplianceByConfigRule,
        Self::DescribeConfigRules,
        Self::DescribeConfigurationRecorderStatus,
        Self::DescribeConfigurationRecorders,
        Self::DescribeDeliveryChannelStatus,
        Self::DescribeDeliveryChannels,
        Self::GetComplianceDetailsByConfigRule,
        Self::GetComplianceDetailsByResource,
        Self::GetDiscoveredResourceCounts,
        Self::GetResourceConfigHistory,
        Self::ListDiscoveredResources,
        Self::PutConfigRule,
        Self::PutConfigurationRecorder,
        Self::PutDeliveryChannel,
        Self::PutEvaluations,
        Self::StartConfigRulesEvaluation,
        Self::StartConfigurationRecorder,
        Self::StopConfigurationRecorder,
    ];

    /// The operation of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.to_string() == name)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

/// The effect of an injected fault on a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The call fails with this error and has no effect.
    Error(ApiError),
    /// `PutEvaluations` only: HTTP 200; the evaluations of these resource ids are in `FailedEvaluations` and not
    /// stored.
    FailedEvaluations(Vec<String>),
}

impl Fault {
    /// `ThrottlingException: Rate exceeded`, HTTP 400, as AWS Config throttles.
    pub fn throttling() -> Self {
        Self::Error(ApiError::new("ThrottlingException", "Rate exceeded"))
    }

    /// `AccessDeniedException`, HTTP 400, naming the action.
    pub fn access_denied(operation: Operation) -> Self {
        let message = format!("User is not authorized to perform: config:{operation}");
        Self::Error(ApiError::new("AccessDeniedException", message))
    }

    /// `InternalFailure`, HTTP 500.
    pub fn internal() -> Self {
        let error = ApiError::new("InternalFailure", "The request processing has failed because of an unknown error.");
        Self::Error(ApiError { status: 500, ..error })
    }
}

/// The pending faults per operation, first in, first out.
#[derive(Debug, Default)]
pub(super) struct Faults(HashMap<Operation, VecDeque<Fault>>);

impl Faults {
    pub(super) fn add(&mut self, operation: Operation, times: usize, fault: &Fault) {
        self.0.entry(operation).or_default().extend(std::iter::repeat_n(fault, times).cloned());
    }

    pub(super) fn take(&mut self, operation: Operation) -> Option<Fault> {
        self.0.get_mut(&operation)?.pop_front()
    }
}
