//! Events that a rule's function failed to evaluate. AWS Config bills every evaluation and can only reevaluate a
//! complete rule. Resources of scheduled rules are left to the schedule, and a subject that fails twice is escalated to
//! operators.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use rectify_compliance::Timestamp;
use rectify_runtime::Error;
use rectify_runtime::ledger::Evaluations;
use rectify_runtime::settings::Mode;

use super::Run;
use super::dead_letter::Unjudged;
use super::settings::Watched;
use crate::client::{EVALUATED_AT_ONCE, Message};

/// The minimum time between two reevaluations of a rule.
const REEVALUATION_INTERVAL: SignedDuration = SignedDuration::from_hours(24);

impl Run<'_> {
    /// Handles a dead letter of a rule's function.
    pub(super) async fn unjudged(&mut self, message: &Message, unjudged: &Unjudged) {
        let rule = &unjudged.rule;
        let deployed = |it: &&Watched| it.rule == *rule && it.mode != Mode::Off;
        let Some(control) = self.reconciler.settings.controls.iter().find(deployed) else {
            self.escalate(message, &format!("no control has the rule `{rule}`")).await;
            return;
        };
        if control.scheduled && unjudged.resource.is_some() {
            // The rule's own schedule evaluates the resource within a day.
            tracing::info!(rule, subject = unjudged.subject(), "a dead letter is left to the schedule of its rule");
            return self.delete("left-to-schedule", message).await;
        }
        match self.reevaluation(unjudged).await {
            Ok(Reevaluation::Due) => self.delete("reevaluation-due", message).await,
            Ok(Reevaluation::AlreadyEscalated) => self.delete("already-escalated", message).await,
            Ok(Reevaluation::Failed(started)) => {
                let subject = unjudged.subject();
                let reason = format!("`{rule}` failed again on {subject} after its reevaluation at {started}");
                if self.escalate(message, &reason).await
                    && let Err(error) = self.reconciler.ledger.mark_unjudged(rule, &subject, true, self.now).await
                {
                    self.failed(rule, &error);
                }
            }
            Err(error) => self.failed(rule, &error),
        }
    }

    /// Whether a reevaluation of the rule can help. The first failure on a subject makes one due, which is stored in
    /// the ledger before the message is deleted. If the event is newer than the last reevaluation, that one did not
    /// help.
    async fn reevaluation(&self, unjudged: &Unjudged) -> Result<Reevaluation, Error> {
        let (ledger, rule, subject) = (&self.reconciler.ledger, &unjudged.rule, unjudged.subject());
        let evaluations = ledger.evaluations(rule).await?;
        let known = ledger.unjudged(rule, &subject, self.now).await?;
        if let (Some(handed_over), Some(started), false) = (known, evaluations.started_at, evaluations.owed)
            && unjudged.at.is_none_or(|at| at > started)
        {
            if !handed_over {
                return Ok(Reevaluation::Failed(started));
            }
            ledger.mark_unjudged(rule, &subject, true, self.now).await?;
            return Ok(Reevaluation::AlreadyEscalated);
        }
        let covered = known.is_some() && unjudged.at.zip(evaluations.started_at).is_some_and(|(at, it)| at <= it);
        if !evaluations.owed && !covered {
            ledger.set_evaluations(rule, Evaluations { owed: true, ..evaluations }).await?;
        }
        ledger.mark_unjudged(rule, &subject, known.unwrap_or_default(), self.now).await?;
        Ok(Reevaluation::Due)
    }

    /// Starts the due reevaluations, at most once a day per rule. AWS Config accepts one such call a minute, for 25
    /// rules: the rest waits for the next run.
    pub(super) async fn start_evaluations(&mut self) {
        let mut due: BTreeMap<String, Evaluations> = BTreeMap::new();
        let deployed: Vec<String> = self
            .reconciler
            .settings
            .controls
            .iter()
            .filter(|it| it.mode != Mode::Off)
            .map(|it| it.rule.clone())
            .collect();
        for rule in deployed {
            match self.reconciler.ledger.evaluations(&rule).await {
                Ok(it) if it.owed && !self.was_today(it) && due.len() < EVALUATED_AT_ONCE => {
                    due.insert(rule, it);
                }
                Ok(_) => {}
                Err(error) => self.failed(&rule, &error),
            }
        }
        while !due.is_empty() {
            let names: Vec<String> = due.keys().cloned().collect();
            let Err(error) = self.reconciler.aws.evaluate(&names).await else { break };
            if error.is("LimitExceededException") || error.is("ResourceInUseException") {
                return;
            }
            // AWS Config refuses the complete list if one rule is gone, and names it.
            let gone = names.iter().filter(|name| error.to_string().contains(name.as_str())).max_by_key(|it| it.len());
            let Some(rule) = gone.filter(|_| error.is("NoSuchConfigRuleException")) else {
                self.failed("evaluation", &error.into());
                return;
            };
            // There is no rule to reevaluate.
            let none = Evaluations { owed: false, ..due.remove(rule).unwrap_or_default() };
            self.save(rule, none).await;
        }
        for rule in due.into_keys() {
            self.tally.evaluated();
            self.save(&rule, Evaluations { started_at: Some(self.now), owed: false }).await;
        }
    }

    fn was_today(&self, it: Evaluations) -> bool {
        it.started_at.is_some_and(|at| self.now.duration_since(at) < REEVALUATION_INTERVAL)
    }

    async fn save(&mut self, rule: &str, it: Evaluations) {
        if let Err(error) = self.reconciler.ledger.set_evaluations(rule, it).await {
            self.failed(rule, &error);
        }
    }
}

/// The reaction to a failure of a rule.
enum Reevaluation {
    /// A reevaluation, today or tomorrow.
    Due,
    /// An escalation to operators: the reevaluation started at this time did not help.
    Failed(Timestamp),
    /// Nothing: the failure was already escalated.
    AlreadyEscalated,
}
