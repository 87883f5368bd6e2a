//! AWS Config in the chaos test: evaluates vaults, and sends each finding once.

use rectify_chaos::vaults::{CONTROLS, complies};
use rectify_chaos::{ACCOUNT, REGION};
use rectify_compliance::Timestamp;

use super::Chaos;
use super::world::Finding;

impl Chaos {
    /// AWS Config evaluates a random vault.
    pub(super) fn evaluate(&mut self) {
        let id = self.any_id();
        self.evaluate_one(&id);
    }

    pub(super) fn evaluate_all(&mut self) {
        for id in self.world.ids.clone() {
            self.evaluate_one(&id);
        }
    }

    /// A finding is sent once, when a resource turns NON_COMPLIANT.
    pub(super) fn evaluate_one(&mut self, id: &str) {
        let vault = self.world.vaults.vault(id);
        for control in 0..CONTROLS {
            let compliant = complies(control, &vault) || self.world.excluded.iter().any(|it| it == id);
            let key = (control, id.to_owned());
            let previous = self.evaluated.get(&key).copied().flatten();
            if compliant || previous.is_some() {
                if compliant {
                    self.evaluated.insert(key, None);
                }
                continue;
            }
            let since = self.next_record();
            self.evaluated.insert(key, Some(since));
            let finding = self.finding(control, id, since);
            self.all.push(finding.clone());
            self.queue.push_back((finding, 1));
        }
        // A finding sent before its resource was excluded may arrive later.
        if self.world.excluded.iter().any(|it| it == id) && self.random.u32(..4) == 0 {
            let finding = self.finding(self.random.clone().u8(..CONTROLS), id, self.start);
            self.queue.push_back((finding, 1));
        }
    }

    /// The time of AWS Config's next result; no two are equal.
    pub(super) fn next_record(&mut self) -> Timestamp {
        self.records += 1;
        self.start + jiff::SignedDuration::from_millis(self.records)
    }

    pub(super) fn finding(&self, control: u8, id: &str, recorded_at: Timestamp) -> Finding {
        Finding { control, id: id.to_owned(), recorded_at, region: REGION, account: ACCOUNT, requested: false }
    }

    /// The findings that AWS Config reports now.
    pub(super) fn findings_now(&self) -> Vec<Finding> {
        let found = self.evaluated.iter().filter_map(|((control, id), since)| Some((*control, id, (*since)?)));
        found.map(|(control, id, since)| self.finding(control, id, since)).collect()
    }
}
