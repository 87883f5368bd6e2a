//! The traits of a control: declaration, evaluation and, optionally, remediation.
//!
//! All of it is pure and total. The service's Lambda crate fetches from AWS what the control needs, before calling it.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    ConfigurationItem, Irreversible, Level, ManagedBy, Parameters, Permission, PhysicalId, Plan, ResourceState,
    ShapeError, Stored, Timestamp, Verdict,
};

/// The severity of a finding. For controls mapped to FSBP it equals the Security Hub severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Plan a fix.
    Medium,
    /// Fix it this week.
    High,
    /// Page someone.
    Critical,
}

/// When AWS Config invokes the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// When a resource of the control's types changes.
    Change,
    /// On a schedule.
    Periodic(Frequency),
}

/// `MaximumExecutionFrequency` of a Config rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Frequency {
    /// `One_Hour`.
    OneHour,
    /// `Three_Hours`.
    ThreeHours,
    /// `Six_Hours`.
    SixHours,
    /// `Twelve_Hours`.
    TwelveHours,
    /// `TwentyFour_Hours`.
    TwentyFourHours,
}

impl Frequency {
    /// The name in the AWS Config API.
    pub const fn api_name(self) -> &'static str {
        match self {
            Self::OneHour => "One_Hour",
            Self::ThreeHours => "Three_Hours",
            Self::SixHours => "Six_Hours",
            Self::TwelveHours => "Twelve_Hours",
            Self::TwentyFourHours => "TwentyFour_Hours",
        }
    }
}

/// Whether a control is deployed in every region, or in one per partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// In every region.
    Regional,
    /// Only in the home region; in other regions every verdict is NOT_APPLICABLE.
    Global,
}

/// A published set of requirements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Framework {
    /// CIS AWS Foundations Benchmark 3.0.
    Cis30,
    /// CIS AWS Foundations Benchmark 5.0.
    Cis50,
    /// AWS Foundational Security Best Practices, by Security Hub control id.
    Fsbp,
    /// NIST SP 800-53 revision 5.
    Nist80053r5,
    /// PCI DSS 4.0.
    Pci40,
}

impl Framework {
    /// Every framework, in the order of the docs' matrix.
    pub const ALL: [Self; 5] = [Self::Cis30, Self::Cis50, Self::Fsbp, Self::Nist80053r5, Self::Pci40];

    /// Its common name.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Cis30 => "CIS 3.0",
            Self::Cis50 => "CIS 5.0",
            Self::Fsbp => "FSBP",
            Self::Nist80053r5 => "NIST 800-53 r5",
            Self::Pci40 => "PCI DSS 4.0",
        }
    }
}

/// Requirements of one framework that a control covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapping {
    /// The framework.
    pub framework: Framework,
    /// The ids of the requirements, as the framework writes them.
    pub ids: &'static [&'static str],
}

/// The declaration of a control. Template, roles and docs pages are generated from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ControlMeta {
    /// The only id: binary, events folder, docs page, log field. The name of the AWS managed rule if both check the
    /// same.
    pub id: &'static str,
    /// The violation in a few words; reads well after "found:".
    pub title: &'static str,
    /// The severity of a finding.
    pub severity: Severity,
    /// When AWS Config invokes the rule.
    pub triggers: &'static [Trigger],
    /// Where it is deployed.
    pub scope: Scope,
    /// The resource types it evaluates. Results of deleted resources are retired for these types only.
    pub resource_types: &'static [&'static str],
    /// The requirements it covers.
    pub frameworks: &'static [Mapping],
    /// The highest level of any step in its plans.
    pub level: Level,
    /// The docs page, Markdown, from the declaration's doc comment.
    pub docs: &'static str,
    /// The file that declares it.
    pub source: &'static str,
}

impl ControlMeta {
    /// Whether a resource change triggers it.
    pub fn on_change(&self) -> bool {
        self.triggers.contains(&Trigger::Change)
    }

