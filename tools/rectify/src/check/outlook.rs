//! What keeps a plan from being applied, and how to lift it, as text and as JSON.

use rectify_compliance::{ControlMeta, Target};
use rectify_runtime::remediation::{ACCOUNT_MODES, Blocker, Gate, GateState, MODE_TAG};
use rectify_scan::command::quoted;
use serde_json::{Value, json};

use crate::style::Style;

/// The blockers of a plan.
#[derive(Debug, PartialEq)]
pub(super) struct Outlook {
    /// The closed and the unknown gates, in their order.
    pub(super) blockers: Vec<GateState>,
    /// The control, for the commands.
    pub(super) meta: &'static ControlMeta,
    /// The resource, for the commands.
    pub(super) target: Target,
    /// Whether a setting allows all steps of the plan.
    pub(super) is_opt_in: bool,
}

impl Outlook {
    /// One line for each closed gate and one to lift it; unknown gates with the same reason share a line.
    pub(super) fn lines(&self, style: Style) -> Vec<String> {
        let mut closed = Vec::new();
        let mut unknown: Vec<(&str, Vec<&str>)> = Vec::new();
        for state in &self.blockers {
            match state {
                GateState::Closed(it) => {
                    closed.push(format!("  {}: {}", it.gate.name(), it.reason));
                    closed.push(format!("    to lift: {}", self.lift(it)));
                }
                GateState::Unknown(gate, why) => match unknown.iter_mut().find(|(known, _)| known == why) {
                    Some((_, gates)) if gates.contains(&gate.name()) => {}
                    Some((_, gates)) => gates.push(gate.name()),
                    None => unknown.push((why, vec![gate.name()])),
                },
            }
        }
        let mut lines = Vec::new();
        if !closed.is_empty() {
            lines.push(style.warning("blocked by:"));
            lines.append(&mut closed);
        } else if unknown.is_empty() {
            lines.push("not blocked: a remediation applies it with the next finding".to_owned());
        }
        if !unknown.is_empty() {
            lines.push(style.warning("unknown:"));
            lines.extend(unknown.iter().map(|(why, gates)| format!("  {}: {why}", gates.join(", "))));
        }
        lines
    }

    /// Each state; `lift` is a command or a sentence, `null` if it is not known whether the gate is closed.
    pub(super) fn as_json(&self) -> Value {
        let row = |it: &GateState| match it {
            GateState::Closed(it) => {
                json!({ "gate": it.gate.name(), "status": "closed", "reason": it.reason, "lift": self.lift(it) })
            }
            GateState::Unknown(gate, why) => {
                json!({ "gate": gate.name(), "status": "unknown", "reason": why, "lift": null })
            }
        };
        self.blockers.iter().map(row).collect()
    }

    /// How to open a closed gate.
    fn lift(&self, it: &Blocker) -> String {
        let id = self.meta.id;
        let key = it.key.as_deref().unwrap_or_default();
        match it.gate {
            Gate::Stop if key == "*" => "rectify resume".to_owned(),
            Gate::Stop => format!("rectify resume {id}"),
            Gate::Scope => format!("change controls.{id}.parameters in rectify.yaml and deploy"),
            Gate::Exemption => format!("rectify exempt end {}", quoted(key)),
            Gate::Hold => format!("rectify hold end {id}{}", self.resource()),
            Gate::ProtectedArn => "change protectedArns in rectify.yaml and deploy".to_owned(),
            Gate::Level if self.is_opt_in => format!("set controls.{id}.allowL2: true in rectify.yaml and deploy"),
            Gate::Level => "make the change manually: no setting allows it".to_owned(),
            Gate::StackTag | Gate::StackLookup => {
                "change the stack's template, or set remediateManagedStacks: true in rectify.yaml and deploy".to_owned()
            }
            Gate::Mode if key == MODE_TAG => format!("remove the tag {MODE_TAG} from the resource"),
            Gate::Mode if key == ACCOUNT_MODES => format!("change {ACCOUNT_MODES} in rectify.yaml and deploy"),
            Gate::Mode => format!("set controls.{id}.mode: enforce in rectify.yaml and deploy"),
            Gate::Grace => "wait, or change graceMinutes in rectify.yaml and deploy".to_owned(),
            Gate::Breaker if key == "*" => format!("rectify breaker reset {id} --reason REASON"),
            Gate::Breaker => format!("rectify breaker reset {id}{} --reason REASON", self.resource()),
            Gate::Budget => "wait, or change maxFixesPerHour or maxFixesPercent in rectify.yaml and deploy".to_owned(),
        }
    }

