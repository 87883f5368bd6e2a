//! What a control is: declaration, judgement, and, where there is one, remediation.
//!
//! All of it is pure and total. What a control needs from AWS is fetched by its service's Lambda crate before.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    ConfigurationItem, Irreversible, Level, ManagedBy, Parameters, Permission, PhysicalId, Plan, ResourceState,
    ShapeError, Timestamp, Verdict,
};

/// How bad a finding is. Equals the Security Hub severity where the control is mapped to FSBP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Worth planning.
    Medium,
    /// Worth doing this week.
    High,
    /// Worth getting up for.
    Critical,
}

/// When AWS Config asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// A resource of the control's types changed.
    Change,
    /// Every so often.
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
    /// Only where `AWS::Region` is the home region; elsewhere it answers NOT_APPLICABLE.
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

    /// The name people know it by.
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

/// Requirements of one framework that a control serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapping {
    /// Which framework.
    pub framework: Framework,
    /// The requirements' ids, as the framework writes them.
    pub ids: &'static [&'static str],
}

/// What a control declares of itself. Template, roles and docs pages are derived from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ControlMeta {
    /// The one id: binary, events folder, docs page, log field. An AWS managed rule's name where both check the same.
    pub id: &'static str,
    /// The fault in a few words; reads well after "found:".
    pub title: &'static str,
    /// How bad a finding is.
    pub severity: Severity,
    /// When AWS Config asks.
    pub triggers: &'static [Trigger],
    /// Where it is deployed.
    pub scope: Scope,
    /// The resource types it judges; retiring concerns these only.
    pub resource_types: &'static [&'static str],
    /// Which requirements it serves.
    pub frameworks: &'static [Mapping],
    /// The highest level any step of its plans can have.
    pub level: Level,
    /// The docs page, Markdown, from the declaration's doc comment.
    pub docs: &'static str,
    /// The file that declares it.
    pub source: &'static str,
}

impl ControlMeta {
    /// Whether a change of a resource triggers it.
    pub fn on_change(&self) -> bool {
        self.triggers.contains(&Trigger::Change)
    }

    /// How often it runs on a schedule, if it does.
    pub fn frequency(&self) -> Option<Frequency> {
        self.triggers.iter().find_map(|trigger| match trigger {
            Trigger::Periodic(frequency) => Some(*frequency),
            Trigger::Change => None,
        })
    }

    /// The id in Pascal case, as logical ids and template parameters have it: `restricted-ssh` is `RestrictedSsh`.
    pub fn pascal_id(&self) -> String {
        self.id
            .split('-')
            .map(|word| {
                let mut letters = word.chars();
                letters
                    .next()
                    .map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
            })
            .collect()
    }

    /// The id in snake case, as files have it: `restricted-ssh` is `restricted_ssh`.
    pub fn snake_id(&self) -> String {
        self.id.replace('-', "_")
    }
}

/// A control: what it declares of itself, and the logic that judges. A value, made by [`control!`](crate::control!).
#[derive(Debug)]
pub struct Declared<T> {
    /// The declaration.
    pub meta: ControlMeta,
    /// What it does.
    pub logic: T,
}

/// One thing that must hold.
pub trait Control: Send + Sync + 'static {
    /// Its rule parameters.
    type Params: Parameters;
    /// Everything it judges about one resource.
    type Subject: ResourceState;

    /// Judges one subject. Pure and total, the same whatever the trigger; `now` is the event's time.
    fn evaluate(&self, subject: &Self::Subject, params: &Self::Params, now: Timestamp) -> Verdict;
}

/// A typed view of a configuration item.
pub trait Resource: Sized + Send + Sync + 'static {
    /// The types it reads.
    const TYPES: &'static [&'static str];

    /// Reads the item; [`gate`](crate::gate) has made sure that `configuration` is an object.
    ///
    /// # Errors
    /// [`ShapeError`] when something the control needs is missing or of another form: never read as "fine".
    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError>;
}

/// A control that judges changes by more than the item: item and facts make the subject.
pub trait FromItem: Control {
    /// The view of the item.
    type Resource: Resource;
    /// What the item does not hold and an API must be asked for.
    type Facts: Serialize + DeserializeOwned + Debug + Send + Sync + 'static;

    /// What reading the facts may call.
    fn fact_permissions(&self) -> &'static [Permission] {
        &[]
    }

    /// Puts both together.
    fn subject(&self, resource: Self::Resource, facts: Self::Facts) -> Self::Subject;
}

