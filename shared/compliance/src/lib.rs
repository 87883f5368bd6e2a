//! The pure core of Rectify: the contract of AWS Config, verdicts, plans and the declaration of a control.
//!
//! Knows no SDK, no clock, no environment and no control by name: everything that can fail for a reason outside of its
//! arguments has failed before it is called.
//!
//! | module | noun |
//! |---|---|
//! | [`rule_event`] | the event AWS Config sends to a rule, in all its shapes |
//! | [`item`] | a configuration item, in one internal model for every shape it arrives in |
//! | [`gate`] | what is decided about an event before any control looks at it |
//! | [`compliance_change`] | the event that starts a remediation |
//! | [`parameters`], [`values`] | rule parameters: strings in, typed values out |
//! | [`json_parameter`] | a parameter that is JSON, given in place or kept in Systems Manager |
//! | [`verdict`], [`annotation`] | what a rule answers |
//! | [`plan`] | what a remediation would do, as data |
//! | [`control`] | the traits of a control and its declaration, [`control!`] |
//! | [`entry`] | a control with its types erased, for catalogues, generators and laws |
//! | [`exemption`] | a person's decision that a control need not be enforced on something for a while |
//! | [`image`] | a subject as it is stored, so that it can be undone later |
//! | [`managed`] | how it is known that a CloudFormation stack manages a resource |
//! | [`permission`] | IAM actions with the resources they are scoped to |
//! | [`setting`] | controls over one member that one call sets |
//! | [`roles`] | what functions may call beyond their control's own calls |
//! | [`attribution`] | who changed a resource, read from CloudTrail's records |
//! | [`kms_key`] | a key that something is to encrypt with |
//! | [`canonical`] | JSON whose text is the same in every build |
//! | [`place`] | account, region, partition, resource key, target |
//! | [`arn`] | ARNs, taken apart |

pub mod annotation;
pub mod arn;
pub mod attribution;
pub mod canonical;
pub mod compliance_change;
pub mod control;
mod declare;
pub mod entry;
pub mod error;
pub mod exemption;
pub mod gate;
pub mod item;
pub mod json_parameter;
pub mod kms_key;
pub mod managed;
pub mod parameters;
pub mod permission;
pub mod place;
pub mod plan;
pub mod roles;
pub mod rule_event;
pub mod setting;
pub mod state;
pub mod values;
pub mod verdict;

pub use annotation::{Annotation, offenders};
pub use arn::Arn;
pub use compliance_change::{ComplianceChange, Origin, RemediationRequest};
pub use control::{
    Control, ControlMeta, Declared, Framework, Frequency, FromItem, Mapping, Periodic, Remediation, Resource, Scope,
    Severity, Trigger,
};
pub use entry::{Entry, IdentifiedState};
pub use error::{EventError, ParameterError, ShapeError};
pub use exemption::Exemption;
pub use item::{ConfigurationItem, ItemStatus};
pub use managed::{ManagedBy, PhysicalId};
pub use parameters::{NoParameters, Parameters};
pub use permission::Permission;
pub use place::{AccountId, Partition, Region, ResourceKey, Target};
pub use plan::{Irreversible, Level, Never, Plan, Step, Work};
pub use rule_event::{Message, RuleEvent};
pub use setting::{Operation, SetCall, Setting, View};
pub use state::{ResourceState, StoredState, Tags};
pub use verdict::{Evaluation, Verdict};

/// An instant, UTC, as AWS Config stamps it (RFC 3339, milliseconds).
pub type Timestamp = jiff::Timestamp;