    /// The arguments that name the resource.
    fn resource(&self) -> String {
        let resource = &self.target.resource;
        let kind = match self.meta.resource_types {
            [_] => String::new(),
            _ => format!(" --type {}", resource.kind),
        };
        format!(" {}{kind}", quoted(&resource.id))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use clap::Parser;
    use rectify_compliance::{AccountId, Region, ResourceKey};

    use super::*;
    use crate::arguments::Arguments;
    use crate::style::PLAIN;

    fn outlook(id: &str, blockers: Vec<GateState>) -> Outlook {
        let control = rectify_catalogue::find(id).unwrap();
        let target = Target {
            account: AccountId::new("111122223333"),
            region: Region::new("eu-west-1"),
            resource: ResourceKey::new(control.meta.resource_types[0], "it's"),
            name: None,
            arn: None,
        };
        Outlook { blockers, meta: control.meta, target, is_opt_in: true }
    }

    fn closed(gate: Gate, key: Option<&str>) -> GateState {
        GateState::Closed(Blocker { gate, reason: "because".to_owned(), key: key.map(str::to_owned) })
    }

    #[test]
    fn every_gate_is_shown_with_its_reason_and_how_to_lift_it() {
        let rows = [
            (Gate::Stop, Some("*"), "stop switch: because|rectify resume"),
            (Gate::Stop, Some("restricted-ssh"), "stop switch: because|rectify resume restricted-ssh"),
            (Gate::Scope, None, "scope: because|change controls.restricted-ssh.parameters in rectify.yaml and deploy"),
            (Gate::Exemption, Some("01A"), "exemption: because|rectify exempt end 01A"),
            (Gate::Hold, None, r"hold: because|rectify hold end restricted-ssh 'it'\''s'"),
            (Gate::ProtectedArn, None, "protected ARN: because|change protectedArns in rectify.yaml and deploy"),
            (Gate::Level, None, "level: because|set controls.restricted-ssh.allowL2: true in rectify.yaml and deploy"),
            (
                Gate::StackTag,
                Some("web"),
                "stack: because|change the stack's template, or set remediateManagedStacks: true in rectify.yaml and deploy",
            ),
            (Gate::Mode, Some(MODE_TAG), "mode: because|remove the tag rectify:mode from the resource"),
            (Gate::Mode, Some(ACCOUNT_MODES), "mode: because|change accountModes in rectify.yaml and deploy"),
            (
                Gate::Mode,
                Some("mode"),
                "mode: because|set controls.restricted-ssh.mode: enforce in rectify.yaml and deploy",
            ),
            (Gate::Grace, None, "grace period: because|wait, or change graceMinutes in rectify.yaml and deploy"),
            (Gate::Breaker, Some("*"), "breaker: because|rectify breaker reset restricted-ssh --reason REASON"),
            (
                Gate::Breaker,
                Some("resource"),
                r"breaker: because|rectify breaker reset restricted-ssh 'it'\''s' --reason REASON",
            ),
            (
                Gate::Budget,
                None,
                "budget: because|wait, or change maxFixesPerHour or maxFixesPercent in rectify.yaml and deploy",
            ),
        ];
        for (gate, key, expected) in rows {
            let shown = outlook("restricted-ssh", vec![closed(gate, key)]);
            let (line, lift) = expected.split_once('|').unwrap();
            let expected = ["blocked by:".to_owned(), format!("  {line}"), format!("    to lift: {lift}")];
            assert_eq!(shown.lines(PLAIN), expected);
            let json = json!([{ "gate": gate.name(), "status": "closed", "reason": "because", "lift": lift }]);
            assert_eq!(shown.as_json(), json);
            if let Some(arguments) = lift.strip_prefix("rectify ") {
                let line = arguments.replace(r"'it'\''s'", "it's");
                let words = std::iter::once("rectify").chain(line.split(' '));
                assert!(Arguments::try_parse_from(words).is_ok(), "{lift}");
            }
        }
        let manual = Outlook { is_opt_in: false, ..outlook("restricted-ssh", vec![closed(Gate::Level, None)]) };
        assert_eq!(manual.lines(PLAIN)[2], "    to lift: make the change manually: no setting allows it");
        let several = rectify_catalogue::controls().find(|it| it.meta.resource_types.len() > 1).unwrap().meta.id;
        let lines = outlook(several, vec![closed(Gate::Hold, None)]).lines(PLAIN);
        assert!(lines[2].contains(" --type AWS::"), "{lines:?}");
    }

    #[test]
    fn unknown_gates_share_a_line_and_a_plan_without_blockers_says_so() {
        let unknown = |gate, why: &str| GateState::Unknown(gate, why.to_owned());
        let all = vec![
            unknown(Gate::Hold, "no ledger"),
            unknown(Gate::StackTag, "denied"),
            unknown(Gate::StackLookup, "denied"),
            unknown(Gate::Breaker, "no ledger"),
        ];
        let shown = outlook("restricted-ssh", all);
        assert_eq!(shown.lines(PLAIN), ["unknown:", "  hold, breaker: no ledger", "  stack: denied"]);
        let row = json!({ "gate": "hold", "status": "unknown", "reason": "no ledger", "lift": null });
        assert_eq!(shown.as_json()[0], row);
        let open = outlook("restricted-ssh", Vec::new());
        assert_eq!(open.lines(PLAIN), ["not blocked: a remediation applies it with the next finding"]);
        assert_eq!(open.as_json(), json!([]));
    }
}