/// A control that lists its subjects on a schedule. It may judge changes as well.
pub trait Periodic: Control {
    /// What listing may call.
    fn list_permissions(&self) -> &'static [Permission];
}

/// A control that knows how its finding is fixed.
pub trait Remediation: Control {
    /// One API call: an enum with a variant per operation, named and spelt as the API has it.
    type Action: Serialize + DeserializeOwned + Clone + PartialEq + Debug + Send + Sync + 'static;
    /// One call that takes an action back.
    type Undo: Serialize + DeserializeOwned + Clone + PartialEq + Debug + Send + Sync + 'static;

    /// What the live read may call.
    fn read_permissions(&self) -> &'static [Permission];

    /// What enforcing may call. With [`read_permissions`](Self::read_permissions) this is the remediation's role, whole.
    fn fix_permissions(&self) -> &'static [Permission];

    /// What undo may call; never in the remediation's role.
    fn undo_permissions(&self) -> &'static [Permission];

    /// Whether the calls need the resource's name and AWS Config's id is not it (IAM `AIDA…`, RDS `db-…`): the shell then
    /// resolves it once, through AWS Config.
    fn needs_name(&self) -> bool {
        false
    }

    /// How it is known that a CloudFormation stack manages what the calls change. With `Lookup` the remediation's role may
    /// ask CloudFormation.
    fn managed_by(&self) -> ManagedBy {
        ManagedBy::Tags
    }

    /// What of a stack `action` would change, as CloudFormation identifies it; empty unless [`managed_by`](Self::managed_by)
    /// is `Lookup`, and for what the action newly makes.
    fn stack_resources(&self, _live: &Self::Subject, _action: &Self::Action) -> Vec<PhysicalId> {
        Vec::new()
    }

    /// What would fix a subject that [`evaluate`](Control::evaluate) calls NON_COMPLIANT; changes only what violates the
    /// control. Callers use [`plan`](Self::plan).
    fn fix(&self, finding: &Self::Subject, params: &Self::Params, now: Timestamp) -> Plan<Self::Action>;

    /// What would fix `live`: nothing where it is no finding.
    fn plan(&self, live: &Self::Subject, params: &Self::Params, now: Timestamp) -> Plan<Self::Action> {
        match self.evaluate(live, params, now).is_non_compliant() {
            true => self.fix(live, params, now),
            false => Plan::Noop,
        }
    }

    /// What `live` becomes by `action`: the pure model that laws, differences and after-images rest on.
    fn predict(&self, live: Self::Subject, action: &Self::Action) -> Self::Subject;

    /// Whether the service has accepted the actions and still works on them, so that a subject that is not yet right is no
    /// failure (an RDS modification that waits for its window).
    fn is_in_progress(&self, _after: &Self::Subject, _done: &[Self::Action]) -> bool {
        false
    }

    /// The part of the subject the actions touched, without what the service assigns. Undo compares it before it writes.
    fn touched_fields(&self, subject: &Self::Subject, done: &[Self::Action]) -> Value;

    /// The calls that restore `before`, in the order they are to be played: last action first.
    ///
    /// # Errors
    /// [`Irreversible`] when something done cannot be taken back.
    fn undo(&self, before: &Self::Subject, done: &[Self::Action]) -> Result<Vec<Self::Undo>, Irreversible>;

    /// Whether undo needs what a call answers, e.g. an id that the service assigned.
    fn needs_answers(&self) -> bool {
        false
    }

    /// [`undo`](Self::undo) with what each call answered, where [`needs_answers`](Self::needs_answers); `null` where a call
    /// answered nothing.
    ///
    /// # Errors
    /// [`Irreversible`] when something done cannot be taken back.
    fn undo_answered(
        &self,
        before: &Self::Subject,
        done: &[Self::Action],
        _answers: &[Value],
    ) -> Result<Vec<Self::Undo>, Irreversible> {
        self.undo(before, done)
    }

    /// What `live` becomes by one call of an undo. Only where one action is taken back by several calls: an undo that broke off
    /// between them is then known by what it left. Without it, what is left between two actions is known from
    /// [`predict`](Self::predict).
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
    fn ids_become_names_and_files() {
        assert_eq!(REGIONAL.pascal_id(), "OpenTestPort");
        assert_eq!(REGIONAL.snake_id(), "open_test_port");
        assert_eq!(REGIONAL.frequency(), Some(Frequency::OneHour));
        assert!(REGIONAL.on_change());
    }
}