    /// The frequency of its periodic trigger, if it has one.
    pub fn frequency(&self) -> Option<Frequency> {
        self.triggers.iter().find_map(|trigger| match trigger {
            Trigger::Periodic(frequency) => Some(*frequency),
            Trigger::Change => None,
        })
    }

    /// The id in Pascal case, for logical ids and template parameters: `restricted-ssh` is `RestrictedSsh`.
    pub fn pascal_id(&self) -> String {
        self.id
            .split('-')
            .map(|word| {
                let mut rest = word.chars();
                rest.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + rest.as_str())
            })
            .collect()
    }

    /// The id in snake case, for file names: `restricted-ssh` is `restricted_ssh`.
    pub fn snake_id(&self) -> String {
        self.id.replace('-', "_")
    }
}

/// A control: its declaration and its logic. A value, constructed by [`control!`](crate::control!).
#[derive(Debug)]
pub struct Declared<T> {
    /// The declaration.
    pub meta: ControlMeta,
    /// The logic.
    pub logic: T,
}

/// One requirement on resources, and how to evaluate it.
pub trait Control: Send + Sync + 'static {
    /// Its rule parameters.
    type Params: Parameters;
    /// Everything it evaluates about one resource.
    type Subject: ResourceState;

    /// Evaluates one subject. Pure and total, and the same for every trigger; `now` is the event's time.
    fn evaluate(&self, subject: &Self::Subject, params: &Self::Params, now: Timestamp) -> Verdict;
}

/// A typed view of a configuration item.
pub trait Resource: Sized + Send + Sync + 'static {
    /// The resource types it reads.
    const TYPES: &'static [&'static str];

    /// Reads the item. The [`gate`](crate::gate) guarantees that `configuration` is an object.
    ///
    /// # Errors
    /// [`ShapeError`] if a field that the control needs is missing or malformed: that never counts as compliant.
    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError>;
}

/// A control that evaluates changes by more than the item: the subject is built from the item and facts.
pub trait FromItem: Control {
    /// The view of the item.
    type Resource: Resource;
    /// Data that the item does not have and that API calls read.
    type Facts: Serialize + DeserializeOwned + Debug + Send + Sync + 'static;

    /// Permissions to read the facts.
    fn fact_permissions(&self) -> &'static [Permission] {
        &[]
    }

    /// Builds the subject.
    fn subject(&self, resource: Self::Resource, facts: Self::Facts) -> Self::Subject;
}

/// A control that lists its subjects on a schedule. It may also evaluate changes.
pub trait Periodic: Control {
    /// Permissions to list the subjects.
    fn list_permissions(&self) -> &'static [Permission];
}

/// The permissions of a remediation's calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemediationPermissions {
    /// Those of the live read.
    pub read: &'static [Permission],
    /// Those of the calls that fix. With `read` and the lookup of [`managed_by`](Remediation::managed_by), these are all
    /// permissions that the control adds to the remediation's role.
    pub fix: &'static [Permission],
    /// Those of the calls that undo; never in the remediation's role.
    pub undo: &'static [Permission],
}

/// A control that can fix its findings.
pub trait Remediation: Control {
    /// One API call: an enum with a variant per operation, named and spelled as in the API.
    type Action: Stored;
    /// One call that undoes an action.
    type Undo: Stored;

    /// The permissions of its calls.
    fn permissions(&self) -> RemediationPermissions;

    /// Whether the calls need the resource's name, and AWS Config's id is not that name (IAM `AIDA…`, RDS `db-…`). The
    /// handler then resolves it once, through AWS Config.
    fn needs_name(&self) -> bool {
        false
    }

    /// How to determine whether a CloudFormation stack manages what the calls change. With `Lookup`, the remediation's
    /// role may call CloudFormation.
    fn managed_by(&self) -> ManagedBy {
        ManagedBy::Tags
    }

