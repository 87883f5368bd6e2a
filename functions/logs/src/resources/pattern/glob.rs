//! Values with `*`, and the texts that tell several of them apart.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Steps the search for texts may take, a place in a glob and a letter each: far more than the patterns of the
/// benchmarks need.
const MAX_STEPS: usize = 500_000;

/// A value in which `*` stands for any number of characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Glob(Vec<Part>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Letter(char),
    Anything,
}

/// Where the reading of a text has come to in each glob: pairs of glob and next part, all that are possible.
type State = BTreeSet<(usize, usize)>;

impl Glob {
    pub(super) fn new(text: &str) -> Self {
        Self(text.chars().map(|it| if it == '*' { Part::Anything } else { Part::Letter(it) }).collect())
    }

    /// Whether it holds a wildcard.
    pub(super) fn is_open(&self) -> bool {
        self.0.contains(&Part::Anything)
    }

    /// The number it is, if it is one.
    pub(super) fn number(&self) -> Option<f64> {
        self.text().parse().ok()
    }

    /// As it is written.
    pub(super) fn text(&self) -> String {
        self.0.iter().map(|part| if let Part::Letter(letter) = part { *letter } else { '*' }).collect()
    }

    /// Whether it matches the whole of `text`.
    pub(super) fn matches(&self, text: &str) -> bool {
        let globs = [self];
        let end = text.chars().fold(start(&globs), |state, letter| after(&globs, &state, letter));
        end.contains(&(0, self.0.len()))
    }
}

/// One text, the shortest, for every set of `globs` that a text can match and no other of them; `None` when there are too many.
///
/// All globs are read side by side, over their own letters and one that none of them has: what a text of other letters
/// could match, that one shows.
pub(super) fn texts(globs: &[&Glob]) -> Option<Vec<String>> {
    let letters: BTreeSet<char> = globs.iter().flat_map(|glob| &glob.0).filter_map(letter).collect();
    let strange = ('a'..=char::MAX).find(|it| !letters.contains(it) && it.is_alphanumeric());
    let alphabet: Vec<char> = letters.into_iter().chain(strange).collect();

    let mut found: BTreeMap<Vec<usize>, String> = BTreeMap::new();
    let mut seen = BTreeSet::from([start(globs)]);
    let mut ahead = VecDeque::from([(start(globs), String::new())]);
    let mut steps: usize = 0;
    while let Some((state, text)) = ahead.pop_front() {
        steps += state.len() * alphabet.len();
        if steps > MAX_STEPS {
            return None;
        }
        found.entry(matched(globs, &state)).or_insert_with(|| text.clone());
        for letter in &alphabet {
            let next = after(globs, &state, *letter);
            if seen.insert(next.clone()) {
                ahead.push_back((next, format!("{text}{letter}")));
            }
        }
    }
    Some(found.into_values().collect())
}

fn letter(part: &Part) -> Option<char> {
    match part {
        Part::Letter(letter) => Some(*letter),
        Part::Anything => None,
    }
}

fn start(globs: &[&Glob]) -> State {
    let mut state = State::new();
    for index in 0..globs.len() {
        reach(globs, &mut state, index, 0);
    }
    state
}

fn after(globs: &[&Glob], state: &State, letter: char) -> State {
    let mut next = State::new();
    for (index, at) in state {
        match globs.get(*index).and_then(|glob| glob.0.get(*at)) {
            Some(Part::Anything) => reach(globs, &mut next, *index, *at),
            Some(Part::Letter(expected)) if *expected == letter => reach(globs, &mut next, *index, at + 1),
            Some(Part::Letter(_)) | None => {}
        }
    }
    next
}

/// Adds a place, and those after it that need no letter.
fn reach(globs: &[&Glob], state: &mut State, index: usize, mut at: usize) {
    state.insert((index, at));
    while globs.get(index).and_then(|glob| glob.0.get(at)) == Some(&Part::Anything) {
        at += 1;
        state.insert((index, at));
    }
}

/// The globs that match the text read so far.
fn matched(globs: &[&Glob], state: &State) -> Vec<usize> {
    (0..).zip(globs).filter(|(index, glob)| state.contains(&(*index, glob.0.len()))).map(|(index, _)| index).collect()
}
