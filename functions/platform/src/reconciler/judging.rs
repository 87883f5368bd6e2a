//! What a rule's function could not judge. AWS Config bills every evaluation, and can be told to evaluate a whole rule only:
//! what comes again by itself is waited for, and what failed twice is a person's.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use rectify_compliance::Timestamp;
use rectify_runtime::Error;
use rectify_runtime::ledger::Evaluations;
use rectify_runtime::settings::Mode;

use super::Run;
use super::letter::Unjudged;
use super::settings::Watched;
use crate::client::{EVALUATED_AT_ONCE, Message};

/// How long a rule is not evaluated anew after it was.
const ONCE_IN: SignedDuration = SignedDuration::from_hours(24);

impl Run<'_> {
    /// Answers a dead letter of a rule's function.
    pub(super) async fn unjudged(&mut self, message: &Message, unjudged: &Unjudged) {
        let rule = &unjudged.rule;
        let deployed = |it: &&Watched| it.rule == *rule && it.mode != Mode::Off;
        let Some(control) = self.shell.settings.controls.iter().find(deployed) else {
            self.hand_over(message, &format!("no control has the rule `{rule}`")).await;
            return;
        };
        if control.scheduled && unjudged.resource.is_some() {
            // The rule's own schedule judges the resource within a day.
            tracing::info!(rule, subject = unjudged.subject(), "a dead letter is left to the schedule of its rule");
            return self.delete("left-to-the-schedule", message).await;
        }
        match self.again(unjudged).await {
            Ok(Again::Owed) => self.delete("to-be-evaluated", message).await,
            Ok(Again::Known) => self.delete("handed-over-before", message).await,
            Ok(Again::Failed(started)) => {
                let subject = unjudged.subject();
                let reason = format!("`{rule}` failed again at {subject} after it was evaluated anew at {started}");
                if self.hand_over(message, &reason).await
                    && let Err(fault) = self.shell.ledger.mark_unjudged(rule, &subject, true, self.now).await
                {
                    self.failed(rule, &fault);
                }
            }
            Err(fault) => self.failed(rule, &fault),
        }
    }

    /// Whether an evaluation of the rule can help. The first failure at a subject owes one, which the ledger notes before the
    /// letter goes; one that was started after the event was written did not help.
    async fn again(&self, unjudged: &Unjudged) -> Result<Again, Error> {
        let (ledger, rule, subject) = (&self.shell.ledger, &unjudged.rule, unjudged.subject());
        let evaluations = ledger.evaluations(rule).await?;
        let known = ledger.unjudged(rule, &subject, self.now).await?;
        if let (Some(handed_over), Some(started), false) = (known, evaluations.started_at, evaluations.owed)
            && unjudged.at.is_none_or(|at| at > started)
        {
            if !handed_over {
                return Ok(Again::Failed(started));
            }
            ledger.mark_unjudged(rule, &subject, true, self.now).await?;
            return Ok(Again::Known);
        }
        let covered = known.is_some() && unjudged.at.zip(evaluations.started_at).is_some_and(|(at, it)| at <= it);
        if !evaluations.owed && !covered {
            ledger.set_evaluations(rule, Evaluations { owed: true, ..evaluations }).await?;
        }
        ledger.mark_unjudged(rule, &subject, known.unwrap_or_default(), self.now).await?;
        Ok(Again::Owed)
    }

    /// Starts the evaluations that are owed, of each rule once a day. AWS Config takes one such call a minute, for 25 rules:
    /// what does not fit waits for the next run.
    pub(super) async fn start_evaluations(&mut self) {
        let mut open: BTreeMap<String, Evaluations> = BTreeMap::new();
        let deployed: Vec<String> =
            self.shell.settings.controls.iter().filter(|it| it.mode != Mode::Off).map(|it| it.rule.clone()).collect();
        for rule in deployed {
            match self.shell.ledger.evaluations(&rule).await {
                Ok(it) if it.owed && !self.was_today(it) && open.len() < EVALUATED_AT_ONCE => {
                    open.insert(rule, it);
                }
                Ok(_) => {}
                Err(fault) => self.failed(&rule, &fault),
            }
        }
        while !open.is_empty() {
            let names: Vec<String> = open.keys().cloned().collect();
            let Err(error) = self.shell.aws.evaluate(&names).await else { break };
            if error.is("LimitExceededException") || error.is("ResourceInUseException") {
                return;
            }
            // AWS Config refuses the whole list for one name that is gone, and says which.
            let gone = names.iter().filter(|name| error.to_string().contains(name.as_str())).max_by_key(|it| it.len());
            let Some(rule) = gone.filter(|_| error.is("NoSuchConfigRuleException")) else {
                self.failed("evaluation", &error.into());
                return;
            };
            // There is nothing to judge any more.
            let none = Evaluations { owed: false, ..open.remove(rule).unwrap_or_default() };
            self.note(rule, none).await;
        }
        for rule in open.into_keys() {
            self.tally.evaluated();
            self.note(&rule, Evaluations { started_at: Some(self.now), owed: false }).await;
        }
    }

    fn was_today(&self, it: Evaluations) -> bool {
        it.started_at.is_some_and(|at| self.now.duration_since(at) < ONCE_IN)
    }

    async fn note(&mut self, rule: &str, it: Evaluations) {
        if let Err(fault) = self.shell.ledger.set_evaluations(rule, it).await {
            self.failed(rule, &fault);
        }
    }
}

/// What another failure of a rule leads to.
enum Again {
    /// An evaluation, today or tomorrow.
    Owed,
    /// A message to a person: the evaluation that was started then did not help.
    Failed(Timestamp),
    /// Nothing more.
    Known,
}
