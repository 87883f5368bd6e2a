//! The items of a file, one at a time. Knows nothing of controls.

use std::fmt;
use std::io::{BufReader, Cursor, Read};

use flate2::read::MultiGzDecoder;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The first bytes of a gzip file (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];

const BUFFER_BYTES: usize = 128 * 1024;

/// How a file that was not read to its end stopped.
pub(super) enum Stopped {
    /// It has no list of items.
    NoItems(String),
    /// Its list of items is cut off or is not JSON.
    Early(String),
}

/// Calls `each` with every item of `configurationItems`, as its JSON text, in the order of the file. The text is valid
/// JSON; it may not be an item. At most one item is in memory.
pub(super) fn items(mut input: impl Read, each: &mut dyn FnMut(Box<RawValue>)) -> Result<(), Stopped> {
    let mut head = Vec::new();
    (&mut input).take(GZIP.len() as u64).read_to_end(&mut head).map_err(|error| Stopped::NoItems(error.to_string()))?;
    let is_gzip = head == GZIP;
    let whole = Cursor::new(head).chain(input);
    if is_gzip { parse(MultiGzDecoder::new(whole), each) } else { parse(whole, each) }
}

fn parse(input: impl Read, each: &mut dyn FnMut(Box<RawValue>)) -> Result<(), Stopped> {
    let mut has_list = false;
    let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(BUFFER_BYTES, input));
    let file = File { each, has_list: &mut has_list };
    let ended = json.deserialize_map(file).and_then(|()| json.end());
    match ended {
        Ok(()) if has_list => Ok(()),
        Ok(()) => Err(Stopped::NoItems("no member `configurationItems`".to_owned())),
        Err(error) if has_list => Err(Stopped::Early(error.to_string())),
        Err(error) => Err(Stopped::NoItems(error.to_string())),
    }
}

/// The top-level object.
struct File<'a> {
    each: &'a mut dyn FnMut(Box<RawValue>),
    has_list: &'a mut bool,
}

impl<'de> Visitor<'de> for File<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object with `configurationItems`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(key) = members.next_key::<String>()? {
            if key != "configurationItems" {
                members.next_value::<IgnoredAny>()?;
            } else if *self.has_list {
                return Err(A::Error::duplicate_field("configurationItems"));
            } else {
                *self.has_list = true;
                members.next_value_seed(Items(&mut *self.each))?;
            }
        }
        Ok(())
    }
}

/// The list.
struct Items<'a>(&'a mut dyn FnMut(Box<RawValue>));

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of configuration items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(item) = list.next_element::<Box<RawValue>>()? {
            (self.0)(item);
        }
        Ok(())
    }
}
