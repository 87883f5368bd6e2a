//! What could not be handled: read, and answered by something that stands for it before it is deleted.
//!
//! A finding that AWS Config still reports is asked about again, a rule that failed is evaluated anew, and the rest goes to
//! the queue for people, where it is announced by an alarm and stays. Nothing is deleted that nothing stands for.

use rectify_compliance::exemption::Registered;
use rectify_compliance::{ComplianceChange, Origin};
use rectify_runtime::Error;
use rectify_runtime::settings::Exemptions;

use super::findings::Decision;
use super::letter::Letter;
use super::settings::Watched;
use super::{Run, is_hopeless, nobody_answers};
use crate::client::{Finding, Message};

/// The attribute that tells a person why a letter came to her.
const REASON: &str = "RECTIFY_REASON";
/// The longest such reason, characters.
const REASON_LENGTH: usize = 500;

impl Run<'_> {
    /// Answers dead letters. What comes back are failed runs of our own: this run stands for them when it ends well.
    pub(super) async fn letters(&mut self) -> Vec<Message> {
        let mut left = self.shell.settings.letters_per_run;
        let mut own = Vec::new();
        while left > 0 {
            let messages = match self.shell.aws.receive(&self.shell.settings.dead_letters, left).await {
                Ok(messages) if messages.is_empty() => break,
                Ok(messages) => messages,
                Err(error) => {
                    self.failed("dead letters", &error.into());
                    break;
                }
            };
            left = left.saturating_sub(messages.len());
            for message in messages {
                match Letter::read(&message) {
                    Letter::Remediation(change) => {
                        // One that cannot be answered is read again by the next run.
                        if let Err(fault) = self.finding(&message, &change).await {
                            self.failed("dead letters", &fault);
                        }
                    }
                    Letter::Rule(unjudged) => self.unjudged(&message, &unjudged).await,
                    Letter::OwnRun => own.push(message),
                    Letter::Unclear(reason) => {
                        self.hand_over(&message, &reason).await;
                    }
                }
            }
        }
        own
    }

    /// Deletes a message that something else stands for.
    pub(super) async fn delete(&mut self, answer: &'static str, message: &Message) {
        match self.shell.aws.delete(&self.shell.settings.dead_letters, message).await {
            Ok(()) => self.tally.letter(answer),
            Err(error) => self.failed("dead letters", &error.into()),
        }
    }

    /// Answers a dead letter of a finding. Nothing but rule and resource is taken from it: whether the resource is
    /// NON_COMPLIANT, and since when, AWS Config says; how often it was asked about, the ledger.
    async fn finding(&mut self, message: &Message, change: &ComplianceChange) -> Result<(), Error> {
        let control = match self.listener(change) {
            Ok(control) => control.clone(),
            Err(reason) => {
                self.hand_over(message, &reason).await;
                return Ok(());
            }
        };
        let Some(recorded_at) = self.shell.aws.reported(&control.rule, &change.resource).await? else {
            let (rule, resource) = (&control.rule, &change.resource);
            tracing::info!(rule, %resource, "dropped a dead letter: AWS Config no longer reports the resource");
            self.delete("no-longer-reported", message).await;
            return Ok(());
        };
        let (ledger, matters) = (&self.shell.ledger, self.shell.settings.retry_after);
        let target = self.target(&change.resource);
        let mut asks = ledger.asks(control.id, &target, self.now).await?;
        if change.origin == Origin::Config {
            // AWS Config writes such an event when a resource turns NON_COMPLIANT: what was asked before was another finding.
            asks = asks.filter(|asks| change.recorded_at <= asks.at);
        }
        if let Some(asks) = asks.as_ref().filter(|asks| is_hopeless(asks)) {
            if self.hand_over(message, &nobody_answers(asks)).await {
                ledger.save_request_history(control.id, &target, &asks.clone().told(), matters).await?;
            }
            return Ok(());
        }
        let decision = if self.closed(&control).await?.is_some() {
            Decision::LeaveOut("closed")
        } else {
            let registry = self.registry(&control).await?;
            let finding = Finding { resource: change.resource.clone(), recorded_at };
            self.decide(&control, &registry, &finding, asks).await?
        };
        match decision {
            Decision::Ask(question) => {
                if self.ask("dead-letter", vec![*question]).await == [true] {
                    self.delete("asked-again", message).await;
                }
            }
            // The rule goes on reporting it, and each run looks at what it reports.
            Decision::LeaveOut(reason) => {
                tracing::info!(reason, resource = %change.resource, "a dead letter is left to the findings of its rule");
                self.delete("left-to-the-rule", message).await;
            }
        }
        Ok(())
    }

    /// The exemptions that may concern a control.
    pub(super) async fn registry(&self, control: &Watched) -> Result<Vec<Registered>, Error> {
        match self.shell.settings.exemptions {
            Exemptions::None => Ok(Vec::new()),
            Exemptions::Ledger => self.shell.ledger.exemptions_for(control.id).await,
        }
    }

    /// The control that answers a finding, or why none does.
    fn listener(&self, change: &ComplianceChange) -> Result<&Watched, String> {
        let ComplianceChange { account, region, rule_name: rule, .. } = change;
        if account != self.account {
            return Err(format!("a finding of account {account}"));
        }
        if ![self.shell.region.as_str(), "global"].contains(&region.as_str()) {
            return Err(format!("a finding of region {region}"));
        }
        let control = self.controls.iter().find(|control| control.rule == *rule);
        let control = control.ok_or_else(|| format!("no control has the rule `{rule}`"))?;
        if control.answers() {
            Ok(control)
        } else {
            Err(format!("{} has no remediation in mode {}", control.id, control.mode.name()))
        }
    }

    /// Puts a letter where people look, with the reason, then deletes it here; whether it lies there.
    pub(super) async fn hand_over(&mut self, message: &Message, reason: &str) -> bool {
        let sent = self.send_to_people(message, reason).await;
        if sent {
            self.delete("handed-over", message).await;
        }
        sent
    }

    /// Puts a message where people look, with the reason; whether it lies there.
    pub(super) async fn send_to_people(&mut self, message: &Message, reason: &str) -> bool {
        let mut letter = message.clone();
        letter.attributes.insert(REASON.to_owned(), printable(reason));
        if let Err(error) = self.shell.aws.send(&self.shell.settings.unanswered, &letter).await {
            self.failed("dead letters", &error.into());
            return false;
        }
        tracing::warn!(reason, "a message that a person must answer");
        true
    }
}

/// What SQS takes as an attribute: no control characters, and bounded.
fn printable(reason: &str) -> String {
    reason.chars().filter(|it| !it.is_control()).take(REASON_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_what_sqs_takes() {
        assert_eq!(printable("a\u{1}b\nc"), "abc");
        assert_eq!(printable(&"x".repeat(900)).len(), REASON_LENGTH);
    }
}
