//! Values with `*`, and texts that distinguish several of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The maximum number of steps of the search for texts, one per glob position and character: far more than the
/// benchmark
/// patterns need.
const MAX_STEPS: usize = 500_000;

/// A value in which `*` matches any number of characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Glob(Vec<Part>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Char(char),
    Anything,
}

/// The possible positions in each glob after reading a text: pairs of glob and next part.
type State = BTreeSet<(usize, usize)>;

impl Glob {
    pub(super) fn new(text: &str) -> Self {
        Self(text.chars().map(|it| if it == '*' { Part::Anything } else { Part::Char(it) }).collect())
    }

    /// Whether it contains a wildcard.
    pub(super) fn is_open(&self) -> bool {
        self.0.contains(&Part::Anything)
    }

    /// Its value, if it is a number.
    pub(super) fn number(&self) -> Option<f64> {
        self.text().parse().ok()
    }

    /// The source text.
    pub(super) fn text(&self) -> String {
        self.0.iter().map(|part| if let Part::Char(char) = part { *char } else { '*' }).collect()
    }

    /// Whether it matches the whole of `text`.
    pub(super) fn matches(&self, text: &str) -> bool {
        let globs = [self];
        let end = text.chars().fold(start(&globs), |state, char| after(&globs, &state, char));
        end.contains(&(0, self.0.len()))
    }
}

/// The shortest text for each subset of `globs` that some text matches exactly; `None` if the search takes too many
/// steps.
///
/// All globs are read in parallel over their own characters and one that none of them contains, which represents all
/// other
/// characters.
pub(super) fn texts(globs: &[&Glob]) -> Option<Vec<String>> {
    let chars: BTreeSet<char> = globs.iter().flat_map(|glob| &glob.0).filter_map(char_of).collect();
    let other = ('a'..=char::MAX).find(|it| !chars.contains(it) && it.is_alphanumeric());
    let alphabet: Vec<char> = chars.into_iter().chain(other).collect();

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
        for char in &alphabet {
            let next = after(globs, &state, *char);
            if seen.insert(next.clone()) {
                ahead.push_back((next, format!("{text}{char}")));
            }
        }
    }
    Some(found.into_values().collect())
}

fn char_of(part: &Part) -> Option<char> {
    match part {
        Part::Char(char) => Some(*char),
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

fn after(globs: &[&Glob], state: &State, char: char) -> State {
    let mut next = State::new();
    for (index, at) in state {
        match globs.get(*index).and_then(|glob| glob.0.get(*at)) {
            Some(Part::Anything) => reach(globs, &mut next, *index, *at),
            Some(Part::Char(expected)) if *expected == char => reach(globs, &mut next, *index, at + 1),
            Some(Part::Char(_)) | None => {}
        }
    }
    next
}

/// Adds a place, and those after it that need no char.
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
