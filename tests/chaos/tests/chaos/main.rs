//! Deliveries over fifty resources and six controls, with random faults, checked against a model that is independent of
//! the code: no change that the model forbids is made, no finding is lost, and every change can be undone or is refused
//! with the difference.
//!
//! A violation prints the seed and the last steps about the resource; the same seed repeats the same steps.
//! `make chaos` runs it with a new seed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod config;
mod decisions;
mod end_state;
mod history;
mod model;
mod single_faults;
mod world;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use rectify_chaos::actor::{Actor, ActorKind, Decision, Rates};
use rectify_chaos::vaults::CONTROLS;
use rectify_chaos::{ACCOUNT, REGION};
use rectify_compliance::Timestamp;
use rectify_runtime::ledger::new_id;

use model::Model;
use world::{ELSEWHERE, Ended, FOREIGN, Finding, Task, World};

/// The seed of the suite.
const SEED: u64 = 20_260_304;
/// The number of deliveries in `make test`: 53 s on two cores, 10 ms of CPU time each, undo and checks included.
/// `RECTIFY_CHAOS_DELIVERIES` sets another number.
const DELIVERIES: u64 = 10_000;
/// The number of worlds, each with a part of the resources and a separate thread.
const WORLDS: usize = 2;
/// The number of resources of a world.
const RESOURCES: usize = 25;
/// How often Lambda delivers an event that fails.
const TRIES: usize = 3;
/// The number of faults per 10,000 calls.
const RATES: Rates = Rates { ledger: 60, vaults: 300 };

/// A running test.
struct Chaos {
    world: World,
    model: Model,
    random: fastrand::Rng,
    running: FuturesUnordered<Task>,
    /// Events to deliver: failed ones are retried, and any may be delivered twice or late.
    queue: VecDeque<(Finding, usize)>,
    /// Since when AWS Config reports a finding for a control and a resource.
    evaluated: BTreeMap<(u8, String), Option<Timestamp>>,
    /// The event and the try of each running delivery.
    started: HashMap<usize, (Finding, usize)>,
    /// Every finding so far.
    all: Vec<Finding>,
    /// Findings whose event failed in every try.
    unanswered: Vec<Finding>,
    /// Actors that died or ended with a lease that has not expired.
    left: Vec<Arc<Actor>>,
    start: Timestamp,
    /// The number of results that AWS Config recorded.
    records: i64,
}

impl Chaos {
    fn of(seed: u64, world: usize) -> Self {
        // Ids and delays use the thread's random numbers.
        fastrand::seed(seed);
        let world = World::with(world * RESOURCES..(world + 1) * RESOURCES);
        world.env.set(RATES);
        let model = Model::excluding(&world.excluded);
        let (random, running) = (fastrand::Rng::with_seed(seed), FuturesUnordered::new());
        let (queue, evaluated, unanswered, left) = (VecDeque::new(), BTreeMap::new(), Vec::new(), Vec::new());
        let start = Timestamp::now() - jiff::SignedDuration::from_hours(2);
        let (started, all) = (HashMap::new(), Vec::new());
        Self { world, model, random, running, queue, evaluated, started, all, unanswered, left, start, records: 0 }
    }

    /// Separate random numbers for an actor.
    fn fork(&mut self) -> fastrand::Rng {
        self.random.fork()
    }

    fn run(&mut self, deliveries: usize) {
        let mut delivered = 0;
        while delivered < deliveries {
            match self.random.u32(..100) {
                0..62 => {
                    delivered += 1;
                    self.deliver();
                }
                62..78 => self.edit(),
                78..88 => self.evaluate(),
                88..93 => {
                    let about = self.any_work();
                    let decision = decisions::decision(&mut self.random, &self.model.in_force(), about);
                    self.decide(&decision, Duration::ZERO);
                }
                93..97 => self.undo(),
                97 => {
                    let (control, enforces) = (self.random.u8(..CONTROLS), self.random.u32(..5) > 0);
                    self.world.deploy(control, enforces);
                }
                98 => {
                    let id = self.any_id();
                    let task = self.world.wrong_clock(&id, self.random.fork());
                    self.running.push(task);
                }
                _ => {
                    for _ in 0..self.left.len() / 2 {
                        let index = self.random.usize(..self.left.len());
                        self.left.swap_remove(index).end_lease("time passes");
                    }
                }
            }
            let limit = self.random.usize(..8);
            while self.running.len() > limit {
                self.next();
            }
        }
    }

    fn any_id(&mut self) -> String {
        self.world.ids[self.random.usize(..RESOURCES)].clone()
    }

    /// A random control and resource, mostly those of a running delivery.
    fn any_work(&mut self) -> (u8, String) {
        let mut running: Vec<_> = self.started.iter().collect();
        running.sort_by_key(|(number, _)| **number);
        let some = self.random.usize(..8);
        match running.get(some) {
            Some((_, (finding, _))) => (finding.control, finding.id.clone()),
            None => (self.random.u8(..CONTROLS), self.any_id()),
        }
    }

