//! Ports as parameters: sets with their arithmetic, and one port that `none` can remove.

use super::{Bounded, Deserialize, Deserializer, FromStr};
use super::{LIST, Serialize, Serializer, fmt, from_scalar, members};

/// TCP or UDP ports: a comma-separated list of ports and `from-to` ranges, `0..=65535`, at most 16 members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortSet(Vec<(u16, u16)>);

/// A [`PortSet`] of up to 128 members, for lists that AWS managed rules accept without a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortList(pub PortSet);

/// One port, `0..=65535`, or `none` to remove a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortOrNone(pub Option<u16>);

impl PortSet {
    /// Maximum number of members of a list.
    pub const MAX_MEMBERS: usize = 16;

    /// One port.
    pub fn single(port: u16) -> Self {
        Self(vec![(port, port)])
    }

    /// Every port.
    pub fn every() -> Self {
        Self(vec![(0, u16::MAX)])
    }

    /// The union of these inclusive ranges; the ends of a reversed range are swapped.
    pub fn of(ranges: impl IntoIterator<Item = (u16, u16)>) -> Self {
        let mut ranges: Vec<(u16, u16)> = ranges.into_iter().map(|(from, to)| (from.min(to), from.max(to))).collect();
        ranges.sort_unstable();
        let mut merged: Vec<(u16, u16)> = Vec::with_capacity(ranges.len());
        for (from, to) in ranges {
            match merged.last_mut() {
                Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        Self(merged)
    }

    /// Every port that is not in the set.
    #[must_use]
    pub fn complement(&self) -> Self {
        let mut left = Vec::new();
        let mut next = Some(0);
        for (from, to) in &self.0 {
            if let Some(start) = next.filter(|start| start < from) {
                left.push((start, from.saturating_sub(1)));
            }
            next = to.checked_add(1);
        }
        left.extend(next.map(|start| (start, u16::MAX)));
        Self(left)
    }

    /// Whether the set has no port.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ranges, inclusive, sorted and merged.
    pub fn ranges(&self) -> &[(u16, u16)] {
        &self.0
    }

    /// Whether `port` is in the set.
    pub fn contains(&self, port: u16) -> bool {
        self.0.iter().any(|(from, to)| (*from..=*to).contains(&port))
    }

    /// Whether all of `from..=to` is in the set.
    pub fn covers(&self, from: u16, to: u16) -> bool {
        self.0.iter().any(|(low, high)| *low <= from && to <= *high)
    }

    fn read(text: &str, max_members: usize) -> Result<Self, String> {
        let port =
            |part: &str| part.trim().parse::<Bounded<0, 65535>>().map(|it| u16::try_from(it.get()).unwrap_or(u16::MAX));
        let mut ranges = Vec::new();
        for member in members(text) {
            let (from, to) = match member.split_once('-') {
                Some((from, to)) => (port(from)?, port(to)?),
                None => (port(member)?, port(member)?),
            };
            if from > to {
                return Err(format!("expected a range from low to high: received `{member}`"));
            }
            ranges.push((from, to));
        }
        if ranges.is_empty() || ranges.len() > max_members {
            return Err(format!("expected 1 to {max_members} ports: received `{}`", crate::error::shorten(text)));
        }
        Ok(Self::of(ranges))
    }
}

impl PortList {
    /// Maximum number of members of a list.
    pub const MAX_MEMBERS: usize = 128;
}

impl FromStr for PortSet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::read(text, Self::MAX_MEMBERS)
    }
}

impl FromStr for PortList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        PortSet::read(text, Self::MAX_MEMBERS).map(Self)
    }
}

impl FromStr for PortOrNone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("none") {
            return Ok(Self(None));
        }
        let port = text.parse::<Bounded<0, 65535>>().ok().and_then(|it| u16::try_from(it.get()).ok());
        port.map(|it| Self(Some(it)))
            .ok_or_else(|| format!("expected a whole number in 0..=65535 or none: received `{text}`"))
    }
}

impl fmt::Display for PortSet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (from, to)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            if from == to {
                write!(out, "{comma}{from}")?;
            } else {
                write!(out, "{comma}{from}-{to}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for PortList {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl fmt::Display for PortOrNone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(port) => write!(out, "{port}"),
            None => out.write_str("none"),
        }
    }
}

parameter_value!([] PortSet, "PortSet", { "type": "string", "format": "ports", LIST: true });
parameter_value!([] PortList, "PortList", { "type": "string", "format": "ports", LIST: true });
parameter_value!([] PortOrNone, "PortOrNone", { "type": "string", "format": "a port or `none`" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_sorted_and_merged() {
        for (text, written) in [
            ("22", "22"),
            (" 2222 , 22,,23 ", "22-23,2222"),
            ("8000-8010,8005-8020", "8000-8020"),
            ("65535,0", "0,65535"),
        ] {
            assert_eq!(text.parse::<PortSet>().unwrap().to_string(), written, "{text}");
        }
        let ports: PortSet = "22,8000-8010".parse().unwrap();
        assert!(ports.contains(22) && ports.contains(8010) && !ports.contains(23));
        assert!(ports.covers(8001, 8010) && !ports.covers(22, 23));
    }

    #[test]
    fn invalid_reversed_missing_or_too_many_ports_are_rejected() {
        let many = (1..=17).map(|port| (port * 10).to_string()).collect::<Vec<_>>().join(",");
        for (text, expected) in [
            ("70000", "expected a whole number in 0..=65535: received `70000`"),
            ("ssh", "expected a whole number in 0..=65535: received `ssh`"),
            ("30-20", "expected a range from low to high: received `30-20`"),
            (",", "expected 1 to 16 ports: received `,`"),
            (many.as_str(), "expected 1 to 16 ports"),
        ] {
            let error = text.parse::<PortSet>().unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn a_port_list_accepts_more_members_than_a_port_set() {
        let many = (1..=128).map(|port| (port * 10).to_string()).collect::<Vec<_>>().join(",");
        assert_eq!(many.parse::<PortList>().unwrap().0.ranges().len(), 128);
        assert!(format!("{many},65000").parse::<PortList>().is_err());
    }

    #[test]
    fn every_port_is_in_a_set_or_in_its_complement() {
        for (ports, expected) in [
            ("0-65535", ""),
            ("0", "1-65535"),
            ("65535", "0-65534"),
            ("22,80-443", "0-21,23-79,444-65535"),
            ("0-21,23-65535", "22"),
        ] {
            let ports: PortSet = ports.parse().unwrap();
            assert_eq!(ports.complement().to_string(), expected, "{ports}");
            assert_eq!(ports.complement().complement(), ports, "{ports}");
        }
        assert_eq!(PortSet::default().complement(), PortSet::every());
    }

    #[test]
    fn port_or_none_accepts_a_port_or_none() {
        assert_eq!("none".parse(), Ok(PortOrNone(None)));
        assert_eq!(" 3389 ".parse(), Ok(PortOrNone(Some(3389))));
        for text in ["abc", "65536", "-1", "22-23"] {
            let error = text.parse::<PortOrNone>().unwrap_err();
            assert_eq!(error, format!("expected a whole number in 0..=65535 or none: received `{text}`"));
        }
    }
}
