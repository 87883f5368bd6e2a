//! Drains the dead-letter queue: each message is replayed or escalated before it is deleted.
//!
//! A finding that AWS Config still reports is requested again, a rule that failed is reevaluated, and the rest is moved
//! to the operators' queue, where an alarm announces it and it stays. A message is deleted only after its replacement
//! was accepted.

use rectify_compliance::exemption::Registered;
use rectify_compliance::{ComplianceChange, Origin};
use rectify_runtime::Error;
use rectify_runtime::settings::Exemptions;

use super::dead_letter::DeadLetter;
use super::findings::Decision;
use super::settings::Watched;
use super::{Run, escalation_reason, must_escalate};
use crate::client::{Finding, Message};

/// The message attribute with the reason of an escalation.
const REASON: &str = "RECTIFY_REASON";
/// The longest such reason, characters.
const REASON_LENGTH: usize = 500;

impl Run<'_> {
    /// Handles the dead letters. Returns those of failed reconciler runs: this run replaces them if it succeeds.
    pub(super) async fn dead_letters(&mut self) -> Vec<Message> {
        let mut left = self.reconciler.settings.dead_letters_per_run;
        let mut own = Vec::new();
        while left > 0 {
            let messages = match self.reconciler.aws.receive(&self.reconciler.settings.dead_letters, left).await {
                Ok(messages) if messages.is_empty() => break,
                Ok(messages) => messages,
                Err(error) => {
                    self.failed("dead letters", &error.into());
                    break;
                }
            };
            left = left.saturating_sub(messages.len());
            for message in messages {
                match DeadLetter::read(&message) {
                    DeadLetter::Remediation(change) => {
                        // A message that cannot be handled is received again by the next run.
                        if let Err(error) = self.finding(&message, &change).await {
                            self.failed("dead letters", &error);
                        }
                    }
                    DeadLetter::Rule(unjudged) => self.unjudged(&message, &unjudged).await,
                    DeadLetter::OwnRun => own.push(message),
                    DeadLetter::Unclear(reason) => {
                        self.escalate(&message, &reason).await;
                    }
                }
            }
        }
        own
    }

    /// Deletes a message whose replacement was accepted.
    pub(super) async fn delete(&mut self, answer: &'static str, message: &Message) {
        match self.reconciler.aws.delete(&self.reconciler.settings.dead_letters, message).await {
            Ok(()) => self.tally.dead_letter(answer),
            Err(error) => self.failed("dead letters", &error.into()),
        }
    }

    /// Handles a dead letter of a finding. Only rule and resource are taken from it: AWS Config says whether the
    /// resource is NON_COMPLIANT, and since when; the ledger says how often it was requested.
    async fn finding(&mut self, message: &Message, change: &ComplianceChange) -> Result<(), Error> {
        let control = match self.control_of(change) {
            Ok(control) => control.clone(),
            Err(reason) => {
                self.escalate(message, &reason).await;
                return Ok(());
            }
        };
        let Some(recorded_at) = self.reconciler.aws.reported(&control.rule, &change.resource).await? else {
            let (rule, resource) = (&control.rule, &change.resource);
            tracing::info!(rule, %resource, "dropped a dead letter: AWS Config no longer reports the resource");
            self.delete("no-longer-reported", message).await;
            return Ok(());
        };
        let (ledger, retry_after) = (&self.reconciler.ledger, self.reconciler.settings.retry_after);
        let target = self.target(&change.resource);
        let mut history = ledger.request_history(control.id, &target, self.now).await?;
        if change.origin == Origin::Config {
            // AWS Config emits such an event when a resource turns NON_COMPLIANT: earlier requests were for another
            // finding.
            history = history.filter(|history| change.recorded_at <= history.at);
        }
        if let Some(history) = history.as_ref().filter(|history| must_escalate(history)) {
            if self.escalate(message, &escalation_reason(history)).await {
                ledger.save_request_history(control.id, &target, &history.clone().escalated(), retry_after).await?;
            }
            return Ok(());
        }
        let decision = if self.closed(&control).await?.is_some() {
            Decision::LeaveOut("closed")
        } else {
            let registry = self.registry(&control).await?;
            let finding = Finding { resource: change.resource.clone(), recorded_at };
            self.decide(&control, &registry, &finding, history).await?
        };
        match decision {
            Decision::Request(request) => {
                if self.send_requests("dead-letter", vec![*request]).await == [true] {
                    self.delete("requested-again", message).await;
                }
            }
            // The rule still reports it, and each run examines the rule's findings.
            Decision::LeaveOut(reason) => {
                tracing::info!(reason, resource = %change.resource, "a dead letter is left to the findings of its rule");
                self.delete("left-to-findings", message).await;
            }
        }
        Ok(())
    }

    /// The exemptions that may apply to a control.
    pub(super) async fn registry(&self, control: &Watched) -> Result<Vec<Registered>, Error> {
        match self.reconciler.settings.exemptions {
            Exemptions::None => Ok(Vec::new()),
            Exemptions::Ledger => self.reconciler.ledger.exemptions_for(control.id).await,
        }
    }

    /// The control that remediates a finding, or why none does.
    fn control_of(&self, change: &ComplianceChange) -> Result<&Watched, String> {
        let ComplianceChange { account, region, rule_name: rule, .. } = change;
        if account != self.account {
            return Err(format!("a finding of account {account}"));
        }
        if ![self.reconciler.region.as_str(), "global"].contains(&region.as_str()) {
            return Err(format!("a finding of region {region}"));
        }
        let control = self.controls.iter().find(|control| control.rule == *rule);
        let control = control.ok_or_else(|| format!("no control has the rule `{rule}`"))?;
        if control.handles_requests() {
            Ok(control)
        } else {
            Err(format!("{} has no remediation in mode {}", control.id, control.mode.name()))
        }
    }

    /// Moves a message to the operators' queue, with the reason; returns whether it was sent.
    pub(super) async fn escalate(&mut self, message: &Message, reason: &str) -> bool {
        let sent = self.send_to_operators(message, reason).await;
        if sent {
            self.delete("escalated", message).await;
        }
        sent
    }

    /// Sends a message to the operators' queue, with the reason; returns whether it was accepted.
    pub(super) async fn send_to_operators(&mut self, message: &Message, reason: &str) -> bool {
        let mut escalated = message.clone();
        escalated.attributes.insert(REASON.to_owned(), printable(reason));
        if let Err(error) = self.reconciler.aws.send(&self.reconciler.settings.unanswered, &escalated).await {
            self.failed("dead letters", &error.into());
            return false;
        }
        tracing::warn!(reason, "a message that an operator must handle");
        true
    }
}

/// The reason as SQS accepts it in an attribute: without control characters, and bounded.
fn printable(reason: &str) -> String {
    reason.chars().filter(|it| !it.is_control()).take(REASON_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_is_valid_in_a_message_attribute() {
        assert_eq!(printable("a\u{1}b\nc"), "abc");
        assert_eq!(printable(&"x".repeat(900)).len(), REASON_LENGTH);
    }
}
