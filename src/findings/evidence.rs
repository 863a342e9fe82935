//! [`Evidence`]: what a finding rests on.

use std::borrow::Cow;
use std::fmt;

use serde::ser::SerializeMap;
use smallvec::SmallVec;

use super::Severity;
use crate::flow::Side;
use crate::time::Timestamp;
use crate::tls::codepoints::{
    AlertDescription, CipherSuite, ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme,
};

/// Named values, in the order they were given; members of the finding's `evidence` object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    entries: SmallVec<[(&'static str, Value); 3]>,
    severity: Option<Severity>,
}

impl Evidence {
    /// Evidence that needs no more than the record it stands in.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Evidence of one value.
    #[must_use]
    pub fn of(name: &'static str, value: impl Into<Value>) -> Self {
        Self::new().with(name, value)
    }

    /// Adds a value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.entries.push((name, value.into()));
        self
    }

    /// Adds a value where there is one.
    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Makes this finding as bad as `severity`, whatever its rule says.
    #[must_use]
    pub fn at(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// The severity that replaces the rule's.
    #[must_use]
    pub const fn severity(&self) -> Option<Severity> {
        self.severity
    }

    /// Appends bytes that no other evidence shares. `false` where they are not worth having: the evidence holds text
    /// of its own, as hardly another has.
    pub(crate) fn write_key(&self, key: &mut Vec<u8>) -> bool {
        self.entries.iter().all(|(name, value)| {
            write_static(name, key);
            value.write_key(key)
        })
    }

    /// The values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.entries.iter().map(|(name, value)| (*name, value))
    }

    /// The value called `name`.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.entries.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

impl serde::Serialize for Evidence {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.entries.len()))?;
        for (name, value) in &self.entries {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// One value of evidence.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A count, a length, a number of bits or days.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// Words.
    Text(Cow<'static, str>),
    /// A version.
    Version(ProtocolVersion),
    /// A suite.
    Suite(CipherSuite),
    /// A group.
    Group(NamedGroup),
    /// A signature scheme.
    Scheme(SignatureScheme),
    /// An extension.
    Extension(ExtensionType),
    /// An alert.
    Alert(AlertDescription),
    /// A side.
    Side(Side),
    /// A time.
    Time(Timestamp),
    /// Several values.
    List(Vec<Value>),
}

impl Value {
    /// A list of values.
    pub fn list<T: Into<Self>>(values: impl IntoIterator<Item = T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }

    /// As [`Evidence::write_key`]. Every kind of value begins with its own byte and has a length of its own.
    fn write_key(&self, key: &mut Vec<u8>) -> bool {
        let (kind, number) = match self {
            Self::Number(number) => (0, number.cast_unsigned()),
            Self::Flag(flag) => (1, u64::from(*flag)),
            Self::Text(Cow::Borrowed(text)) => {
                key.push(2);
                write_static(text, key);
                return true;
            }
            Self::Text(Cow::Owned(_)) => return false,
            Self::Version(version) => (3, u64::from(version.0)),
            Self::Suite(suite) => (4, u64::from(suite.0)),
            Self::Group(group) => (5, u64::from(group.0)),
            Self::Scheme(scheme) => (6, u64::from(scheme.0)),
            Self::Extension(extension) => (7, u64::from(extension.0)),
            Self::Alert(alert) => (8, u64::from(alert.0)),
            Self::Side(side) => (9, *side as u64),
            Self::Time(time) => (10, time.as_nanos()),
            Self::List(values) => {
                key.push(11);
                key.extend_from_slice(&values.len().to_ne_bytes());
                return values.iter().all(|value| value.write_key(key));
            }
        };
        key.push(kind);
        key.extend_from_slice(&number.to_ne_bytes());
        true
    }
}

/// Text that is there for good is told by where it lies.
fn write_static(text: &'static str, key: &mut Vec<u8>) {
    key.extend_from_slice(&text.as_ptr().addr().to_ne_bytes());
    key.extend_from_slice(&text.len().to_ne_bytes());
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::Version(version) => version.fmt(f),
            Self::Suite(suite) => suite.fmt(f),
            Self::Group(group) => group.fmt(f),
            Self::Scheme(scheme) => scheme.fmt(f),
            Self::Extension(extension) => extension.fmt(f),
            Self::Alert(alert) => alert.fmt(f),
            Self::Side(Side::Client) => f.write_str("client"),
            Self::Side(Side::Server) => f.write_str("server"),
            Self::Time(time) => time.fmt(f),
            Self::List(values) => {
                for (position, value) in values.iter().enumerate() {
                    if position > 0 {
                        f.write_str(", ")?;
                    }
                    value.fmt(f)?;
                }
                Ok(())
            }
        }
    }
}

impl serde::Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Version(version) => version.serialize(serializer),
            Self::Suite(suite) => suite.serialize(serializer),
            Self::Group(group) => group.serialize(serializer),
            Self::Scheme(scheme) => scheme.serialize(serializer),
            Self::Extension(extension) => extension.serialize(serializer),
            Self::Alert(alert) => alert.serialize(serializer),
            Self::Side(side) => side.serialize(serializer),
            Self::Time(time) => time.serialize(serializer),
            Self::List(values) => serializer.collect_seq(values),
        }
    }
}

macro_rules! value_from {
    ($($source:ty => $variant:ident),* $(,)?) => {
        $(impl From<$source> for Value {
            fn from(value: $source) -> Self {
                Self::$variant(value.into())
            }
        })*
    };
}

value_from! {
    i64 => Number, u32 => Number, u16 => Number, u8 => Number,
    bool => Flag,
    &'static str => Text, String => Text, Cow<'static, str> => Text,
    ProtocolVersion => Version, CipherSuite => Suite, NamedGroup => Group, SignatureScheme => Scheme,
    ExtensionType => Extension, AlertDescription => Alert, Side => Side, Timestamp => Time,
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Number(i64::try_from(value).unwrap_or(i64::MAX))
    }
}