    /// A random resource, often one with an interrupted undo.
    fn any_edited(&mut self) -> String {
        let interrupted = |known: &&model::Known| known.stored.undo.as_ref().is_some_and(|it| it.finished_at.is_none());
        let interrupted: Vec<_> = self.model.attempts.values().filter(interrupted).collect();
        match interrupted.get(self.random.usize(..12)) {
            Some(known) => known.stored.target.resource.id.clone(),
            None => self.any_id(),
        }
    }

    /// Runs until the next task ends, and returns its result.
    fn next(&mut self) -> Option<Ended> {
        let clock = self.world.env.clock.clone();
        let (actor, ended) = clock.run(self.running.next())?;
        self.check_history();
        let event = self.started.remove(&actor.number);
        // The lease of an actor that died or could not release it ends with time.
        self.left.push(actor);
        match &ended {
            None => self.model.count("an actor died"),
            Some(Ended::Delivered(Ok(disposition))) => self.model.count_delivery(disposition.name()),
            Some(Ended::Delivered(Err(error))) => self.model.count_delivery(error.kind()),
            Some(Ended::Undone(Ok(_))) => self.model.count("an undo was done"),
            Some(Ended::Undone(Err(_))) => self.model.count("an undo was refused or failed"),
            Some(Ended::Other) => {}
        }
        if let Some((finding, tries)) = event.filter(|_| matches!(ended, None | Some(Ended::Delivered(Err(_))))) {
            match tries < TRIES {
                true => self.queue.push_back((finding, tries + 1)),
                // A finding of another function is not requested again.
                false if (finding.region, finding.account) == (REGION, ACCOUNT) => self.unanswered.push(finding),
                false => {}
            }
        }
        ended
    }

    /// Runs all running tasks to their end.
    fn finish_all(&mut self) {
        while !self.running.is_empty() {
            self.next();
        }
    }

    /// Runs a task to its end while nothing else is running.
    fn finish(&mut self, task: Task) -> Option<Ended> {
        self.running.push(task);
        let ended = self.next();
        self.left.pop();
        ended
    }

    fn check_history(&mut self) {
        let new_entries = self.world.env.new_entries();
        self.model.take(new_entries);
    }

    /// Delivers a random event: the next one, an old one again, one of another region or account, or a request of the
    /// reconciler.
    fn deliver(&mut self) {
        let (finding, tries) = self.event();
        let (last, sleeps_at) = match self.random.u32(..100) {
            0..8 => (self.random.usize(1..80), usize::MAX),
            8..11 => (usize::MAX, self.random.usize(1..50)),
            _ => (usize::MAX, usize::MAX),
        };
        if self.random.u32(..20) == 0 {
            self.queue.push_back((finding.clone(), 1));
        }
        self.begin_delivery(&finding, tries, last, sleeps_at);
        self.interrupt(&finding);
    }

    /// Makes operators act during some deliveries: between two reads, between a read and a save, between two calls.
    fn interrupt(&mut self, finding: &Finding) {
        let (control, id) = (finding.control, finding.id.clone());
        match self.random.u32(..100) {
            0..5 => {
                let decision = match self.random.u32(..4) {
                    0 => Decision::Hold(control, id),
                    1 => Decision::Exempt(new_id(Timestamp::now()), Some(control), id),
                    _ => Decision::Stop(Some(control)),
                };
                let after = Duration::from_millis(self.random.u64(..300));
                self.decide(&decision, after);
                self.decide(&decisions::ending(&decision), after + Duration::from_millis(500));
            }
            5..11 => {
                let (mut random, reads) = (self.fork(), self.random.u32(..4));
                self.world.vaults.edit_after(reads, &id, move |vault| decisions::change(&mut random, vault));
            }
            _ => {}
        }
    }

    /// Makes an operator's decision after a delay.
    fn decide(&mut self, decision: &Decision, after: Duration) {
        let task = self.world.decide(decision, after, self.random.fork());
        self.running.push(task);
    }

    fn begin_delivery(&mut self, finding: &Finding, tries: usize, last: usize, sleeps_at: usize) {
        let (number, task) = self.world.deliver(finding, self.random.fork(), last, sleeps_at);
        self.started.insert(number, (finding.clone(), tries));
        self.running.push(task);
    }