    /// The resources that `action` changes, as CloudFormation identifies them. Empty unless
    /// [`managed_by`](Self::managed_by) is `Lookup`, and for resources that the action creates.
    fn stack_resources(&self, _live: &Self::Subject, _action: &Self::Action) -> Vec<PhysicalId> {
        Vec::new()
    }

    /// The plan that fixes a NON_COMPLIANT subject. It changes only what violates the control. Callers use
    /// [`plan`](Self::plan).
    fn fix(&self, finding: &Self::Subject, params: &Self::Params, now: Timestamp) -> Plan<Self::Action>;

    /// The plan that fixes `live`; [`Plan::Noop`] if it is not NON_COMPLIANT.
    fn plan(&self, live: &Self::Subject, params: &Self::Params, now: Timestamp) -> Plan<Self::Action> {
        match self.evaluate(live, params, now).is_non_compliant() {
            true => self.fix(live, params, now),
            false => Plan::Noop,
        }
    }

    /// `live` after `action`: the pure model behind property tests, differences and resulting states.
    fn predict(&self, live: Self::Subject, action: &Self::Action) -> Self::Subject;

    /// Whether the service accepted the actions and is still applying them, e.g. an RDS modification that waits for its
    /// maintenance window. A subject that is not yet compliant is then not a failure.
    fn is_in_progress(&self, _after: &Self::Subject, _done: &[Self::Action]) -> bool {
        false
    }

    /// The fields that the actions changed, without service-assigned values. Undo compares them before it writes.
    fn touched_fields(&self, subject: &Self::Subject, done: &[Self::Action]) -> Value;

    /// The calls that restore `before`, in the order of execution: the last action first.
    ///
    /// # Errors
    /// [`Irreversible`] if an action cannot be undone.
    fn undo(&self, before: &Self::Subject, done: &[Self::Action]) -> Result<Vec<Self::Undo>, Irreversible>;

    /// Whether undo needs the responses of the calls, e.g. a service-assigned id.
    fn needs_responses(&self) -> bool {
        false
    }

    /// [`undo`](Self::undo) with the response of each call, if [`needs_responses`](Self::needs_responses); `null` for a
    /// call with an empty response.
    ///
    /// # Errors
    /// [`Irreversible`] if an action cannot be undone.
    fn undo_with_responses(
        &self,
        before: &Self::Subject,
        done: &[Self::Action],
        _answers: &[Value],
    ) -> Result<Vec<Self::Undo>, Irreversible> {
        self.undo(before, done)
    }

    /// `live` after one call of an undo. Implement it only if several calls undo one action: an undo interrupted
    /// between them is then recognized by the state it left. Without it, [`predict`](Self::predict) gives the state
    /// between two actions.
    fn reverted(&self, _live: &Self::Subject, _call: &Self::Undo) -> Option<Self::Subject> {
        None
    }
}

#[cfg(test)]
pub(crate) mod test_control {
    use super::*;

    pub(crate) const REGIONAL: ControlMeta = ControlMeta {
        id: "open-test-port",
        title: "t",
        severity: Severity::Low,
        triggers: &[Trigger::Change, Trigger::Periodic(Frequency::OneHour)],
        scope: Scope::Regional,
        resource_types: &["AWS::EC2::SecurityGroup"],
        frameworks: &[],
        level: Level::L1,
        docs: "",
        source: file!(),
    };

    pub(crate) const GLOBAL: ControlMeta =
        ControlMeta { scope: Scope::Global, resource_types: &["AWS::::Account"], ..REGIONAL };

    #[test]
    fn a_pascal_and_a_snake_id_follow_from_the_id() {
        assert_eq!(REGIONAL.pascal_id(), "OpenTestPort");
        assert_eq!(REGIONAL.snake_id(), "open_test_port");
        assert_eq!(REGIONAL.frequency(), Some(Frequency::OneHour));
        assert!(REGIONAL.on_change());
    }
}
