//! The pure core of Rectify: AWS Config's contract, verdicts, plans and the declaration of a control.
//!
//! Depends on no SDK, clock, environment or named control: the result of a function follows from its arguments alone.
//!
//! | module | noun |
//! |---|---|
//! | [`rule_event`] | the event AWS Config sends to a rule, in all its shapes |
//! | [`item`] | a configuration item, in one internal model for every shape it arrives in |
//! | [`gate`] | the decisions about an event that need no control |
//! | [`compliance_change`] | the event that starts a remediation |
//! | [`mode`] | what a control may do: off, observe, plan, enforce |
//! | [`parameters`], [`values`] | rule parameters: strings in, typed values out |
//! | [`json_parameter`] | a JSON parameter, given inline or stored in Systems Manager |
//! | [`verdict`], [`annotation`] | the result of an evaluation |
//! | [`plan`] | the plan of a remediation, as data |
//! | [`control`] | the traits of a control and its declaration, [`control!`] |
//! | [`entry`] | a control with its types erased, for catalogues, generators and property tests |
//! | [`exemption`] | an approved decision not to enforce a control on a resource until a date |
//! | [`finding`] | a finding over its lifetime, and its ticket |
//! | [`state`] | a subject in its stored form, for a later undo |
//! | [`managed`] | how to determine whether a CloudFormation stack manages a resource |
//! | [`permission`] | IAM actions with the resources they are scoped to |
//! | [`setting`] | controls over one member that one call sets |
//! | [`by_hand`] | controls without calls, whose findings an operator ends |
//! | [`roles`] | the permissions of functions beyond those of their controls |
//! | [`attribution`] | who changed a resource, read from CloudTrail's records |
//! | [`kms_key`] | a key to encrypt with |
//! | [`canonical`] | JSON with the same text in every build |
//! | [`place`] | account, region, partition, resource key, target |
//! | [`arn`] | ARNs, parsed |

pub mod annotation;
pub mod arn;
pub mod attribution;
pub mod by_hand;
pub mod canonical;
pub mod compliance_change;
pub mod control;
mod declare;
pub mod entry;
pub mod error;
pub mod exemption;
pub mod finding;
pub mod gate;
pub mod item;
pub mod json_parameter;
pub mod kms_key;
pub mod managed;
pub mod mode;
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
pub use by_hand::ByHand;
pub use compliance_change::{ComplianceChange, Origin, RemediationRequest};
pub use control::{
    Control, ControlMeta, Declared, Framework, Frequency, FromItem, Mapping, Periodic, Remediation,
    RemediationPermissions, Resource, Scope, Severity, Trigger,
};
pub use entry::{Entry, IdentifiedState};
pub use error::{EventError, ParameterError, ShapeError};
pub use exemption::Exemption;
pub use item::{ConfigurationItem, ItemStatus};
pub use managed::{ManagedBy, PhysicalId};
pub use mode::Mode;
pub use parameters::{NoParameters, Parameters, nearest};
pub use permission::Permission;
pub use place::{AccountId, Partition, Region, ResourceKey, Target};
pub use plan::{Irreversible, Level, Never, Plan, Step, Work};
pub use rule_event::{Message, RuleEvent};
pub use setting::{Operation, SetCall, Setting, View};
pub use state::{ResourceIdentity, ResourceState, Stored, StoredState, Tags};
pub use verdict::{Evaluation, Verdict};

/// An instant in UTC, as AWS Config writes it (RFC 3339, milliseconds).
pub type Timestamp = jiff::Timestamp;