    fn event(&mut self) -> (Finding, usize) {
        while self.all.is_empty() || (self.queue.is_empty() && self.random.u32(..4) > 0) {
            self.edit();
            self.evaluate();
        }
        let old = self.all[self.random.usize(..self.all.len())].clone();
        match self.random.u32(..100) {
            0..6 => (old, TRIES),
            6..9 => (Finding { region: ELSEWHERE, ..old }, TRIES),
            9..12 => (Finding { account: FOREIGN, ..old }, TRIES),
            12..22 if !self.unanswered.is_empty() => {
                let index = self.random.usize(..self.unanswered.len());
                (Finding { requested: true, ..self.unanswered.swap_remove(index) }, TRIES)
            }
            22..32 => {
                let now = self.findings_now();
                let requested = now.get(self.random.usize(..now.len().max(1))).cloned();
                (requested.map_or(old, |it| Finding { requested: true, ..it }), TRIES)
            }
            32..50 => {
                // An event about a resource with a running delivery.
                let busy: Vec<&str> = self.started.values().map(|(finding, _)| finding.id.as_str()).collect();
                let index = self.queue.iter().position(|(finding, _)| busy.contains(&finding.id.as_str()));
                index.and_then(|index| self.queue.remove(index)).unwrap_or((old, TRIES))
            }
            _ => {
                let index = self.random.usize(..self.queue.len().max(1));
                self.queue.swap_remove_back(index).unwrap_or((old, TRIES))
            }
        }
    }

    /// An operator changes a vault, one field or more.
    fn edit(&mut self) {
        let id = self.any_edited();
        for _ in 0..self.random.u32(1..4) {
            let random = &mut self.random;
            self.world
                .by_hand(ActorKind::Operator, |vaults| vaults.edit(&id, |vault| decisions::change(random, vault)));
        }
        if self.random.u32(..4) > 0 {
            self.evaluate_one(&id);
        }
    }

    /// An operator undoes one of the last attempts that changed something.
    fn undo(&mut self) {
        let number = self.random.usize(..40);
        let again = self.random.u32(..5) == 0;
        let mut some =
            self.model.attempts.iter().rev().filter(|(_, it)| !it.changes.is_empty() && (again || !it.undoing));
        let Some((attempt, known)) = some.nth(number) else { return };
        let (attempt, control, id) = (attempt.clone(), known.control, known.stored.target.resource.id.clone());
        let last = if self.random.u32(..6) == 0 { self.random.usize(1..40) } else { usize::MAX };
        let task = self.world.undo(control, &id, &attempt, self.random.fork(), last);
        self.running.push(task);
    }
}

/// Runs a whole world: faults, then no faults, then undo of everything. Returns the counts of events by kind.
fn chaos(seed: u64, world: usize, deliveries: usize) -> BTreeMap<String, usize> {
    let mut chaos = Chaos::of(seed, world);
    chaos.run(deliveries);
    chaos.drain();
    chaos.check_ledger();
    chaos.undo_everything();
    chaos.model.counts
}

/// Printed by a failed run, and by `make chaos`.
#[allow(clippy::print_stdout)]
fn print(text: &str) {
    println!("{text}");
}

#[test]
fn random_faults_lead_to_no_forbidden_change_and_no_loss() {
    let of = |name: &str, default: u64| match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}: expected an integer: received `{text}`")),
        Err(_) => default,
    };
    let (seed, deliveries) = (of("RECTIFY_CHAOS_SEED", SEED), of("RECTIFY_CHAOS_DELIVERIES", DELIVERIES));
    print(&format!("reproduce with: make chaos RECTIFY_CHAOS_SEED={seed} RECTIFY_CHAOS_DELIVERIES={deliveries}"));
    let share = usize::try_from(deliveries).unwrap().div_ceil(WORLDS);
    let mut seeds = fastrand::Rng::with_seed(seed);
    let mut counts = BTreeMap::<String, usize>::new();
    std::thread::scope(|scope| {
        let worlds: Vec<_> = (0..WORLDS)
            .map(|world| {
                let seed = seeds.u64(..);
                scope.spawn(move || chaos(seed, world, share))
            })
            .collect();
        let ended: Vec<_> = worlds.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        for counted in ended {
            let counted = counted.unwrap_or_else(|_| panic!("seed {seed}: violated; the history is above"));
            counted.into_iter().for_each(|(kind, times)| *counts.entry(kind).or_default() += times);
        }
    });
    print(&format!("{counts:#?}"));
    // A run must contain every kind of event; a short run is for debugging.
    let rare = [
        "a remediation changed a resource",
        "an undo changed a resource",
        "an operator changed a resource",
        "an operator decided",
        "an actor died",
        "a wrong clock took a lease",
        "a delivery ended as ignored",
        "a delivery ended as stopped",
        "a delivery ended as exempt",
        "a delivery ended as planned",
        "a change was undone at the end",
        "an undo was refused with the difference at the end",
    ];
    for kind in rare.iter().filter(|_| deliveries >= 2_000) {
        assert!(counts.contains_key(*kind), "never: {kind}: {counts:#?}");
    }
}
