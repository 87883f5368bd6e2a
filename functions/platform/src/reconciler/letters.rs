//! What could not be handled: read, and answered by something that stands for it before it is deleted.
//!
//! A remediation's event is asked for again, a rule that failed is evaluated anew, and the rest goes to the queue for
//! people, where it is announced by an alarm and stays. Nothing is deleted that nothing stands for.

use std::collections::BTreeMap;

use rectify_compliance::RemediationRequest;
use rectify_runtime::settings::Mode;

use super::letter::Letter;
use super::{Question, Run};
use crate::client::{EVALUATED_AT_ONCE, Message};

/// How often a finding is asked for again, and a rule evaluated anew in a day, before a person must look.
const MOST: u32 = 3;
/// The attribute that tells a person why a letter came to her.
const REASON: &str = "RECTIFY_REASON";
/// The longest such reason, characters.
const REASON_LENGTH: usize = 500;

impl Run<'_> {
    /// Answers dead letters. What comes back are failed runs of our own: this run stands for them when it ends well.
    pub(super) async fn letters(&mut self) -> Vec<Message> {
        let mut left = self.shell.settings.letters_per_run;
        let mut rules: BTreeMap<String, Vec<Message>> = BTreeMap::new();
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
            let mut again = Vec::new();
            for message in messages {
                match Letter::read(&message) {
                    Letter::Remediation(request) => match self.listener(&request) {
                        Ok(control) => again.push((message, Question { control, request: once_more(request) })),
                        Err(reason) => self.hand_over(&message, &reason).await,
                    },
                    Letter::Rule(rule) => rules.entry(rule).or_default().push(message),
                    Letter::OwnRun => own.push(message),
                    Letter::Unclear(reason) => self.hand_over(&message, &reason).await,
                }
            }
            self.ask_again(again).await;
        }
        self.evaluate_anew(rules).await;
        own
    }

    /// Deletes messages that something else stands for.
    pub(super) async fn delete(&mut self, answer: &'static str, messages: &[Message]) {
        for message in messages {
            match self.shell.aws.delete(&self.shell.settings.dead_letters, message).await {
                Ok(()) => self.tally.letter(answer),
                Err(error) => self.failed("dead letters", &error.into()),
            }
        }
    }

    /// The control that answers a finding asked for again, or why none does.
    fn listener(&self, request: &RemediationRequest) -> Result<&'static str, String> {
        let rule = &request.config_rule_name;
        if request.aws_account_id != self.account.as_str() {
            return Err(format!("a finding of account {}", request.aws_account_id));
        }
        let control = self.controls.iter().find(|control| control.rule == *rule);
        let control = control.ok_or_else(|| format!("no control has the rule `{rule}`"))?;
        if !control.answers() {
            return Err(format!("{} has no remediation in mode {}", control.id, control.mode.name()));
        }
        if request.redrives >= MOST {
            return Err(format!("failed again after it was asked for {MOST} times"));
        }
        Ok(control.id)
    }

    async fn ask_again(&mut self, letters: Vec<(Message, Question)>) {
        let (messages, questions): (Vec<Message>, Vec<Question>) = letters.into_iter().unzip();
        let taken = self.ask("dead-letter", &questions).await;
        let answered: Vec<Message> =
            messages.into_iter().zip(taken).filter_map(|(it, taken)| taken.then_some(it)).collect();
        self.delete("asked-again", &answered).await;
    }

    /// Has each rule judge everything anew, once a run and three times a day. AWS Config takes one such call a minute, for
    /// 25 rules: what does not fit waits for the next run.
    async fn evaluate_anew(&mut self, letters: BTreeMap<String, Vec<Message>>) {
        let mut open: BTreeMap<String, Vec<Message>> = BTreeMap::new();
        for (rule, messages) in letters {
            let deployed = |it: &&super::Watched| it.rule == rule && it.mode != Mode::Off;
            let reason = if self.shell.settings.controls.iter().find(deployed).is_none() {
                Some(format!("no control has the rule `{rule}`"))
            } else {
                match self.shell.ledger.evaluations_today(&rule, self.now).await {
                    Ok(times) if times < MOST => None,
                    Ok(times) => Some(format!("failed again after `{rule}` was evaluated anew {times} times today")),
                    Err(fault) => {
                        self.failed(&rule, &fault);
                        continue;
                    }
                }
            };
            match reason {
                Some(reason) => self.hand_all_over(&messages, &reason).await,
                None if open.len() < EVALUATED_AT_ONCE => {
                    open.insert(rule, messages);
                }
                None => self.wait(&messages),
            }
        }
        while !open.is_empty() {
            let names: Vec<String> = open.keys().cloned().collect();
            let Err(error) = self.shell.aws.evaluate(&names).await else { break };
            if error.is("LimitExceededException") || error.is("ResourceInUseException") {
                open.values().for_each(|messages| self.wait(messages));
                return;
            }
            // AWS Config refuses the whole list for one name that is gone, and says which.
            let gone = names.iter().filter(|name| error.to_string().contains(name.as_str())).max_by_key(|it| it.len());
            let Some((rule, messages)) =
                gone.filter(|_| error.is("NoSuchConfigRuleException")).and_then(|it| open.remove_entry(it))
            else {
                self.failed("evaluation", &error.into());
                return;
            };
            self.hand_all_over(&messages, &format!("AWS Config has no rule `{rule}`")).await;
        }
        for (rule, messages) in open {
            match self.shell.ledger.count_evaluation(&rule, self.now).await {
                Ok(()) => self.delete("evaluated-anew", &messages).await,
                Err(fault) => self.failed(&rule, &fault),
            }
        }
    }

    fn wait(&mut self, messages: &[Message]) {
        messages.iter().for_each(|_| self.tally.letter("waiting"));
    }

    async fn hand_all_over(&mut self, messages: &[Message], reason: &str) {
        for message in messages {
            self.hand_over(message, reason).await;
        }
    }

    /// Puts a letter where people look, with the reason, then deletes it here.
    async fn hand_over(&mut self, message: &Message, reason: &str) {
        let mut letter = message.clone();
        letter.attributes.insert(REASON.to_owned(), printable(reason));
        if let Err(error) = self.shell.aws.send(&self.shell.settings.unanswered, &letter).await {
            return self.failed("dead letters", &error.into());
        }
        tracing::warn!(reason, "a dead letter that a person must answer");
        self.delete("handed-over", std::slice::from_ref(message)).await;
    }
}

fn once_more(request: RemediationRequest) -> RemediationRequest {
    RemediationRequest { redrives: request.redrives + 1, ..request }
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
