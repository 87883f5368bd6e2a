//! AWS Config in the chaos test: judges vaults, and tells of a finding once.

use rectify_chaos::vaults::{CONTROLS, complies};
use rectify_chaos::{ACCOUNT, REGION};
use rectify_compliance::Timestamp;

use super::Chaos;
use super::world::Finding;

impl Chaos {
    /// AWS Config judges some vault.
    pub(super) fn judge(&mut self) {
        let id = self.any_id();
        self.judge_one(&id);
    }

    pub(super) fn judge_all(&mut self) {
        for id in self.world.ids.clone() {
            self.judge_one(&id);
        }
    }

    /// A finding is told once, when a resource turns NON_COMPLIANT.
    pub(super) fn judge_one(&mut self, id: &str) {
        let vault = self.world.vaults.vault(id);
        for control in 0..CONTROLS {
            let right = complies(control, &vault) || self.world.excluded.iter().any(|it| it == id);
            let place = (control, id.to_owned());
            let was = self.judged.get(&place).copied().flatten();
            if right || was.is_some() {
                if right {
                    self.judged.insert(place, None);
                }
                continue;
            }
            let since = self.next_record();
            self.judged.insert(place, Some(since));
            let finding = self.finding(control, id, since);
            self.all.push(finding.clone());
            self.queue.push_back((finding, 1));
        }
        // What was found before a resource was excluded is still on its way.
        if self.world.excluded.iter().any(|it| it == id) && self.luck.u32(..4) == 0 {
            let finding = self.finding(self.luck.clone().u8(..CONTROLS), id, self.start);
            self.queue.push_back((finding, 1));
        }
    }

    /// When AWS Config records its next result: no two at the same time.
    pub(super) fn next_record(&mut self) -> Timestamp {
        self.records += 1;
        self.start + jiff::SignedDuration::from_millis(self.records)
    }

    pub(super) fn finding(&self, control: u8, id: &str, recorded_at: Timestamp) -> Finding {
        Finding { control, id: id.to_owned(), recorded_at, region: REGION, account: ACCOUNT, asked: false }
    }

    /// What AWS Config reports now.
    pub(super) fn findings_now(&self) -> Vec<Finding> {
        let found = self.judged.iter().filter_map(|((control, id), since)| Some((*control, id, (*since)?)));
        found.map(|(control, id, since)| self.finding(control, id, since)).collect()
    }
}
